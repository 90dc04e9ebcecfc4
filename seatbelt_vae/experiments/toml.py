"""Flat TOML, written exactly: Python reads TOML but writes none."""

import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seatbelt_vae.errors import InputError


def read_text(path: str | Path) -> str:
    """Read a file of text.

    Raises:
        InputError: it is missing, or no text.
    """
    try:
        return Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error


def parse_toml(text: str, source: str) -> dict[str, Any]:
    """Parse TOML.

    Args:
        text: the document.
        source: where it comes from, put before the message if it is wrong.

    Raises:
        InputError: it is not TOML.

    Example:
        >>> parse_toml("beta = [1, 4]", "spec")
        {'beta': [1, 4]}
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{source}: is not valid TOML ({error})") from error


def dump_toml(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Write tables of strings, numbers, booleans and lists of them; None is left out, for TOML has none.

    Args:
        tables: ``{"table": {"key": value}}``; names are bare keys.

    Returns:
        A TOML document that `tomllib` reads back to the same values.

    Raises:
        TypeError: a value is of another kind.

    Example:
        >>> print(dump_toml({"model": {"name": "seatbelt", "latent_sizes": (96, 48)}}))
        [model]
        name = "seatbelt"
        latent_sizes = [96, 48]
        <BLANKLINE>
    """
    return "\n".join(f"[{name}]\n{_lines(table)}" for name, table in tables.items())


def _lines(table: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {_value(value)}\n" for key, value in table.items() if value is not None)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    if isinstance(value, Sequence):
        return f"[{', '.join(map(_value, value))}]"
    raise TypeError(f"{type(value).__name__} has no place in this TOML")
