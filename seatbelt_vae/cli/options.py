"""Options that several commands share."""

from typing import Annotated

from cyclopts import Parameter

Json = Annotated[bool, Parameter(name="--json")]
"""One JSON document on stdout and nothing else there."""


def numbers(text: str, option: str) -> list[float]:
    """Read numbers separated by commas.

    Raises:
        InputError: one of them is no number.

    Example:
        >>> numbers("0,1,2.5", "--lambdas")
        [0.0, 1.0, 2.5]
    """
    from seatbelt_vae.errors import InputError

    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise InputError(f"{option}: {text!r} is not a list of numbers, write them as 0,1,2.5") from error
