"""Smaller, larger and grey images: uint8 in, uint8 out, filtered so that nothing aliases."""

import torch
from torch import Tensor
from torch.nn import functional

_CHUNK = 512  # images held as floats at a time
_LUMA = (0.299, 0.587, 0.114)


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
    count, channels, side, _ = images.shape
    if side == size:
        return images
    small = images.new_empty(count, channels, size, size)
    for start in range(0, count, _CHUNK):
        rows = slice(start, start + _CHUNK)
        small[rows] = _resize(images[rows].float(), size).round_().byte()
    return small


def _resize(images: Tensor, size: int) -> Tensor:
    side = images.shape[-1]
    if side % size == 0:
        return functional.avg_pool2d(images, side // size)
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
    if images.shape[1] == 1:
        return images
    grey = torch.empty_like(images[:, :1])
    weights = torch.tensor(_LUMA).view(1, 3, 1, 1)
    for start in range(0, len(images), _CHUNK):
        rows = slice(start, start + _CHUNK)
        luma = (images[rows] * weights).sum(1, keepdim=True)
        grey[rows] = luma.round_().byte()
    return grey
