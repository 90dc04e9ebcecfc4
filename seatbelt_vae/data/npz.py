"""Images in an ``.npz`` file: any common layout in, uint8 (N, C, H, H) out, and one clear line when it cannot be."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from seatbelt_vae.data.arrays import Array, kind_of, npz_keys, read_arrays
from seatbelt_vae.data.dataset import MOST_CLASSES, ImageDataset, labelled
from seatbelt_vae.data.reading import one_line
from seatbelt_vae.data.sprites import FACTOR_NAMES, FACTOR_SIZES
from seatbelt_vae.errors import InputError

KEYS = ("images", "latents_classes", "latent_names", "identity", "labels", "label_names")

IDENTITIES = ("identity", "model", "person", "subject", "object")
"""Factors that name who or what an image shows: the first of them that a file has is held out by splits."""

MOST_VALUES = 256
"""Labels that are floats are numbered by their order where a column has at most this many values."""

_SLACK = 1e-6  # what resizing leaves above 1


def load_npz(path: Path) -> ImageDataset:
    """Read images, and the factors known of them, from an ``.npz`` file. Nothing is unpickled.

    ``images`` holds uint8, bool, or floats in [0, 1] (kept to 1/255), in shape (N, H, H), (N, H, H, 1 or 3) or
    (N, 1 or 3, H, H). uint8 that never exceeds 1 is taken as black and white. Factors come from
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
    arrays = read_arrays(path, KEYS)
    images = images_from_array(arrays["images"], str(path))
    columns = _columns(arrays, len(images), str(path))
    return labelled(images, columns, path.stem, hold_out=identity_of(columns))


def identity_of(columns: Mapping[str, Tensor]) -> str | None:
    """Name the factor that says who or what an image shows."""
    for name in IDENTITIES:
        if name in columns:
            return name
    return None


def _load_dsprites(path: Path) -> ImageDataset:
    arrays = read_arrays(path, ("imgs", "latents_classes"))
    images = images_from_array(arrays["imgs"], str(path))
    return ImageDataset(
        images,
        factors=dsprites_factors(path, arrays, len(images)),
        factor_names=FACTOR_NAMES,
        factor_sizes=FACTOR_SIZES,
        name="dsprites",
    )


def dsprites_factors(path: Path, arrays: Mapping[str, Array], count: int) -> Tensor:
    """Take the factors of dSprites from its ``latents_classes``; colour has one value and is left out.

    Raises:
        InputError: they have another shape or type.
    """
    classes = arrays.get("latents_classes")
    if classes is None or classes.shape != (count, 1 + len(FACTOR_NAMES)):
        raise InputError(f"{path}: latents_classes must have shape ({count}, 6), as in the published dSprites")
    return class_indices(classes, "latents_classes", str(path))[:, 1:].contiguous()


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
    elif array.ndim == 4 and shape[3] in (1, 3) and shape[1] == shape[2]:
        array = np.moveaxis(array, 3, 1)
    if array.ndim != 4 or array.shape[1] not in (1, 3):
        wanted = "(N, H, H), (N, H, H, 1 or 3) or (N, 1 or 3, H, H)"
        raise InputError(f"{name}: images have shape {shape}; it must be {wanted}")
    height, width = array.shape[2:]
    if height != width:
        raise InputError(f"{name}: images are {height}×{width} pixels; they must be square")
    return array


def _check_range(array: Array, name: str) -> None:
    bad = ~np.isfinite(array).all(axis=(1, 2, 3))
    if bad.any():
        raise InputError(f"{name}: {bad.sum()} images hold NaN or infinity, the first is image {bad.argmax()}")
    low, high = float(array.min()), float(array.max())
    slack = max(_SLACK, float(np.finfo(array.dtype).eps))
    if low < -slack or high > 1 + slack:
        raise InputError(f"{name}: float images range from {low:.8g} to {high:.8g}; they must lie in [0, 1]")


