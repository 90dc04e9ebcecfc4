"""Images in a file that is mapped into memory: read when asked for, by as many processes as like, from one copy."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from seatbelt_vae.data.reading import reading
from seatbelt_vae.data.source import ImageSource
from seatbelt_vae.errors import InputError


class Mapped(ImageSource):
    """Images of an ``.npy`` file.

    Args:
        path: the file: uint8, (N, C, H, W).
        digest: what it is known by; it is not computed, so that opening reads no image.

    Raises:
        InputError: the file is missing, cut short, or holds something else.
    """

    held = "mapped"

    def __init__(self, path: Path, digest: str) -> None:
        with reading(path, ".npy"):
            images = np.load(path, mmap_mode="r", allow_pickle=False)
        if images.dtype != np.uint8 or images.ndim != 4:
            raise InputError(f"{path}: holds {images.dtype} {images.shape}, not uint8 (N, C, H, W)")
        self._images = images
        self.shape = images.shape
        self.digest = digest

    def read(self, indices: Tensor) -> Tensor:
        """Copy the images at `indices` out of the file: uint8, (B, C, H, W)."""
        return torch.from_numpy(self._images[indices.numpy()])
