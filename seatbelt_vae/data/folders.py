"""A folder of pictures as a data set: every image cropped to its centre and resized to one size."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import torch
from PIL.Image import Image
from torch import Tensor

from seatbelt_vae.data.dataset import ImageDataset, draw
from seatbelt_vae.data.options import Options
from seatbelt_vae.data.pictures import decoding, open_picture, pages, read_page, survey
from seatbelt_vae.data.reading import one_line, reading
from seatbelt_vae.errors import InputError
from seatbelt_vae.progress import progress_bar

STACKS = frozenset({".tif", ".tiff", ".gif", ".webp"})
"""Files that may hold several images: each is one."""

SUFFIXES = STACKS | {".png", ".jpg", ".jpeg", ".bmp", ".pgm", ".ppm"}

_MANY = 5000  # from here on reading takes long enough for a progress bar


@dataclass(frozen=True)
class Picture:
    """A page of a file."""

    path: Path
    page: int = 0


def load_folder(path: Path, options: Options, *, crop: int | None = None, factor: str = "folder") -> ImageDataset:
    """Read all pictures in a folder and the folders in it, sorted by path, into memory.

    Folders that are links are entered, each real folder once. Each page of a stack is an image.

    Args:
        path: the folder.
        options: ``size`` (None keeps a common small size, else a square of 64), ``grey`` (None is grey only if every
            picture is), ``count`` and ``seed``.
        crop: side of the central square to cut out first; None the largest.
        factor: name of the factor that says in which subfolder a picture lay, where there are several.

    Returns:
        The data set; with one factor if the pictures lie in several subfolders.

    Raises:
        InputError: no such folder, no picture in it, too few, or one that cannot be read (named).
    """
    pictures = find_images(path)
    places, classes = _subfolders(path, pictures)
    if options.count is not None:
        if options.count > len(pictures):
            raise InputError(f"{path}: count={options.count} images asked for, it has {len(pictures)}")
        chosen = draw(len(pictures), options.count, options.seed)
        pictures = [pictures[row] for row in chosen.tolist()]
        classes = classes[chosen]
    images = _read_all(pictures, options, crop)
    name = path.name or str(path)
    if len(places) == 1:
        return ImageDataset(images, name=name)
    return ImageDataset(
        images,
        factors=classes.unsqueeze(1),
        factor_names=(factor,),
        factor_sizes=(len(places),),
        name=name,
    )


def find_images(path: Path) -> list[Picture]:
    """List the pictures in a folder and below, sorted by path; hidden files are passed over."""
    if not path.is_dir():
        raise InputError(f"{path}: no such folder")
    with reading(path, "a folder"):
        files = sorted(_walk(path))
    if not files:
        raise InputError(f"{path}: no image in this folder (looked for {', '.join(sorted(SUFFIXES))})")
    found = []
    for file in files:
        if file.suffix.lower() not in STACKS:
            found.append(Picture(file))
            continue
        with open_picture(file) as image:
            found += [Picture(file, page) for page in pages(image, file)]
    return found


def _walk(root: Path) -> Iterator[Path]:
    """Give the pictures below a folder; a real folder that two links lead to is entered once."""
    entered: set[str] = set()
    for folder, below, names in os.walk(root, onerror=_raise, followlinks=True):
        real = os.path.realpath(folder)
        if real in entered:
            below.clear()
            continue
        entered.add(real)
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in names:
            file = Path(folder, name)
            if name.startswith("."):
                continue
            if file.is_symlink() and not os.path.exists(file):
                raise InputError(f"{one_line(file)}: is a link to nothing; restore what it leads to, or remove it")
            if file.suffix.lower() in SUFFIXES and file.is_file():
                yield file


def _raise(error: OSError) -> None:
    raise error


def _subfolders(root: Path, pictures: Sequence[Picture]) -> tuple[list[str], Tensor]:
    """Name the folders where paths first part, and give each picture's number among them, int64 (N,)."""
    parents = [picture.path.relative_to(root).parts[:-1] for picture in pictures]
    first, last = min(parents), max(parents)
    shared = 0
    while shared < len(first) and first[shared] == last[shared]:
        shared += 1
    places = ["".join(parent[shared : shared + 1]) for parent in parents]
    names = sorted(set(places))
    number = {name: i for i, name in enumerate(names)}
    return names, torch.tensor([number[place] for place in places])


def _read_all(pictures: Sequence[Picture], options: Options, crop: int | None) -> Tensor:
    size = options.height_width
    grey = options.grey
    if size is None or not grey:
        size, all_grey = survey(_opened(pictures), size, crop)
        grey = grey or all_grey
    mode = "L" if grey else "RGB"
    count = len(pictures)
    images = torch.empty(count, len(mode), *size, dtype=torch.uint8)
    with progress_bar("Reading images", count, enabled=count >= _MANY) as advance:
        for row, (path, image) in enumerate(_opened(pictures)):
            images[row] = read_page(image, path, size, mode, crop)
            advance()
    return images


def _opened(pictures: Sequence[Picture]) -> Iterator[tuple[Path, Image]]:
    """Give each picture open at its page; a stack is opened once, as going to page k takes k steps."""
    for path, stack in groupby(pictures, key=attrgetter("path")):
        with open_picture(path) as image:
            for picture in stack:
                with decoding(path):
                    image.seek(picture.page)
                yield path, image
