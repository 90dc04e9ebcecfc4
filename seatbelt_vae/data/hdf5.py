"""Images in an HDF5 file, read as they are asked for; 3D Shapes is published so.

References:
    Burgess and Kim 2018, 3D Shapes dataset, https://github.com/google-deepmind/3d-shapes.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seatbelt_vae.data.checksums import checksum
from seatbelt_vae.data.dataset import ImageDataset, labelled
from seatbelt_vae.data.labels import factors_of
from seatbelt_vae.data.reading import one_line, reading, refuse_bomb
from seatbelt_vae.data.source import ImageSource, digest_of
from seatbelt_vae.errors import InputError, missing

SUFFIXES = (".h5", ".hdf5")
SHAPES3D = ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")


class HDF5Images(ImageSource):
    """The data set ``images`` of an HDF5 file.

    Args:
        path: the file: uint8, (N, H, W, 1 or 3).

    Raises:
        InputError: the file holds something else.
    """

    def __init__(self, path: Path) -> None:
        with reading(path, "HDF5"), _open(path) as file:
            images = _stored(path, file, "images")
            shape, dtype = images.shape, images.dtype
        if dtype != np.uint8 or len(shape) != 4 or shape[3] not in (1, 3):
            raise InputError(f"{path}: images are {dtype} {shape}; they must be uint8 (N, H, W, 1 or 3)")
        count, height, width, channels = shape
        self.path = path
        self.shape = (count, channels, height, width)
        self.digest = digest_of("hdf5", checksum(path))

    def read(self, indices: Tensor) -> Tensor:
        """Read the images at `indices`: uint8, (B, C, H, W)."""
        rows, place = indices.unique(return_inverse=True)  # HDF5 wants them sorted
        with reading(self.path, "HDF5"), _open(self.path) as file:
            images = torch.from_numpy(file["images"][rows.numpy()])
        return images[place].movedim(3, 1).contiguous()


def load_hdf5(path: Path) -> ImageDataset:
    """Read ``images`` on demand, and ``labels`` (N, F), floats or integers, as factors."""
    images = HDF5Images(path)
    arrays = {}
    with reading(path, "HDF5"), _open(path) as file:
        if "labels" in file:
            labels = _stored(path, file, "labels")[()]
            arrays["labels"] = labels
            if labels.dtype.kind == "f" and labels.shape[1:] == (6,):
                arrays["label_names"] = np.array(SHAPES3D)
    factors = factors_of(arrays, len(images), str(path))
    return labelled(images, factors, path.stem)


def _open(path: Path) -> Any:
    try:
        import h5py
    except ImportError as error:
        raise missing(str(path), "h5py", "hdf5") from error
    return h5py.File(path, "r")


def _stored(path: Path, file: Any, key: str) -> Any:
    """Find a data set that lies in the file itself: a link, or data kept elsewhere, would read other files."""
    import h5py

    if key not in file:
        keys = one_line(", ".join(file)) or "none"
        raise InputError(f"{path}: has no key {key!r}; its keys: {keys}")
    linked = not isinstance(file.get(key, getlink=True), h5py.HardLink)
    if linked or not isinstance(file[key], h5py.Dataset) or file[key].external or file[key].is_virtual:
        raise InputError(f"{path}: {key} is not an array in this file")
    found = file[key]
    refuse_bomb(path, key, found.nbytes, found.id.get_storage_size())
    return found
