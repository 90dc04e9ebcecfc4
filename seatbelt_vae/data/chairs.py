"""Chairs: 1393 CAD models seen from 62 views, in grey as the paper uses them.

References:
    Aubry, Maturana, Efros, Russell and Sivic 2014, Seeing 3D chairs: exemplar part-based 2D-3D alignment.
"""

import re
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from seatbelt_vae.data.dataset import ImageDataset
from seatbelt_vae.data.folders import USUAL, read_image
from seatbelt_vae.data.options import Options
from seatbelt_vae.data.originals import Original
from seatbelt_vae.data.paths import load_path
from seatbelt_vae.data.stream import BATCH, ImageStream
from seatbelt_vae.errors import InputError

IMAGES = 1393 * 62
_END = bytes(1024)
FACTOR_NAMES = ("model", "elevation", "azimuth")
VIEW = re.compile(r"(?:^|/)(?P<model>[^/]+)/renders/image_\d+_p(?P<elevation>\d+)_t(?P<azimuth>\d+)_r\d+\.png$")


def read(options: Options) -> ImageDataset:
    """Read an ``.npz``, or the unpacked folder: one subfolder a chair, whose splits keep the chairs apart."""
    chairs = load_path(replace(options, grey=True), factor="model")
    hold_out = "model" if "model" in chairs.factor_names else chairs.hold_out
    return replace(chairs, name="chairs", hold_out=hold_out).grey()


def archive(path: Path, size: int | None, check: bool) -> ImageStream | None:
    """Read ``rendered_chairs.tar`` without unpacking it: grey, sorted by name, model, elevation and azimuth known.

    Raises:
        InputError: it is damaged, or holds no renders.
    """
    if path.suffix.lower() != ".tar":
        return None
    views = _views(path)
    factors = torch.stack([_classes([view[name] for _, view in views]) for name in FACTOR_NAMES], dim=1)
    side = size or USUAL
    return ImageStream(
        "chairs",
        (len(views), 1, side, side),
        _batches(path, [member for member, _ in views], side),
        factors,
        FACTOR_NAMES,
        tuple((factors.amax(0) + 1).tolist()),
        hold_out="model",
        notes=_notes(path, len(views)),
    )


def _notes(path: Path, count: int) -> tuple[str, ...]:
    missing = f"{path.name}: holds {count} images, the published one {IMAGES}; its authors give no checksum"
    return () if count == IMAGES else (missing,)


def _views(path: Path) -> list[tuple[tarfile.TarInfo, dict[str, str]]]:
    """The renders in the archive, sorted by name, with what their names say."""
    _check_end(path)
    try:
        with tarfile.open(path, "r:") as tar:
            found = [(member, VIEW.search(member.name)) for member in tar.getmembers() if member.isfile()]
    except (OSError, tarfile.TarError, EOFError) as error:
        raise InputError(f"{path}: cannot be read as a tar archive: damaged or cut short ({error})") from error
    views = [(member, view.groupdict()) for member, view in found if view]
    if not views:
        raise InputError(f"{path}: holds no MODEL/renders/image_*.png, is it rendered_chairs.tar?")
    return sorted(views, key=lambda view: view[0].name)


def _check_end(path: Path) -> None:
    """A tar archive ends in zeros: one that was cut short between two files reads as a shorter one."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - len(_END)))
        if file.read() != _END:
            raise InputError(f"{path}: cannot be read as a tar archive: damaged or cut short (it has no end)")


def _classes(labels: Sequence[str]) -> Tensor:
    """Number labels by their order, int64 (N,)."""
    number = {label: i for i, label in enumerate(sorted(set(labels)))}
    return torch.tensor([number[label] for label in labels])


def _batches(path: Path, members: Sequence[tarfile.TarInfo], side: int) -> Iterator[Tensor]:
    with tarfile.open(path, "r:") as tar:
        for start in range(0, len(members), BATCH):
            yield torch.stack([_image(path, tar, member, side) for member in members[start : start + BATCH]])


def _image(path: Path, tar: tarfile.TarFile, member: tarfile.TarInfo, side: int) -> Tensor:
    file = tar.extractfile(member)
    try:
        content = b"" if file is None else file.read()
    except (OSError, tarfile.TarError) as error:
        raise InputError(f"{path}: {member.name} cannot be read: damaged or cut short ({error})") from error
    return read_image(path / member.name, side, "L", content=content)


CHAIRS = Original(
    "chairs",
    "renders of chair models (Aubry et al. 2014), grey; splits keep the models apart (needs path=)",
    "chairs: needs path=FOLDER, where rendered_chairs.tar is unpacked (from https://www.di.ens.fr/willow/research/"
    "seeing3Dchairs/data/rendered_chairs.tar: 1393 models × 62 views), or path=FILE.npz with the key 'images'",
    read,
    archive,
    packed=".tar",
)
