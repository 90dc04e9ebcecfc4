"""TOML files, which are UTF-8 whatever the locale."""

import tomllib
from pathlib import Path
from typing import Any

from seatbelt_vae.errors import InputError


def read_toml(path: str | Path) -> dict[str, Any]:
    """Read a file, with or without a byte order mark.

    Raises:
        InputError: it is missing, or it is not TOML.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
    return parse_toml(text, str(path))


def parse_toml(text: str, source: str) -> dict[str, Any]:
    """Parse a document.

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
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{source}: is not valid TOML ({error})") from error
