"""Files that are either whole or absent: JSON and safetensors, written atomically, read without unpickling."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from seatbelt_vae.errors import InputError, RunError


def write_bytes(path: str | Path, content: bytes) -> Path:
    """Write a file through a temporary neighbour and a rename, so that a crash leaves the old file or the new.

    Args:
        path: where to write; missing parent folders are made.
        content: the whole file.

    Returns:
        The path.

    Raises:
        RunError: the file cannot be written (no space, no permission); what was there before is untouched.

    Example:
        >>> import tempfile
        >>> write_bytes(Path(tempfile.mkdtemp()) / "a" / "b.txt", b"whole").read_text()
        'whole'
    """
    path = Path(path)
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
        raise RunError(f"{path}: could not be written ({error.strerror or error})") from error
    return path


def remove_temporaries(folder: str | Path, pattern: str = "*") -> None:
    """Delete what writes that were killed half-way have left behind; nobody may be writing such files meanwhile.

    Args:
        folder: where to look, and in the folders in it.
        pattern: names of the files that were being written.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> for name in ("a.json", ".a.json.x1y2z3", ".lock"):
        ...     (folder / name).touch()
        >>> remove_temporaries(folder)
        >>> sorted(path.name for path in folder.iterdir())
        ['.lock', 'a.json']
    """
    for path in Path(folder).rglob(f".{pattern}.*"):
        path.unlink(missing_ok=True)


def write_json(path: str | Path, value: Any) -> Path:
    """Write a value as indented JSON, atomically; NaN and infinities are refused, as JSON has none.

    Example:
        >>> import tempfile
        >>> read_json(write_json(Path(tempfile.mkdtemp()) / "x.json", {"elbo": -1.5}))
        {'elbo': -1.5}
    """
    return write_bytes(path, (json.dumps(value, indent=2, allow_nan=False) + "\n").encode())


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Raises:
        InputError: the file is missing, unreadable or not JSON.
    """
    path = Path(path)
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        raise InputError(f"{path}: is not valid JSON ({error})") from error


def write_tensors(path: str | Path, tensors: Mapping[str, Tensor]) -> Path:
    """Write named tensors as safetensors, atomically; bit-exact on reading back.

    Example:
        >>> import tempfile, torch
        >>> path = write_tensors(Path(tempfile.mkdtemp()) / "x.safetensors", {"a": torch.arange(3)})
        >>> read_tensors(path)["a"]
        tensor([0, 1, 2])
    """
    import safetensors.torch

    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    return write_bytes(path, safetensors.torch.save(plain))


def read_tensors(path: str | Path) -> dict[str, Tensor]:
    """Read a safetensors file.

    Raises:
        InputError: the file is missing or corrupt.
    """
    import safetensors.torch

    path = Path(path)
    try:
        return safetensors.torch.load(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    except Exception as error:  # safetensors raises its own untyped errors
        raise InputError(f"{path}: is not a valid safetensors file ({error})") from error
