"""CelebA: 202 599 photographs of faces, cropped to the central 148 pixels and resized as is the custom.

References:
    Liu, Luo, Wang and Tang 2015, Deep Learning Face Attributes in the Wild (non-commercial research only).
"""

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import torch
from torch import Tensor

from seatbelt_vae.data.dataset import PARTITION, ImageDataset
from seatbelt_vae.data.folders import USUAL, read_image
from seatbelt_vae.data.options import Options
from seatbelt_vae.data.originals import Original
from seatbelt_vae.data.paths import load_path
from seatbelt_vae.data.published import check_published
from seatbelt_vae.data.stream import BATCH, ImageStream
from seatbelt_vae.errors import InputError

CROP = 148
ZIP, IDENTITY, ATTRIBUTES, PARTITIONS = (
    "img_align_celeba.zip",
    "identity_CelebA.txt",
    "list_attr_celeba.txt",
    "list_eval_partition.txt",
)
_DAMAGE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError)


def read(options: Options) -> ImageDataset:
    """Read an ``.npz``, or the folder of aligned photographs."""
    return replace(load_path(options, crop=CROP), name="celeba")


def archive(path: Path, size: int | None, check: bool) -> ImageStream | None:
    """Read ``img_align_celeba.zip`` without unpacking it, with the text files beside it or in Anno and Eval.

    Identity, the 40 attributes (0 no, 1 yes) and the published partition become factors, each where its file is there;
    with the partition, splits are the published ones.

    Raises:
        InputError: a file is damaged, is not the published one, or says nothing of a photograph.
    """
    path = _zip(path)
    if path.suffix.lower() != ".zip":
        return None
    names = _photographs(path)
    tables = {name: found for name in (IDENTITY, ATTRIBUTES, PARTITIONS) if (found := _beside(path, name))}
    for file in (path, *tables.values()) if check else ():
        check_published(file)
    columns: dict[str, Tensor] = {}
    for file in tables.values():
        columns |= _columns(file, names)
    missing = [name for name in (IDENTITY, ATTRIBUTES, PARTITIONS) if name not in tables]
    side = size or USUAL
    hold_out = next((name for name in (PARTITION, "identity") if name in columns), None)
    return ImageStream(
        "celeba",
        (len(names), 3, side, side),
        _batches(path, names, side),
        torch.stack(list(columns.values()), dim=1) if columns else None,
        tuple(columns),
        tuple(int(column.max()) + 1 for column in columns.values()),
        hold_out,
        tuple(f"{name} is not beside {path.name}: what it says is left out" for name in missing),
    )


def _zip(path: Path) -> Path:
    """The archive in a folder, where the path is one that holds it."""
    inside = (path / ZIP, path / "Img" / ZIP)
    return next((file for file in inside if file.is_file()), path)


def _beside(path: Path, name: str) -> Path | None:
    places = (path.parent, path.parent.parent / "Anno", path.parent.parent / "Eval")
    return next((place / name for place in places if (place / name).is_file()), None)


def _photographs(path: Path) -> list[str]:
    """Names in the archive, sorted."""
    try:
        with zipfile.ZipFile(path) as file:
            names = sorted(name for name in file.namelist() if name.lower().endswith(".jpg"))
    except _DAMAGE as error:
        raise InputError(f"{path}: cannot be read as a zip archive: damaged or cut short ({error})") from error
    if not names:
        raise InputError(f"{path}: holds no photographs (*.jpg), is it {ZIP}?")
    return names


def _columns(path: Path, names: Sequence[str]) -> dict[str, Tensor]:
    """What a text file says of each photograph: by heading class indices, int64 (N,)."""
    lines = path.read_text(errors="replace").splitlines()
    headings = {IDENTITY: ["identity"], PARTITIONS: [PARTITION]}.get(path.name)
    if headings is None:  # the attributes: their number, their names, then the photographs
        headings, lines = lines[1].split() if len(lines) > 1 else [], lines[2:]
    known = {name: values for name, *values in map(str.split, filter(str.strip, lines))}
    rows = [_row(path, PurePosixPath(name).name, known, len(headings)) for name in names]
    return {
        heading: _classes(path.name, torch.tensor(column))
        for heading, column in zip(headings, zip(*rows, strict=True), strict=True)
    }


def _row(path: Path, name: str, known: dict[str, list[str]], width: int) -> list[int]:
    if name not in known:
        raise InputError(f"{path}: says nothing of {name}")
    try:
        row = [int(value) for value in known[name]]
    except ValueError:
        row = []
    if len(row) != width or not row:
        raise InputError(f"{path}: the line of {name} is not {width} whole numbers")
    return row


def _classes(file: str, values: Tensor) -> Tensor:
    """Class indices: attributes are −1 and 1, people any numbers, partitions 0, 1 and 2."""
    if file == IDENTITY:
        return values.unique(return_inverse=True)[1]
    return values if file == PARTITIONS else (values > 0).long()


def _batches(path: Path, names: Sequence[str], side: int) -> Iterator[Tensor]:
    with zipfile.ZipFile(path) as file:
        for start in range(0, len(names), BATCH):
            yield torch.stack([_image(path, file, name, side) for name in names[start : start + BATCH]])


def _image(path: Path, file: zipfile.ZipFile, name: str, side: int) -> Tensor:
    try:
        content = file.read(name)
    except _DAMAGE as error:
        raise InputError(f"{path}: {name} cannot be read: damaged ({error})") from error
    return read_image(path / name, side, "RGB", CROP, content)


CELEBA = Original(
    "celeba",
    "photographs of faces (Liu et al. 2015), colour, central crop 148 to 64×64 (needs path=)",
    "celeba: needs path=FOLDER, where img_align_celeba.zip is unpacked (from https://mmlab.ie.cuhk.edu.hk/projects/"
    "CelebA.html, 202599 pictures of 178×218), or path=FILE.npz with the key 'images'",
    read,
    archive,
    packed=".zip",
)
