"""One picture as a tensor: its centre at one size, grey or in colour."""

import io
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from seatbelt_vae.data.reading import reading
from seatbelt_vae.data.resize import Size, largest_part
from seatbelt_vae.errors import InputError

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
"""What is decoded, whatever the name says: no format that runs a program, as EPS does."""

MOST_PIXELS = Image.MAX_IMAGE_PIXELS or 0
"""A picture with more pixels is refused before it is decoded: Pillow only warns."""

LARGEST, USUAL = 128, 64
"""Pictures of one size with sides of at most `LARGEST` pixels keep it; else they become squares of `USUAL`."""

_SIXTEEN_BITS = ("PNG", "PPM")  # formats whose mode I holds no more
_GREY_MODES = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L")
_PREVIEW = 254  # TIFF's tag of a page that shows another one smaller
_ORIENTATION = 0x0112  # the tag of how a picture was turned
_QUARTER_TURNS = (5, 6, 7, 8)


@contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Turn all that Pillow raises into one line, and its warning of a bomb."""
    with reading(path, "an image"):
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def open_picture(path: Path, content: bytes | None = None) -> Image.Image:
    """Open a picture, or what an archive holds of one; its pixels are not decoded yet."""
    with decoding(path):
        image = Image.open(path if content is None else io.BytesIO(content), formats=FORMATS)
    image.filename = ""  # else Pillow maps the file, and mixes up the pixels of a plain TIFF that was turned
    return image


def pages(image: Image.Image, path: Path) -> list[int]:
    """List the pages of a stack (TIFF) or the frames of an animation; smaller previews of a page are left out."""
    found = []
    with decoding(path):
        for page in range(getattr(image, "n_frames", 1)):
            image.seek(page)
            tags = getattr(image, "tag_v2", {})
            if not tags.get(_PREVIEW, 0) & 1:
                found.append(page)
    return found


def read_image(
    path: Path, size: Size, mode: str = "RGB", crop: int | None = None, content: bytes | None = None
) -> Tensor:
    """Read one picture: its largest centre of the shape of `size`, Lanczos to `size`, transparent parts on white.

    Args:
        path: the file.
        size: height and width in pixels.
        mode: "L" grey or "RGB".
        crop: side of the central square to cut out first; None the largest.
        content: what the file holds, where it lies in an archive.

    Returns:
        uint8, (1 or 3, *size).

    Raises:
        InputError: the file cannot be read as a picture.
    """
    with open_picture(path, content) as image:
        return read_page(image, path, size, mode, crop)


def read_page(image: Image.Image, path: Path, size: Size, mode: str, crop: int | None) -> Tensor:
    """Read the page at which a picture stands, as `read_image` does."""
    _check_pixels(path, image)
    with decoding(path):
        plain = _plain(ImageOps.exif_transpose(image))
        middle = _centre(plain.convert(mode), size, crop)
        small = middle.resize(size[::-1], Image.Resampling.LANCZOS)
        pixels = torch.from_numpy(np.array(small))
    return pixels.unsqueeze(0) if mode == "L" else pixels.permute(2, 0, 1)


def survey(
    pictures: Iterable[tuple[Path, Image.Image]], size: Size | None = None, crop: int | None = None
) -> tuple[Size, bool]:
    """Find the size that pictures are to have, if it is not known, and whether all are grey."""
    sizes = set()
    modes = set()
    for path, image in pictures:
        modes.add(image.mode)
        if size is None:
            sizes.add(_upright(image, path, crop))
    return size or _common(sizes), modes.issubset(_GREY_MODES)


def _common(sizes: set[Size]) -> Size:
    """The size that all pictures have, if it is small enough."""
    first = next(iter(sizes))
    if len(sizes) > 1 or max(first) > LARGEST:
        return USUAL, USUAL
    return first


def _upright(image: Image.Image, path: Path, crop: int | None) -> Size:
    """Height and width of a picture as one sees it: it stands as its camera was held."""
    square = min(crop or image.width, image.width, image.height)
    if crop is not None or image.width == image.height:
        return square, square
    _check_pixels(path, image)
    with decoding(path):  # a PNG is decoded for this
        if image.format == "TIFF":
            image.load()  # which turns it
        orientation = image.getexif().get(_ORIENTATION)
    if orientation in _QUARTER_TURNS:
        return image.width, image.height
    return image.height, image.width


def _check_pixels(path: Path, image: Image.Image) -> None:
    if image.width * image.height > MOST_PIXELS:
        raise InputError(f"{path}: a page has {image.width}×{image.height} pixels; at most {MOST_PIXELS} are read")
    kind = ""
    if image.mode == "F":
        kind = "floats"
    elif image.mode == "I" and image.format not in _SIXTEEN_BITS:
        kind = "32-bit integers"
    if kind:
        raise InputError(f"{path}: holds {kind}, whose range is anyone's guess; save it with 8 or 16 bits")


def _plain(image: Image.Image) -> Image.Image:
    """Bring 16-bit pictures to 8 bits, and transparent ones onto white."""
    if image.mode.startswith("I"):
        values = np.asarray(image).clip(0, 65535) / 257
        return Image.fromarray(values.round().astype(np.uint8))
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image)


def _centre(image: Image.Image, size: Size, crop: int | None) -> Image.Image:
    """The largest central part of the shape of `size`, within the central `crop` pixels where that is asked for."""
    within = (image.height, image.width)
    if crop is not None:
        within = (min(crop, image.height), min(crop, image.width))
    height, width = largest_part(within, size)
    top = (image.height - height) // 2
    left = (image.width - width) // 2
    return image.crop((left, top, left + width, top + height))
