"""What a file says of its images, as factors: arrays by key in, class indices by name out."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from seatbelt_vae.data.arrays import Array, kind_of
from seatbelt_vae.data.dataset import MOST_CLASSES
from seatbelt_vae.errors import InputError

KINDS: Mapping[str, str] = {
    "latents_classes": "biu",
    "latent_names": "US",
    "identity": "iu",
    "labels": "biuf",
    "label_names": "US",
}
"""The keys that are read, and numpy's letters of the types that each may have."""

NAMES = {"latents_classes": "latent_names", "labels": "label_names"}

MOST_VALUES = 256
"""Labels that are floats are numbered by their order where a column has at most this many values."""


def factors_of(arrays: Mapping[str, Array], count: int, name: str) -> dict[str, Tensor]:
    """Collect the factors, class indices int64 (N,), by name.

    Args:
        arrays: ``latents_classes`` (N, F), ``identity`` (N,) and ``labels`` (N, A), and names of the columns; what is
            absent is left out. Identities and floats are numbered by their order; −1, CelebA's "no", becomes 0.
        count: N.
        name: what to call the file in a message.

    Raises:
        InputError: an array has another kind or length, or two factors have one name.

    Example:
        >>> factors_of({"identity": np.array([900, 7]), "labels": np.array([[1], [-1]])}, 2, "two")
        {'identity': tensor([1, 0]), 'labels_0': tensor([1, 0])}
    """
    check_arrays(arrays, count, name)
    factors: dict[str, Tensor] = {}
    for key in ("latents_classes", "identity", "labels"):
        if key not in arrays or key in factors:
            continue
        classes = _classes(arrays[key], key, name)
        titles = _titles(arrays, key, classes.shape[1])
        if len(titles) != classes.shape[1] or len(set(titles)) != len(titles):
            raise InputError(f"{name}: {key} has {classes.shape[1]} columns; its names must be as many, all different")
        if factors.keys() & set(titles):
            raise InputError(f"{name}: {key} has a name that another factor has; all names must differ")
        factors |= zip(titles, classes.unbind(1), strict=True)
    return factors


def check_arrays(arrays: Mapping[str, Array], count: int, name: str) -> None:
    """Refuse an array that does not hold what its key promises."""
    for key, kinds in KINDS.items():
        if key not in arrays:
            continue
        array = arrays[key]
        wanted = "names, saved as np.array([...], dtype=str)"
        fits = array.dtype.kind in kinds
        if kinds != "US":
            wanted = f"integers, one row for each of {count} images"
            fits = fits and array.ndim in (1, 2) and len(array) == count
        if not fits:
            raise InputError(f"{name}: {key} is {kind_of(array)}; it must hold {wanted}")


def _classes(array: Array, key: str, name: str) -> Tensor:
    """Class indices, int64 (N, F)."""
    table = array.reshape(len(array), -1)
    if key == "identity":
        table = _ranks(table)
    elif table.dtype.kind == "f":
        table = _few_values(table, key, name)
    elif key == "labels" and table.dtype.kind == "i":
        table = np.where(table == -1, 0, table)
    if table.size and table.min() < 0:
        raise InputError(f"{name}: {key} holds {table.min()}; class indices start at 0")
    if table.size and table.max() >= MOST_CLASSES:
        raise InputError(f"{name}: {key} holds {table.max()}; class indices must be below 2^31")
    return torch.from_numpy(table.astype(np.int64))


def _ranks(table: Array) -> Array:
    """Number the values of each column by their order."""
    ranks = np.empty(table.shape, dtype=np.int64)
    for column in range(table.shape[1]):
        ranks[:, column] = np.unique(table[:, column], return_inverse=True)[1]
    return ranks


def _few_values(table: Array, key: str, name: str) -> Array:
    ranks = _ranks(table)
    bad = ~np.isfinite(table).all(0) | (ranks.max(0) >= MOST_VALUES)
    if bad.any():
        column = int(bad.argmax())
        wanted = f"integers, or finite floats of at most {MOST_VALUES} values"
        raise InputError(f"{name}: {key} is {kind_of(table)}, column {column}; it must hold {wanted}")
    return ranks


def _titles(arrays: Mapping[str, Array], key: str, columns: int) -> list[str]:
    if key == "identity":
        return [key]
    names = arrays.get(NAMES[key])
    if names is None:
        return [f"{key}_{i}" for i in range(columns)]
    if names.dtype.kind == "S":
        names = np.char.decode(names, "utf-8", "replace")
    return [str(each) for each in names.ravel()]
