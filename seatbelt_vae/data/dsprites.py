"""The original dSprites file (737 280 images, 3 GB in memory); `sprites` draws the same without it.

References:
    Matthey, Higgins, Hassabis and Lerchner 2017, https://github.com/google-deepmind/dsprites-dataset (Apache-2.0).
"""

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
import torch
from torch import Tensor

from seatbelt_vae.data.dataset import ImageDataset
from seatbelt_vae.data.files import check_checksum, images_from_array, read_arrays
from seatbelt_vae.data.options import Options
from seatbelt_vae.data.originals import Download, Original
from seatbelt_vae.data.paths import load_path
from seatbelt_vae.data.published import MD5, check_published
from seatbelt_vae.data.resize import resize
from seatbelt_vae.data.sprites import FACTOR_NAMES, FACTOR_SIZES
from seatbelt_vae.data.stream import BATCH, ImageStream
from seatbelt_vae.errors import InputError

FILE = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"


def read(options: Options) -> ImageDataset:
    """Read ``imgs`` and ``latents_classes`` of the original file, or ``images`` of any other ``.npz`` or folder.

    Its key ``metadata`` is pickled and stays unread; the factor colour has one value and is left out.
    """
    path = options.path
    if path is None or path.suffix.lower() != ".npz" or not path.is_file():
        return load_path(options)
    arrays = read_arrays(path, ("imgs", "latents_classes"))
    if "imgs" not in arrays:
        return load_path(options)
    check_checksum(path, options.sha256)
    return ImageDataset(
        images_from_array(arrays["imgs"], str(path)),
        factors=_factors(path, len(arrays["imgs"])),
        factor_names=FACTOR_NAMES,
        factor_sizes=FACTOR_SIZES,
        name="dsprites",
    )


def archive(path: Path, size: int | None, check: bool) -> ImageStream | None:
    """Read the original file batch by batch: 3 GB are never in memory.

    Raises:
        InputError: it is damaged, is not the published one, or holds something else.
    """
    if path.suffix.lower() != ".npz" or "imgs.npy" not in _members(path):
        return None
    if check:
        check_published(path)
    with zipfile.ZipFile(path) as file, file.open("imgs.npy") as member:
        count, side = _shape(path, member)
    factors = _factors(path, count)
    shape = (count, 1, size or side, size or side)
    return ImageStream("dsprites", shape, _batches(path, size or side), factors, FACTOR_NAMES, FACTOR_SIZES)


def _factors(path: Path, count: int) -> Tensor:
    classes = read_arrays(path, ("latents_classes",)).get("latents_classes")
    if classes is None or classes.shape != (count, 6):
        raise InputError(f"{path}: latents_classes must have shape ({count}, 6), as in {FILE}")
    return torch.from_numpy(classes[:, 1:]).long().contiguous()


def _members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as file:
            return file.namelist()
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (OSError, zipfile.BadZipFile, EOFError) as error:
        raise InputError(f"{path}: cannot be read as .npz: damaged, cut short or not one ({error})") from error


def _shape(path: Path, member: IO[bytes]) -> tuple[int, int]:
    """Read the header of the images: their number and side."""
    try:
        version = np.lib.format.read_magic(member)
        reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, kind = reader(member)
    except (ValueError, EOFError, OSError, zlib.error, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: imgs cannot be read: damaged or cut short ({error})") from error
    if kind != np.uint8 or fortran or len(shape) != 3 or shape[1] != shape[2] or 0 in shape:
        raise InputError(f"{path}: imgs is {kind} {shape}, it must be uint8 (N, H, H), as in {FILE}")
    return shape[0], shape[1]


def _batches(path: Path, size: int) -> Iterator[Tensor]:
    with zipfile.ZipFile(path) as file, file.open("imgs.npy") as member:
        count, side = _shape(path, member)
        for start in range(0, count, BATCH):
            wanted = min(BATCH, count - start) * side * side
            try:
                content = member.read(wanted)
            except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
                raise InputError(f"{path}: imgs cannot be read: damaged or cut short ({error})") from error
            if len(content) != wanted:
                raise InputError(f"{path}: imgs is cut short after {start} images")
            images = torch.frombuffer(bytearray(content), dtype=torch.uint8).view(-1, 1, side, side)
            if int(images.max()) > 1:
                raise InputError(f"{path}: imgs holds {int(images.max())}, it must be 0 or 1, as in {FILE}")
            yield resize(images * 255, size)


DSPRITES = Original(
    "dsprites",
    "the original dSprites file: 737 280 images 64×64, black and white, 5 factors (needs path=)",
    f"dsprites: needs path=FILE, the file {FILE} from https://github.com/google-deepmind/dsprites-dataset; "
    "or use 'sprites', the same images drawn without a download",
    read,
    archive,
    download=Download(f"https://github.com/google-deepmind/dsprites-dataset/raw/master/{FILE}", f"md5:{MD5[FILE]}"),
)
