"""A folder of pictures as a data set: every image cropped to its central square and resized to one size."""

import io
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from seatbelt_vae.data.dataset import ImageDataset, permutation
from seatbelt_vae.errors import InputError
from seatbelt_vae.progress import progress_bar

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm"})
_MANY = 5000  # from here on reading takes long enough for a progress bar
_SIXTEEN_BITS = ("PNG", "PPM")  # formats whose mode I holds no more
_GREY_MODES = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L")

LARGEST, USUAL = 128, 64
"""Pictures that are all the same square of at most `LARGEST` pixels keep their size; else it is `USUAL`."""


def load_folder(
    path: Path,
    *,
    size: int | None = None,
    grey: bool | None = None,
    count: int | None = None,
    seed: int = 0,
    crop: int | None = None,
    factor: str = "folder",
) -> ImageDataset:
    """Read all pictures in a folder and the folders in it, sorted by path, into memory.

    Args:
        path: the folder.
        size: side in pixels; None keeps a common small square size, else 64.
        grey: True reads grey; otherwise grey only if every picture is.
        count: read only so many, drawn without replacement.
        seed: of that draw.
        crop: side of the central square to cut out first; None the largest.
        factor: name of the factor that says in which subfolder a picture lay, where there are several.

    Returns:
        The data set; with one factor if the pictures lie in several subfolders.

    Raises:
        InputError: no such folder, no picture in it, too few, or one that cannot be read (named).
    """
    files = find_images(path)
    places, classes = _subfolders(path, files)
    if count is not None:
        if count > len(files):
            raise InputError(f"{path}: count={count} images asked for, it has {len(files)}")
        chosen = permutation(len(files), seed)[:count].sort().values
        files, classes = [files[i] for i in chosen.tolist()], classes[chosen]
    images = _read_all(files, size, grey, crop)
    return ImageDataset(
        images,
        factors=classes.unsqueeze(1) if len(places) > 1 else None,
        factor_names=(factor,) if len(places) > 1 else (),
        factor_sizes=(len(places),) if len(places) > 1 else (),
        name=path.name or str(path),
    )


def find_images(path: Path) -> list[Path]:
    """List the pictures in a folder and below, sorted by path; hidden files are passed over.

    Raises:
        InputError: no such folder, or no picture in it.
    """
    if not path.is_dir():
        raise InputError(f"{path}: no such folder")
    named = (file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and not _hidden(file, path))
    files = sorted(file for file in named if file.is_file())
    if not files:
        raise InputError(f"{path}: no image in this folder (looked for {', '.join(sorted(SUFFIXES))})")
    return files


def _hidden(file: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(root).parts)


def _subfolders(root: Path, files: Sequence[Path]) -> tuple[list[str], Tensor]:
    """Name the folders where paths first part, and give each file's number among them, int64 (N,)."""
    parents = [file.relative_to(root).parts[:-1] for file in files]
    shared = len(Path(os.path.commonpath([Path("/", *parent) for parent in parents])).parts) - 1
    places = [parent[shared] if len(parent) > shared else "" for parent in parents]
    names = sorted(set(places))
    number = {name: i for i, name in enumerate(names)}
    return names, torch.tensor([number[place] for place in places])


def _read_all(files: Sequence[Path], size: int | None, grey: bool | None, crop: int | None) -> Tensor:
    shapes, grey_only = set(), True
    for file in files if size is None or not grey else ():
        with _open(file) as image:
            shapes.add(image.size)
            grey_only = grey_only and image.mode in _GREY_MODES
    mode = "L" if grey or grey_only else "RGB"
    side = size or _common_side(shapes, crop)
    images = torch.empty(len(files), len(mode), side, side, dtype=torch.uint8)
    with progress_bar("Reading images", len(files), enabled=len(files) >= _MANY) as advance:
        for row, file in enumerate(files):
            images[row] = read_image(file, side, mode, crop)
            advance()
    return images


def _common_side(shapes: set[tuple[int, int]], crop: int | None) -> int:
    width, height = next(iter(shapes))
    side = min(crop or width, width)
    return side if len(shapes) == 1 and width == height and side <= LARGEST else USUAL


def read_image(
    path: Path, size: int, mode: str = "RGB", crop: int | None = None, content: bytes | None = None
) -> Tensor:
    """Read one picture: central square, Lanczos to `size`, transparent parts on white.

    Args:
        path: the file.
        size: side in pixels.
        mode: "L" grey or "RGB".
        crop: side of the central square to cut out first; None the largest.
        content: what the file holds, where it lies in an archive.

    Returns:
        uint8, (1 or 3, size, size).

    Raises:
        InputError: the file cannot be read as a picture.
    """
    with _open(path, content) as image:
        if image.mode == "F" or (image.mode == "I" and image.format not in _SIXTEEN_BITS):
            kind = "floats" if image.mode == "F" else "32-bit integers"
            raise InputError(f"{path}: holds {kind}, whose range is anyone's guess; save it with 8 or 16 bits")
        try:
            image = _plain(ImageOps.exif_transpose(image)).convert(mode)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise InputError(f"{path}: cannot be read as an image: damaged or cut short ({error})") from error
        square = _central_square(image, crop).resize((size, size), Image.Resampling.LANCZOS)
        pixels = torch.from_numpy(np.array(square))
    return pixels.unsqueeze(0) if mode == "L" else pixels.permute(2, 0, 1)


def _open(path: Path, content: bytes | None = None) -> Image.Image:
    try:
        return Image.open(path if content is None else io.BytesIO(content))
    except UnidentifiedImageError as error:
        raise InputError(f"{path}: cannot be read as an image") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: cannot be read as an image ({error})") from error


def _plain(image: Image.Image) -> Image.Image:
    """Bring 16-bit pictures to 8 bits, and transparent ones onto white."""
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image).clip(0, 65535) / 257).round().astype(np.uint8))
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


def _central_square(image: Image.Image, crop: int | None) -> Image.Image:
    side = min(crop or min(image.size), *image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))
