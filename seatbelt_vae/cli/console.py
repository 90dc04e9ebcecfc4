"""What goes to stdout: one JSON document, or lines for people."""

import contextlib
import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


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
    print(json.dumps(_finite(value), indent=2, allow_nan=False) if as_json else "\n".join(lines))


def note(line: str) -> None:
    """Say something by the way, on stderr; work goes on where nobody reads that."""
    with contextlib.suppress(BrokenPipeError):
        print(line, file=sys.stderr, flush=True)


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
    return None if isinstance(value, float) and not math.isfinite(value) else value
