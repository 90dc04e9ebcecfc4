"""Checksums of files: what a user asks for, and what the authors of data sets publish."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from seatbelt_vae.data.reading import one_line, reading
from seatbelt_vae.errors import InputError

MD5: Mapping[str, str] = {
    "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz": "7da33b31b13a06f4b04a70402ce90c2e",
    "img_align_celeba.zip": "00d2c5bc6d35e252742224ab0c1e8fcb",
    "list_attr_celeba.txt": "75e246fa4810816ffd6ee81facbd244c",
    "list_eval_partition.txt": "d32c9cbf5e040fd4025c592c306e6668",
    "identity_CelebA.txt": "32bd1bd63d3c78cd57e08160ec5ed1e2",
}
"""MD5 by file name, as several public loaders agree on them. None is known of ``rendered_chairs.tar`` (its authors give
none) and of ``basel_face_renders.pth``: of these the sha256 is noted when they are prepared, and that is all."""


def checksum(path: Path, kind: str = "sha256") -> str:
    """Give a file's checksum in hexadecimal digits."""
    with reading(path, "a file"), path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


def check_checksum(path: Path, expected: str | None) -> None:
    """Refuse a file whose sha256 is not the expected one; None accepts any."""
    if expected is None:
        return
    if path.is_dir():
        raise InputError(f"{path}: sha256 is of a file; this is a folder")
    found = checksum(path)
    if found != expected.lower():
        raise InputError(f"{path}: its sha256 is {found}, not {one_line(expected)}; get the file again")


def check_published(path: Path) -> None:
    """Refuse a file of a published name that is not the published file."""
    expected = MD5.get(path.name)
    if expected is None:
        return
    found = checksum(path, "md5")
    if found != expected:
        raise InputError(
            f"{path}: its md5 is {found}, that of the published file {expected}; get it again, "
            "or use --unchecked if it is meant to be another"
        )
