"""Flat TOML, written exactly: Python reads TOML but writes none."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any


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
