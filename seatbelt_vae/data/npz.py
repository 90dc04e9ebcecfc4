"""Images in an ``.npz`` file: any common layout in, uint8 (N, C, H, W) out, and one clear line when it cannot be."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from seatbelt_vae.data.arrays import Array, npz_keys, read_arrays
from seatbelt_vae.data.dataset import ImageDataset, labelled
from seatbelt_vae.data.labels import KINDS, check_arrays, factors_of
from seatbelt_vae.data.reading import one_line, reading
from seatbelt_vae.data.source import ImageSource
from seatbelt_vae.data.sprites import FACTOR_NAMES, FACTOR_SIZES
from seatbelt_vae.errors import InputError

IDENTITIES = ("identity", "model", "person", "subject", "object")
"""Factors that name who or what an image shows: the first of them that a file has is held out by splits."""

_SLACK = 1e-6  # what resizing leaves above 1


def load_npz(path: Path) -> ImageDataset:
    """Read images, and the factors known of them, from an ``.npz`` file. Nothing is unpickled.

    ``images`` holds uint8, bool, or floats in [0, 1] (kept to 1/255), in shape (N, H, W), (N, H, W, 1 or 3) or
    (N, 1 or 3, H, W). uint8 that never exceeds 1 is taken as black and white. Factors come from
    ``latents_classes`` (N, F) with ``latent_names``, from ``identity`` (N,) and from ``labels`` (N, A) with
    ``label_names``, each where present. ``imgs`` and ``latents_classes`` are dSprites as it is published.

    Args:
        path: the file.

    Returns:
        The data set, held in memory; its splits hold out the first factor that is one of `IDENTITIES`.

    Raises:
        InputError: the file is missing, damaged, or holds something else.
    """
    keys = npz_keys(path)
    if "images" not in keys and "imgs" in keys:
        return _load_dsprites(path)
    if "images" not in keys:
        raise InputError(f"{path}: has no key 'images'; its keys: {one_line(', '.join(keys)) or 'none'}")
    arrays = read_arrays(path, ("images", *KINDS))
    with reading(path, ".npz"):
        images = images_from_array(arrays["images"], str(path))
    factors = factors_of(arrays, len(images), str(path))
    hold_out = next((name for name in IDENTITIES if name in factors), None)
    return labelled(images, factors, path.stem, hold_out)


def _load_dsprites(path: Path) -> ImageDataset:
    arrays = read_arrays(path, ("imgs", "latents_classes"))
    return published_dsprites(path, images_from_array(arrays["imgs"], str(path)), arrays)


def published_dsprites(path: Path, images: Tensor | ImageSource, arrays: Mapping[str, Array]) -> ImageDataset:
    """Give dSprites its factors, from ``latents_classes``; colour has one value and is left out."""
    count = len(images)
    classes = arrays.get("latents_classes")
    if classes is None or classes.shape != (count, 1 + len(FACTOR_NAMES)):
        raise InputError(f"{path}: latents_classes must have shape ({count}, 6), as in the published dSprites")
    check_arrays(arrays, count, str(path))
    return ImageDataset(
        images,
        factors=torch.from_numpy(classes[:, 1:].astype(np.int64)),
        factor_names=FACTOR_NAMES,
        factor_sizes=FACTOR_SIZES,
        name="dsprites",
    )


def images_from_array(array: Array, name: str) -> Tensor:
    """Bring images of any accepted type and layout to uint8, (N, C, H, W).

    Args:
        array: uint8, bool or float in [0, 1]; (N, H, W), (N, H, W, 1 or 3) or (N, 1 or 3, H, W).
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
        if array.max() <= 1:
            array = array * np.uint8(255)
        return torch.from_numpy(np.ascontiguousarray(array))
    if array.dtype.kind != "f":
        dtype = one_line(array.dtype)
        raise InputError(f"{name}: images are {dtype}; they must be uint8, bool, or floats in [0, 1]")
    _check_range(array, name)
    pixels = np.rint(array.astype(np.float32) * 255)
    return torch.from_numpy(pixels.clip(0, 255).astype(np.uint8))


def _channels_first(array: Array, name: str) -> Array:
    shape = array.shape
    if 0 in shape:
        raise InputError(f"{name}: holds no image (shape {shape})")
    if array.ndim == 3:
        array = array[:, None]
    elif array.ndim == 4 and shape[3] in (1, 3) and (shape[1] == shape[2] or shape[1] not in (1, 3)):
        array = np.moveaxis(array, 3, 1)
    if array.ndim != 4 or array.shape[1] not in (1, 3):
        wanted = "(N, H, W), (N, H, W, 1 or 3) or (N, 1 or 3, H, W)"
        raise InputError(f"{name}: images have shape {shape}; it must be {wanted}")
    return array


def _check_range(array: Array, name: str) -> None:
    bad = ~np.isfinite(array).all(axis=(1, 2, 3))
    if bad.any():
        raise InputError(f"{name}: {bad.sum()} images hold NaN or infinity, the first is image {bad.argmax()}")
    low, high = float(array.min()), float(array.max())
    slack = max(_SLACK, float(np.finfo(array.dtype).eps))
    if low < -slack or high > 1 + slack:
        raise InputError(f"{name}: float images range from {low:.8g} to {high:.8g}; they must lie in [0, 1]")
