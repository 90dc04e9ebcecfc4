"""From images to pixels: bytes, the bytes of a PNG, an address that a page holds in itself."""

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

Pixels = NDArray[np.uint8]


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


def data_uri(image: Pixels, kind: str = "PNG", **options: object) -> str:
    """A picture as an address that a page holds in itself, lossless unless told otherwise."""
    content = base64.b64encode(encoded(image, kind, **options)).decode()
    return f"data:image/{kind.lower()};base64,{content}"


def encoded(image: Pixels, kind: str = "PNG", **options: object) -> bytes:
    """The bytes of an image file."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind, **options)
    return buffer.getvalue()
