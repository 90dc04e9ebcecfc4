"""Smaller, larger and grey images: uint8 in, uint8 out, filtered so that nothing aliases."""

import re
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from seatbelt_vae.data.reading import one_line
from seatbelt_vae.errors import InputError

Size = tuple[int, int]
"""Height and width in pixels."""

LARGEST_SIDE = 1024
WRITTEN = re.compile(r"\d{1,9}(x\d{1,9})?")

_CHUNK = 512  # images held as floats at a time
_LUMA = (0.299, 0.587, 0.114)


def resize(images: Tensor, size: Size) -> Tensor:
    """Resize the centre of images, by the mean over blocks where the size divides, else bilinearly with antialiasing.

    Args:
        images: uint8, (N, C, H, W).
        size: the new height and width. Images of another shape lose what juts out at two sides.

    Returns:
        uint8, (N, C, *size), rounded to the nearest value.

    Example:
        >>> resize(torch.tensor([[[[0, 200], [100, 100]]]], dtype=torch.uint8), (1, 1))
        tensor([[[[100]]]], dtype=torch.uint8)
    """
    count, channels, *before = images.shape
    if tuple(before) == size:
        return images
    height, width = largest_part((before[0], before[1]), size)
    top = (before[0] - height) // 2
    left = (before[1] - width) // 2
    small = images.new_empty(count, channels, *size)
    for start in range(0, count, _CHUNK):
        rows = slice(start, start + _CHUNK)
        middle = images[rows, :, top : top + height, left : left + width]
        small[rows] = _resize(middle.float(), size).round_().byte()
    return small


def height_width(size: int | str | Sequence[int]) -> Size:
    """Give a size in full: one number is the side of a square.

    Raises:
        InputError: it is none, or a side does not lie between 1 and 1024 pixels.

    Example:
        >>> height_width(32), height_width((48, 64)), height_width("48x64")
        ((32, 32), (48, 64), (48, 64))
    """
    sides: Any = (size,)
    if isinstance(size, str) and WRITTEN.fullmatch(size):
        sides = [int(side) for side in size.split("x")]
    elif isinstance(size, tuple | list):
        sides = size
    if len(sides) not in (1, 2) or any(type(side) is not int for side in sides):
        raise InputError(f"size={one_line(size)}: must be a side in pixels, or height and width such as 48x64")
    height, width = sides[0], sides[-1]
    if min(height, width) < 1 or max(height, width) > LARGEST_SIDE:
        raise InputError(f"size={one_line(size)}: the side must lie between 1 and {LARGEST_SIDE} pixels")
    return height, width


def largest_part(found: Size, wanted: Size) -> Size:
    """Height and width of the largest part of a picture that has the shape of another.

    Args:
        found: height and width of the picture.
        wanted: height and width of the other.

    Example:
        >>> largest_part((48, 64), (32, 32)), largest_part((100, 100), (48, 64))
        ((48, 48), (75, 100))
    """
    height = round(found[1] * wanted[0] / wanted[1])
    width = round(found[0] * wanted[1] / wanted[0])
    return min(found[0], max(1, height)), min(found[1], max(1, width))


def _resize(images: Tensor, size: Size) -> Tensor:
    height, width = images.shape[2:]
    if height % size[0] == 0 and width % size[1] == 0:
        return functional.avg_pool2d(images, (height // size[0], width // size[1]))
    return functional.interpolate(images, size=size, mode="bilinear", antialias=True)


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
