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
    if started() > 1 and command not in TOGETHER:
        raise InputError(f"{command}: does not share its work among the {started()} processes of torchrun, start one")


def started() -> int:
    """How many processes there are; torch is not imported to know it."""
    return int(os.environ.get("WORLD_SIZE", 1))


@contextmanager
def first_alone_speaks() -> Iterator[None]:
    """Print what the first process says; the others come to the same end. A traceback of any is shown."""
    if started() == 1 or os.environ.get("RANK", "0") == "0":
        yield
        return
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield
