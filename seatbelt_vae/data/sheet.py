"""A data set at a glance: a contact sheet of images, and the numbers to know it by."""

import io
import math
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from seatbelt_vae.data.dataset import ImageDataset, permutation
from seatbelt_vae.data.source import ImageSource
from seatbelt_vae.errors import InputError
from seatbelt_vae.storage import write_bytes

GAP, GAP_GREY = 2, 128
_SAMPLE = 4096  # images that the mean pixel is taken over


def contact_sheet(images: Tensor, columns: int = 10, bounds: tuple[float, float] = (0.0, 1.0)) -> Image.Image:
    """Lay images out in rows, with grey lines between.

    Args:
        images: floats within `bounds`, or uint8; (N, 1 or 3, H, W).
        columns: how many to a row.
        bounds: the values of black and white.

    Returns:
        A picture, grey ("L") or colour ("RGB").

    Raises:
        InputError: the images have another shape, or there are none.

    Example:
        >>> contact_sheet(torch.rand(5, 3, 8, 8), columns=3).size
        (32, 22)
    """
    if images.ndim != 4 or images.shape[1] not in (1, 3) or not len(images) or columns < 1:
        raise InputError(f"contact sheet: images {tuple(images.shape)} in {columns} columns; (N, 1 or 3, H, W) needed")
    pixels = _to_bytes(images, bounds)
    count, channels, height, width = pixels.shape
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    tall = height + GAP
    wide = width + GAP
    sheet = torch.full((channels, GAP + rows * tall, GAP + columns * wide), GAP_GREY, dtype=torch.uint8)
    for i, image in enumerate(pixels):
        row, column = divmod(i, columns)
        top = GAP + row * tall
        left = GAP + column * wide
        sheet[:, top : top + height, left : left + width] = image
    if channels == 1:
        return Image.fromarray(sheet[0].numpy())
    return Image.fromarray(sheet.permute(1, 2, 0).contiguous().numpy())


def _to_bytes(images: Tensor, bounds: tuple[float, float]) -> Tensor:
    images = images.detach().cpu()
    if images.dtype == torch.uint8:
        return images
    low, high = bounds
    unit = (images.float() - low) / (high - low)
    return unit.clamp(0, 1).mul(255).round().byte()


def describe(dataset: ImageDataset) -> dict[str, Any]:
    """Say what a data set holds, in values that JSON can hold.

    Returns:
        name, images (how many), shape (C, H, W), factors (name to number of classes), hold_out, bounds,
        mean_pixel (within the bounds, over a random 4096 images where there are more), held ("memory",
        "mapped" or "drawn"), bytes (held for the images), digest.

    Example:
        >>> describe(ImageDataset(torch.zeros(3, 1, 8, 8, dtype=torch.uint8)))["bytes"]
        192
    """
    images = dataset.images
    held, size = "memory", math.prod(images.shape)
    if isinstance(images, ImageSource):
        held, size = images.held, 0
    return {
        "name": dataset.name,
        "images": len(dataset),
        "shape": list(dataset.image_shape),
        "factors": dict(zip(dataset.factor_names, dataset.factor_sizes, strict=True)),
        "hold_out": dataset.hold_out,
        "bounds": list(dataset.bounds),
        "mean_pixel": _mean_pixel(dataset),
        "held": held,
        "bytes": size,
        "digest": dataset.digest,
    }


def _mean_pixel(dataset: ImageDataset) -> float:
    rows = permutation(len(dataset), seed=0)[:_SAMPLE]
    total = 0.0
    for chunk in rows.split(512):
        total += float(dataset.images[chunk].sum())
    low, high = dataset.bounds
    mean = total / (255 * len(rows) * math.prod(dataset.image_shape))
    return low + (high - low) * mean


def write_sheet(dataset: ImageDataset, path: str | Path, count: int = 50, seed: int = 0) -> Path:
    """Draw some images of a data set side by side, as PNG.

    Args:
        dataset: where to draw from.
        path: where to write.
        count: how many images; all if there are fewer.
        seed: of the draw.

    Returns:
        The path.

    Raises:
        RunError: the file cannot be written.
    """
    drawn = dataset.sample(min(count, len(dataset)), seed)
    buffer = io.BytesIO()
    contact_sheet(drawn.images[:]).save(buffer, format="PNG")
    return write_bytes(path, buffer.getvalue())
