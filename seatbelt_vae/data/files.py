"""Images in an ``.npz`` file: any common layout in, uint8 (N, C, H, H) out, and one clear line when it cannot be."""

import hashlib
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from seatbelt_vae.data.dataset import ImageDataset
from seatbelt_vae.errors import InputError

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

_DAMAGE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, LookupError, RuntimeError, MemoryError)

IDENTITIES = ("identity", "model", "person", "subject", "object")
"""Factors that name who or what an image shows: the first of them that a file has is held out by splits."""


def checksum(path: Path) -> str:
    """Give a file's sha256, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_checksum(path: Path, expected: str | None) -> None:
    """Refuse a file whose sha256 is not the expected one; None accepts any.

    Raises:
        InputError: the checksums differ.
    """
    if expected is not None and (actual := checksum(path)) != expected.lower():
        raise InputError(f"{path}: its sha256 is {actual}, not {expected}; get the file again")


def load_npz(path: Path, sha256: str | None = None) -> ImageDataset:
    """Read images, and the factors known of them, from an ``.npz`` file. Nothing is unpickled.

    ``images`` holds uint8, bool, or floats in [0, 1] (kept to 1/255), in shape (N, H, H), (N, H, H, 1 or 3) or
    (N, 1 or 3, H, H). uint8 that never exceeds 1 is taken as black and white. Factors come from
    ``latents_classes`` (N, F) with ``latent_names``, from ``identity`` (N,) and from ``labels`` (N, A) with
    ``label_names``, each where present.

    Args:
        path: the file.
        sha256: what its checksum must be.

    Returns:
        The data set, held in memory; its splits hold out the first factor that is one of `IDENTITIES`.

    Raises:
        InputError: the file is missing, damaged, or holds something else.
    """
    arrays = read_arrays(path, ("images", "latents_classes", "latent_names", "identity", "labels", "label_names"))
    check_checksum(path, sha256)
    if "images" not in arrays:
        raise InputError(f"{path}: has no key 'images'; its keys: {', '.join(_keys(path)) or 'none'}")
    images = images_from_array(arrays["images"], str(path))
    columns = _factors(arrays, len(images), str(path))
    return ImageDataset(
        images,
        factors=torch.stack(list(columns.values()), dim=1) if columns else None,
        factor_names=tuple(columns),
        name=path.stem,
        hold_out=next((name for name in IDENTITIES if name in columns), None),
    )


def read_arrays(path: Path, wanted: Sequence[str]) -> dict[str, Array]:
    """Read those of the wanted arrays that an ``.npz`` file holds; others are not touched.

    Raises:
        InputError: the file is missing, is no ``.npz``, or is damaged.
    """
    try:
        file = np.load(path, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise InputError(f"{path}: is a single array (.npy); an .npz with the key 'images' is needed")
        with file:
            return {key: file[key] for key in wanted if key in file.files}
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except InputError:
        raise
    except _DAMAGE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: cannot be read as .npz: damaged, cut short or not one ({reason})") from error


def _keys(path: Path) -> list[str]:
    with np.load(path, allow_pickle=False) as file:
        return list(file.files)


def images_from_array(array: Array, name: str) -> Tensor:
    """Bring images of any accepted type and layout to uint8, (N, C, H, H).

    Args:
        array: uint8, bool or float in [0, 1]; (N, H, H), (N, H, H, 1 or 3) or (N, 1 or 3, H, H).
        name: what to call it in a message.

    Raises:
        InputError: another type, shape or range, or NaN.

    Example:
        >>> images_from_array(np.ones((2, 8, 8, 3)), "white").shape
        torch.Size([2, 3, 8, 8])
    """
    array = _channels_first(array, name)
    if array.dtype == np.bool_:
        return torch.from_numpy(array.astype(np.uint8) * np.uint8(255))
    if array.dtype == np.uint8:
        binary = array.max() <= 1
        return torch.from_numpy(array * np.uint8(255) if binary else np.ascontiguousarray(array))
    if not np.issubdtype(array.dtype, np.floating):
        raise InputError(f"{name}: images are {array.dtype}; they must be uint8, bool, or floats in [0, 1]")
    _check_range(array, name)
    return torch.from_numpy(np.rint(array.astype(np.float32) * 255).astype(np.uint8))


def _channels_first(array: Array, name: str) -> Array:
    shape = array.shape
    if 0 in shape:
        raise InputError(f"{name}: holds no image (shape {shape})")
    if array.ndim == 3:
        array = array[:, None]
    elif array.ndim == 4 and shape[3] in (1, 3) and shape[1] == shape[2]:
        array = np.moveaxis(array, 3, 1)
    if array.ndim != 4 or array.shape[1] not in (1, 3):
        raise InputError(
            f"{name}: images have shape {shape}; it must be (N, H, H), (N, H, H, 1 or 3) or (N, 1 or 3, H, H)"
        )
    if array.shape[2] != array.shape[3]:
        raise InputError(f"{name}: images are {array.shape[2]}×{array.shape[3]} pixels; they must be square")
    return array


def _check_range(array: Array, name: str) -> None:
    bad = ~np.isfinite(array).all(axis=(1, 2, 3))
    if bad.any():
        raise InputError(f"{name}: {bad.sum()} images hold NaN or infinity, the first is image {bad.argmax()}")
    low, high = float(array.min()), float(array.max())
    if low < 0 or high > 1:
        raise InputError(f"{name}: float images range from {low:g} to {high:g}; they must lie in [0, 1]")


def _factors(arrays: dict[str, Array], count: int, name: str) -> dict[str, Tensor]:
    """Collect the factors' class indices by name, each int64 (N,)."""
    columns: dict[str, Tensor] = {}
    if "latents_classes" in arrays:
        columns |= _columns(arrays["latents_classes"], arrays.get("latent_names"), "latents_classes", count, name)
    if "identity" in arrays and "identity" not in columns:
        # Identities are arbitrary numbers: make them class indices.
        found = _columns(arrays["identity"], np.array(["identity"]), "identity", count, name)
        columns["identity"] = found["identity"].unique(return_inverse=True)[1]
    if "labels" in arrays:
        labels = np.where(arrays["labels"] == -1, 0, arrays["labels"])  # CelebA says −1 for "no"
        columns |= _columns(labels, arrays.get("label_names"), "labels", count, name)
    return columns


def _columns(classes: Array, names: Array | None, key: str, count: int, name: str) -> dict[str, Tensor]:
    if classes.ndim == 1:
        classes = classes[:, None]
    if classes.ndim != 2 or len(classes) != count or not np.issubdtype(classes.dtype, np.integer):
        raise InputError(
            f"{name}: {key} is {classes.dtype} {classes.shape}; it must hold integers, one row for each of "
            f"{count} images"
        )
    if classes.size and classes.min() < 0:
        raise InputError(f"{name}: {key} holds {classes.min()}; class indices start at 0")
    titles = [f"{key}_{i}" for i in range(classes.shape[1])] if names is None else [str(n) for n in names.ravel()]
    if len(titles) != classes.shape[1] or len(set(titles)) != len(titles):
        raise InputError(f"{name}: {key} has {classes.shape[1]} columns; its names must be as many, all different")
    return dict(zip(titles, torch.from_numpy(classes.astype(np.int64)).unbind(1), strict=True))
