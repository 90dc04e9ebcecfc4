"""TOML files, which are UTF-8 whatever the locale."""

import tomllib
from pathlib import Path
from typing import Any

from seatbelt_vae.errors import InputError
from seatbelt_vae.manifest import read_plain


def read_toml(path: str | Path) -> dict[str, Any]:
    """Read a file, with or without a byte order mark.

    Raises:
        InputError: it is missing, or it is not TOML.
    """
    try:
        return tomllib.loads(read_plain(path).decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{path}: is not valid TOML ({error})") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
