"""Smaller, larger and grey images: uint8 in, uint8 out, filtered so that nothing aliases."""

import torch
from torch import Tensor
from torch.nn import functional

from seatbelt_vae.data.source import ImageSource, digest_of

_CHUNK = 512  # images held as floats at a time


def resize(images: Tensor, size: int) -> Tensor:
    """Resize square images, by the mean over blocks where the size divides, else bilinearly with antialiasing.

    Args:
        images: uint8, (N, C, H, H).
        size: the new side in pixels.

    Returns:
        uint8, (N, C, size, size), rounded to the nearest value.

    Example:
        >>> resize(torch.tensor([[[[0, 200], [100, 100]]]], dtype=torch.uint8), 1)
        tensor([[[[100]]]], dtype=torch.uint8)
    """
    if images.shape[-1] == size:
        return images
    if not len(images):
        return images.new_empty(0, images.shape[1], size, size)
    return torch.cat([_resize(chunk.float(), size).round_().byte() for chunk in images.split(_CHUNK)])


def _resize(images: Tensor, size: int) -> Tensor:
    if images.shape[-1] % size == 0:
        return functional.avg_pool2d(images, images.shape[-1] // size)
    return functional.interpolate(images, size=(size, size), mode="bilinear", antialias=True)


def to_grey(images: Tensor) -> Tensor:
    """Turn colour into luma (ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B); grey images stay as they are.

    Args:
        images: uint8, (N, 1 or 3, H, W).

    Returns:
        uint8, (N, 1, H, W).

    Example:
        >>> to_grey(torch.full((1, 3, 1, 1), 90, dtype=torch.uint8))
        tensor([[[[90]]]], dtype=torch.uint8)
    """
    if images.shape[1] == 1 or not len(images):
        return images[:, :1]
    weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    return torch.cat([(c * weights).sum(1, keepdim=True).round_().byte() for c in images.split(_CHUNK)])


class Resized(ImageSource):
    """Another source at another size, resized image by image as they are asked for.

    Args:
        source: where the images come from.
        size: the new side in pixels.
    """

    def __init__(self, source: ImageSource, size: int) -> None:
        self.source = source
        self.size = size

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(N, C, size, size)."""
        return *self.source.shape[:2], self.size, self.size

    @property
    def digest(self) -> str:
        """Sha256 of the source's digest and the size."""
        return digest_of("size", self.source.digest, str(self.size))

    def read(self, indices: Tensor) -> Tensor:
        """Make the images at `indices`: uint8, (B, C, size, size)."""
        return resize(self.source.read(indices), self.size)


class Grey(ImageSource):
    """Another source in grey, turned image by image as they are asked for.

    Args:
        source: where the images come from.
    """

    def __init__(self, source: ImageSource) -> None:
        self.source = source

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(N, 1, H, W)."""
        count, _, height, width = self.source.shape
        return count, 1, height, width

    @property
    def digest(self) -> str:
        """Sha256 of the source's digest and that it is grey."""
        return digest_of("grey", self.source.digest)

    def read(self, indices: Tensor) -> Tensor:
        """Make the images at `indices`: uint8, (B, 1, H, W)."""
        return to_grey(self.source.read(indices))
