"""What goes to stdout, one JSON document or lines for people; and to stderr, whatever is said by the way."""

import io
import json
import math
import os
import sys
import unicodedata
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from seatbelt_vae.progress import Heedless

LONGEST = 800
"""Characters of a message: nobody reads a value of a thousand of them."""


def show(value: Any, as_json: bool, lines: Iterable[str]) -> None:
    """Print a result.

    Args:
        value: for programs: one JSON document; numbers that JSON has not become null.
        as_json: print that.
        lines: for people.

    Example:
        >>> show({"elbo": -1.5}, as_json=False, lines=["ELBO -1.5 nats"])
        ELBO -1.5 nats
    """
    if as_json:
        print(json.dumps(_finite(value), indent=2, allow_nan=False))
    else:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")  # a terminal of few letters has no λ
        print("\n".join(map(printable, lines)))


def note(line: str) -> None:
    """Say something by the way, on stderr; work goes on where nobody reads that."""
    stderr = Heedless(sys.stderr)
    stderr.write(f"{printable(line)}\n")
    stderr.flush()


def printable(text: str) -> str:
    """A line without what a terminal obeys: names of files may hold anything.

    Example:
        >>> printable("run" + chr(27) + "[2J λ")
        'run?[2J λ'
    """
    return "".join("?" if unicodedata.category(letter).startswith("C") else letter for letter in text)


def say(message: object, code: int) -> int:
    """Say in one line on stderr why the command ends with a code that is not 0."""
    line = " ".join(str(message).split())
    if len(line) > LONGEST:
        line = f"{line[: LONGEST // 2]} … {line[-LONGEST // 2 :]}"
    note(f"seatbelt: {line}")
    return code


@contextmanager
def warnings_in_a_line() -> Iterator[None]:
    """Show our own warnings in one line; those of other libraries are for developers."""

    def show_warning(message: Warning | str, category: type[Warning], *place: Any) -> None:
        if category.__module__.startswith("seatbelt_vae"):
            note(f"seatbelt: warning: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.showwarning = show_warning  # type: ignore[assignment]
        yield


def flush() -> None:
    """Write what is left for stdout, if there is one."""
    if sys.stdout is not None:
        sys.stdout.flush()


def close_output() -> None:
    """Write nothing more to stdout; not even Python's flush at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Align rows of words in columns.

    Example:
        >>> columns([("a", "1"), ("long", "2")])
        ['a     1', 'long  2']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def number(value: Any) -> str:
    """Write a value for people: numbers with five digits, lists in brackets.

    Example:
        >>> number([1 / 3, 2]), number("all"), number({"low": 0.5})
        ('[0.33333, 2]', 'all', 'low 0.5')
    """
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {number(entry)}" for key, entry in value.items())
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(number, value))}]"
    return str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
