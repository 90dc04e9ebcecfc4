"""Images in a file that is mapped into memory: read when asked for, by as many processes as like, from one copy."""

import mmap
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from seatbelt_vae.data.arrays import Array
from seatbelt_vae.data.reading import reading
from seatbelt_vae.data.source import ImageSource
from seatbelt_vae.errors import InputError


class Mapped(ImageSource):
    """Images of an ``.npy`` file.

    Args:
        path: the file: uint8, (N, C, H, W).
        digest: what it is known by; it is not computed, so that opening reads no image.
        checksums: CRC-32 of each image, uint32 (N,); an image is checked when it is read.

    Raises:
        InputError: the file is missing, cut short, or holds something else.
    """

    held = "mapped"

    def __init__(self, path: Path, digest: str, checksums: Array) -> None:
        with reading(path, ".npy"):
            images = np.load(path, mmap_mode="r", allow_pickle=False)
        if images.dtype != np.uint8 or images.ndim != 4:
            raise InputError(f"{path}: holds {images.dtype} {images.shape}, not uint8 (N, C, H, W)")
        if len(checksums) != len(images):
            raise InputError(f"{path}: holds {len(images)} images, not {len(checksums)}")
        self._path = path
        self._images = images
        self._checksums = checksums
        self.shape = images.shape
        self.digest = digest

    def read(self, indices: Tensor) -> Tensor:
        """Copy the images at `indices` out of the file: uint8, (B, C, H, W).

        Raises:
            InputError: one of them is not what was written.
        """
        rows = indices.numpy()
        self._check_size()
        images = np.asarray(self._images[rows])
        for row, image in zip(rows.tolist(), images, strict=True):
            if zlib.crc32(image) != self._checksums[row]:
                raise InputError(f"{self._path}: image {row} is damaged; prepare the data again")
        return torch.from_numpy(images)

    def _check_size(self) -> None:
        """Refuse a file that was cut since it was opened: reading beyond its end kills the process."""
        mapped = self._images.base
        assert isinstance(mapped, mmap.mmap)
        if mapped.size() < self._images.offset + self._images.nbytes:
            raise InputError(f"{self._path}: was cut short meanwhile; prepare the data again")
