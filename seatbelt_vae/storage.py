"""Files that are either whole or absent: JSON and safetensors, written atomically, read without unpickling.

In a folder that has a manifest every file is noted in it, and checked against it: see `seatbelt_vae.manifest`.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from seatbelt_vae.errors import InputError, RunError
from seatbelt_vae.manifest import ABSENT, KINDS, Content, Manifest, noted, read_checked


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
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        with noted(path, Content.of(content)):
            os.replace(temporary, path)
    except OSError as error:
        raise RunError(f"{path}: could not be written ({error.strerror or error})") from error
    finally:  # Ctrl-C leaves nothing behind, either
        if os.path.exists(temporary):
            os.unlink(temporary)
    return path


def remove(path: str | Path) -> None:
    """Delete a file, if it is there.

    Raises:
        RunError: it cannot be deleted.

    Example:
        >>> import tempfile
        >>> remove(Path(tempfile.mkdtemp()) / "never.json")
    """
    path = Path(path)
    if not os.path.lexists(path):
        return
    try:
        with noted(path, ABSENT):
            path.unlink(missing_ok=True)
    except OSError as error:
        raise RunError(f"{path}: could not be deleted ({error.strerror or error})") from error


def remove_temporaries(folder: str | Path, *patterns: str) -> None:
    """Delete what writes that were killed half-way have left behind; nobody may be writing such files meanwhile.

    Args:
        folder: where to look, and in the folders in it.
        patterns: names of the files that were being written; by default all that a run has.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> for name in ("a.json", ".a.json.x1y2z3", ".lock.owner"):
        ...     (folder / name).touch()
        >>> remove_temporaries(folder)
        >>> sorted(path.name for path in folder.iterdir())
        ['.lock.owner', 'a.json']
    """
    for pattern in patterns or [f"*{kind}" for kind in KINDS]:
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


def begin(folder: str | Path) -> None:
    """Make a folder with a manifest, or take up the one that is there; what is in it is noted as it is.

    Raises:
        RunError: it cannot be written.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        Manifest.start(folder)
    except OSError as error:
        raise RunError(f"{folder}: could not be written ({error.strerror or error})") from error


def unnamed(folder: str | Path) -> list[Path]:
    """The files of a folder that no manifest names; hidden ones are left out.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "spec.json").write_text("{}")
        >>> [path.name for path in unnamed(folder)], adopt(folder), unnamed(folder)
        (['spec.json'], None, [])
    """
    manifest = Manifest(Path(os.path.abspath(folder)))
    known = manifest.notes()
    return [path for path in manifest.files() if manifest.name(path) not in known]


def adopt(folder: str | Path) -> None:
    """Note the files of a folder that no manifest names, as they are.

    Raises:
        RunError: one cannot be read, or the manifest cannot be written.
    """
    begin(folder)
    for path in unnamed(folder):
        settle(path)


def settle(path: str | Path) -> None:
    """Note what a file holds by now; nothing where there is no manifest.

    Raises:
        RunError: the file or the manifest is gone, or cannot be written.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            os.fsync(file.fileno())
            content = Content.of(file.read())
        if (manifest := Manifest.over(path)) is not None:
            manifest.note(path, content)
    except OSError as error:
        raise RunError(f"{path}: could not be noted ({error.strerror or error})") from error


def digest_of(path: str | Path) -> str | None:
    """The SHA-256 of a file: what its manifest says, without reading it, or of its bytes. None where it is missing.

    Raises:
        InputError: it cannot be read, or its manifest does not name it.
    """
    manifest = Manifest.over(path)
    if manifest is not None:
        notes = manifest.of(path)
        if notes.last.sha256 is not None and not notes.begun:
            return notes.last.sha256
    if not os.path.exists(path):
        return None
    return Content.of(read_bytes(path)).sha256


def read_bytes(path: str | Path, grows: bool = False) -> bytes:
    """Read a file.

    Args:
        path: the file.
        grows: whether it is one to which lines are added.

    Raises:
        InputError: the file is missing, unreadable, or not what was written.
    """
    try:
        return read_checked(path, grows)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Raises:
        InputError: the file is missing, unreadable, not what was written, or not JSON.
    """
    content = read_bytes(path)
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
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
        InputError: the file is missing, corrupt, or not what was written.
    """
    import safetensors.torch

    content = read_bytes(path)
    try:
        return safetensors.torch.load(content)
    except Exception as error:  # safetensors raises its own untyped errors
        raise InputError(f"{path}: is not a valid safetensors file ({error})") from error
