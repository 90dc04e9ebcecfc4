"""A command that ``torchrun`` starts several times."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

from seatbelt_vae.errors import InputError

TOGETHER = ("train",)
"""Commands that share their work."""


def check_alone(command: str) -> None:
    """Refuse several processes that would all do the same.

    Raises:
        InputError: they would.

    Example:
        >>> check_alone("attack")
    """
    processes = int(os.environ.get("WORLD_SIZE", 1))
    if processes > 1 and command not in TOGETHER:
        raise InputError(f"{command}: does not share its work among the {processes} processes of torchrun, start one")


@contextmanager
def first_alone_speaks() -> Iterator[None]:
    """Print what the first process says; the others come to the same end. A traceback of any is shown."""
    if os.environ.get("RANK", "0") == "0":
        yield
        return
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield
