"""From tensors to pixels: grey or colour pictures, distortions on a centred scale, PNG bytes and data URIs."""

import base64
import io
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from seatbelt_vae.report.palette import diverging

Pixels = NDArray[np.uint8]

MAX_GAIN = 64.0


def unit(image: Tensor, bounds: tuple[float, float]) -> NDArray[np.float64]:
    """Images with values in `bounds`, moved to [0, 1] (and not clipped).

    Example:
        >>> import torch
        >>> unit(torch.tensor([-1.0, 1.0]), (-1, 1))
        array([0., 1.])
    """
    low, high = bounds
    values = image.detach().cpu().double().numpy()
    return np.asarray((values - low) / (high - low))


def pixels(image: NDArray[np.floating]) -> Pixels:
    """An image (C, H, W) in [0, 1] as bytes: (H, W) where C is 1, else (H, W, 3). Values outside are clipped."""
    eight_bit = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    if len(eight_bit) == 1:
        return eight_bit[0]
    return np.moveaxis(eight_bit[:3], 0, -1)


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


def data_uri(image: Pixels, kind: str = "PNG", **options: object) -> str:
    """A picture as an address that a page holds in itself, lossless unless told otherwise."""
    content = base64.b64encode(encoded(image, kind, **options)).decode()
    return f"data:image/{kind.lower()};base64,{content}"


def encoded(image: Pixels, kind: str = "PNG", **options: object) -> bytes:
    """The bytes of an image file."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind, **options)
    return buffer.getvalue()
