"""The door for bytes from outside: whatever a parser raises over them becomes one line."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seatbelt_vae.errors import InputError

BOMB_BYTES = 2**30
BOMB_RATIO = 200
"""What unpacks to more than `BOMB_BYTES` and to `BOMB_RATIO` times its size is refused. dSprites has a ratio of 115."""

_LONGEST = 200


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Turn every error of a parser into one that names the file.

    Args:
        path: what is read.
        kind: what it should be, such as "an image".

    Raises:
        InputError: the block raised an exception of any kind.

    Example:
        >>> with reading(Path("a.json"), "JSON"):
        ...     raise RecursionError("too deep")
        Traceback (most recent call last):
        seatbelt_vae.errors.InputError: a.json: cannot be read as JSON: damaged or cut short (too deep)
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a parser warns of is not for users
            yield
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{one_line(path)}: no such file") from error
    except PermissionError as error:
        place = error.filename or path
        raise InputError(f"{one_line(place)}: cannot be read (permission denied)") from error
    except MemoryError as error:
        raise InputError(f"{one_line(path)}: does not fit in memory; use fewer or smaller images") from error
    except Exception as error:  # parsers raise what they like over damaged bytes
        first = str(error).partition("\n")[0]
        reason = one_line(first) or type(error).__name__
        raise InputError(f"{one_line(path)}: cannot be read as {kind}: damaged or cut short ({reason})") from error


def one_line(value: object) -> str:
    """Give a value for a message: one line, printable; what is longer than 200 characters loses its middle.

    Example:
        >>> one_line(chr(27) + "[31mred" + chr(10) + "line")
        '?[31mred line'
    """
    try:
        text = " ".join(str(value).split())
    except ValueError:  # Python prints no integer of more than 4300 digits
        return "a number of thousands of digits"
    shown = "".join(c if c.isprintable() else "?" for c in text)
    if len(shown) <= _LONGEST:
        return shown
    half = _LONGEST // 2
    return f"{shown[:half]}…{shown[-half:]}"


def as_path(value: Any) -> Path:
    """Turn what a user gave into a path that is there."""
    try:
        path = Path(value).expanduser()
    except (TypeError, RuntimeError) as error:  # no path, or nobody's home
        raise InputError(f"{one_line(value)}: is not a path ({one_line(error)})") from error
    if not os.path.exists(path):  # unlike Path.exists, it takes names that are too long
        raise InputError(f"{one_line(path)}: no such file or folder")
    return path


def refuse_bomb(path: Path, name: str, size: int, packed: int) -> None:
    """Refuse what unpacks to a size that no images have."""
    if size > max(BOMB_BYTES, BOMB_RATIO * packed):
        raise InputError(
            f"{path}: {one_line(name)} unpacks from {packed} to {size} bytes: this is a decompression bomb"
        )
