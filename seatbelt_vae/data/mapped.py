"""Images in a file that is mapped into memory: read when asked for, by as many processes as like, from one copy."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

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

    def __init__(self, path: Path, digest: str) -> None:
        try:
            self._images = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise InputError(f"{path}: cannot be read ({' '.join(str(error).split())})") from error
        if self._images.dtype != np.uint8 or self._images.ndim != 4:
            raise InputError(f"{path}: holds {self._images.dtype} {self._images.shape}, not uint8 (N, C, H, W)")
        self._digest = digest

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(N, C, H, W)."""
        count, channels, height, width = self._images.shape
        return count, channels, height, width

    @property
    def digest(self) -> str:
        """What the file is known by."""
        return self._digest

    def read(self, indices: Tensor) -> Tensor:
        """Copy the images at `indices` out of the file: uint8, (B, C, H, W)."""
        return torch.from_numpy(self._images[indices.numpy()])
