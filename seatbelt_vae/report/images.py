"""Pixels of a report: distortions on a centred scale, and many pictures in one."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seatbelt_vae.pixels import Pixels, pixels
from seatbelt_vae.report.palette import diverging

MAX_GAIN = 64.0


def display_gain(distortion: NDArray[np.floating]) -> float:
    """The largest power of two, from 1 to 64, by which a distortion can be multiplied and stay within ±1.

    A power of two moves in steps that the eye can follow when λ moves, and 64 leaves a distortion
    below one 8-bit grey level where it belongs: invisible.

    Example:
        >>> display_gain(np.array([0.2, -0.1])), display_gain(np.zeros(3))
        (4.0, 64.0)
    """
    largest = float(np.abs(distortion).max(initial=1 / MAX_GAIN))
    return max(1.0, 2.0 ** math.floor(-math.log2(largest)))


def distortion_pixels(distortion: NDArray[np.floating], gain: float) -> Pixels:
    """A distortion (C, H, W) in units of the data's range, shown with its zero in the middle of the scale.

    Grey: a diverging scale, blue darker, white unchanged, red brighter. Colour: mid-grey is unchanged, in each channel.

    Args:
        distortion: d = x* − x over the data's range, (C, H, W).
        gain: full scale is ±1 / gain.

    Returns:
        Bytes, (H, W, 3).
    """
    if len(distortion) == 1:
        return diverging(gain * distortion[0])
    return pixels(0.5 + 0.5 * gain * distortion)


def mosaic(tiles: Sequence[Pixels], columns: int, gap: int = 0, ground: int = 255) -> Pixels:
    """Tiles of one size in rows of `columns`.

    Example:
        >>> mosaic([np.zeros((2, 2), np.uint8)] * 3, columns=2, gap=1).shape
        (5, 5)
    """
    height, width = tiles[0].shape[:2]
    rows = math.ceil(len(tiles) / columns)
    size = rows * (height + gap) - gap, columns * (width + gap) - gap
    page = np.full((*size, *tiles[0].shape[2:]), ground, dtype=np.uint8)
    for place, tile in enumerate(tiles):
        row, column = divmod(place, columns)
        top = row * (height + gap)
        left = column * (width + gap)
        page[top : top + height, left : left + width] = tile
    return page