def _columns(arrays: Mapping[str, Array], count: int, name: str) -> dict[str, Tensor]:
    """Collect the factors' class indices by name, each int64 (N,)."""
    columns: dict[str, Tensor] = {}
    if "latents_classes" in arrays:
        names = arrays.get("latent_names")
        columns |= _titled(arrays["latents_classes"], names, "latents_classes", count, name)
    if "identity" in arrays and "identity" not in columns:
        columns["identity"] = _identities(arrays["identity"], count, name)
    if "labels" in arrays:
        found = factors_from_labels(arrays["labels"], arrays.get("label_names"), count, name)
        if columns.keys() & found.keys():
            raise InputError(f"{name}: labels has a name that another factor has; all names must differ")
        columns |= found
    return columns


def factors_from_labels(labels: Array, names: Array | None, count: int, name: str) -> dict[str, Tensor]:
    """Turn a table of labels into class indices by name, each int64 (N,).

    Args:
        labels: integers, or floats of few values, which are numbered by their order; (N,) or (N, A).
        names: A names.
        count: number of images.
        name: what to call it in a message.

    Raises:
        InputError: the labels hold something else, or do not fit the images or the names.

    Example:
        >>> factors_from_labels(np.array([[0.5], [-1.0]]), None, 2, "two")
        {'labels_0': tensor([1, 0])}
    """
    return _titled(_numbered(labels, name), names, "labels", count, name)


def _numbered(labels: Array, name: str) -> Array:
    """Turn −1, CelebA's "no", into 0, and floats into the places of their values in order."""
    if labels.dtype.kind == "i":
        return np.where(labels == -1, 0, labels)
    if labels.dtype.kind != "f" or labels.ndim != 2:
        return labels
    classes = np.empty(labels.shape, dtype=np.int64)
    for column, values in enumerate(labels.T):
        known, classes[:, column] = np.unique(values, return_inverse=True)
        if len(known) > MOST_VALUES or not np.isfinite(known).all():
            raise InputError(
                f"{name}: labels is {kind_of(labels)}, its column {column} has {len(known)} values; "
                f"it must hold integers, or floats of at most {MOST_VALUES} values"
            )
    return classes


def _titled(classes: Array, names: Array | None, key: str, count: int, name: str) -> dict[str, Tensor]:
    """Take a table of class indices apart by the names of its columns."""
    if classes.ndim == 1:
        classes = classes[:, None]
    if classes.ndim != 2 or len(classes) != count:
        raise InputError(
            f"{name}: {key} is {kind_of(classes)}; it must hold integers, one row for each of {count} images"
        )
    columns = class_indices(classes, key, name).unbind(1)
    titles = [f"{key}_{i}" for i in range(len(columns))]
    if names is not None:
        titles = _names(names, key, name)
    if len(titles) != len(columns) or len(set(titles)) != len(titles):
        raise InputError(f"{name}: {key} has {len(columns)} columns; its names must be as many, all different")
    return dict(zip(titles, columns, strict=True))


def _names(names: Array, key: str, name: str) -> list[str]:
    if names.dtype.kind not in "US":
        raise InputError(f"{name}: the names of {key} are {kind_of(names)}; save them as np.array([...], dtype=str)")
    if names.dtype.kind == "S":
        names = np.char.decode(names, "utf-8", "replace")
    return [str(each) for each in names.ravel()]


def class_indices(classes: Array, key: str, name: str) -> Tensor:
    """Check that an array holds class indices, and give them as int64.

    Raises:
        InputError: it holds something else, or numbers that no class has.
    """
    if classes.dtype.kind not in "biu":
        raise InputError(f"{name}: {key} is {kind_of(classes)}; it must hold integers, one row an image")
    if classes.size and int(classes.min()) < 0:
        raise InputError(f"{name}: {key} holds {classes.min()}; class indices start at 0")
    if classes.size and int(classes.max()) >= MOST_CLASSES:
        raise InputError(f"{name}: {key} holds {classes.max()}; class indices must be below 2^31")
    return torch.from_numpy(classes.astype(np.int64))


def _identities(identity: Array, count: int, name: str) -> Tensor:
    """Number people, who may have any numbers, by their order."""
    if identity.dtype.kind not in "iu" or identity.size != count or len(identity) != count:
        raise InputError(
            f"{name}: identity is {kind_of(identity)}; it must hold integers, one row for each of {count} images"
        )
    return torch.from_numpy(np.unique(identity.ravel(), return_inverse=True)[1])
