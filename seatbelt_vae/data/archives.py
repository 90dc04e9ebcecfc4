"""Pictures in a zip or tar archive, read in their place: nothing is unpacked, so no name in it leads anywhere."""

import tarfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

import torch
from torch import Tensor

from seatbelt_vae.data.checksums import checksum
from seatbelt_vae.data.pictures import read_image
from seatbelt_vae.data.reading import one_line, reading
from seatbelt_vae.data.source import ImageSource, digest_of
from seatbelt_vae.errors import InputError

LARGEST_FILE = 2**26
"""A picture in an archive has at most this many bytes."""

_END = bytes(1024)


@dataclass(frozen=True)
class Member:
    """A file in an archive.

    Attributes:
        archive: where it lies.
        name: its name in there; never used as a path.
        size: bytes, as the archive says.
        open: opens it for reading.
    """

    archive: Path
    name: str
    size: int
    open: Callable[[], IO[bytes] | None]

    @property
    def path(self) -> Path:
        """What to call it in a message."""
        return self.archive / one_line(self.name)

    def content(self) -> bytes:
        """Read the file; one that is too large for a picture is refused."""
        if self.size > LARGEST_FILE:
            raise InputError(f"{self.path}: has {self.size} bytes; a picture has at most {LARGEST_FILE}")
        with reading(self.path, "a file"):
            file = self.open()
            assert file is not None
            with file:
                content = file.read(self.size)
            if len(content) != self.size:
                raise EOFError(f"{len(content)} of {self.size} bytes")
        return content


def zip_members(path: Path) -> list[Member]:
    """List the files in a zip archive, sorted by name; hidden ones are passed over, as macOS adds them."""
    found = []
    with reading(path, "a zip archive"):
        archive = zipfile.ZipFile(path)
        for info in archive.infolist():
            if not info.is_dir() and not _hidden(path, info.filename):
                found.append(Member(path, info.filename, info.file_size, partial(archive.open, info)))
    return _sorted(found)


def tar_members(path: Path) -> list[Member]:
    """List the files in a tar archive, sorted by name; hidden ones are passed over."""
    found = []
    last = -1
    with reading(path, "a tar archive"):
        archive = tarfile.open(path, "r:")  # noqa: SIM115  (its members are read later)
        for info in archive:
            if info.offset <= last or info.size < 0:
                raise tarfile.ReadError("a header points back")
            last = info.offset
            if info.isdir() or _hidden(path, info.name):
                continue
            if not info.isreg() or info.issparse():
                raise InputError(f"{path}: {one_line(info.name)} is a link or a device; only plain files are read")
            found.append(Member(path, info.name, info.size, partial(archive.extractfile, info)))
        _check_end(path, archive.offset)
    return _sorted(found)


def _check_end(path: Path, end: int) -> None:
    """An archive ends in zeros. tarfile stops without a word at a damaged header, and where a file was cut short."""
    with path.open("rb") as file:
        file.seek(end)
        if file.read(len(_END)) != _END:
            raise tarfile.ReadError(f"no header and no end at byte {end}")


def _hidden(archive: Path, name: str) -> bool:
    parts = PurePosixPath(name).parts
    if ".." in parts or name.startswith("/"):
        raise InputError(f"{archive}: {one_line(name)} leads out of the archive; pack it again with relative names")
    return any(part.startswith(".") for part in parts)


def _sorted(members: list[Member]) -> list[Member]:
    names = {member.name for member in members}
    if len(names) != len(members):
        raise InputError(f"{members[0].archive}: holds two files of the same name; pack it again")
    return sorted(members, key=lambda member: member.name)


class Pictures(ImageSource):
    """Pictures in an archive, decoded when asked for.

    Args:
        members: where they lie.
        side: size in pixels.
        mode: "L" grey or "RGB".
        crop: side of the central square to cut out first; None the largest.
    """

    def __init__(self, members: Sequence[Member], side: int, mode: str, crop: int | None = None) -> None:
        self.members = members
        self.side = side
        self.mode = mode
        self.crop = crop
        self.shape = (len(members), len(mode), side, side)
        self.digest = digest_of("pictures", checksum(members[0].archive), repr((side, mode, crop)))

    def read(self, indices: Tensor) -> Tensor:
        """Decode the pictures at `indices`: uint8, (B, C, H, H)."""
        images = [self._image(self.members[row]) for row in indices.tolist()]
        return torch.stack(images)

    def _image(self, member: Member) -> Tensor:
        return read_image(member.path, (self.side, self.side), self.mode, self.crop, content=member.content())
