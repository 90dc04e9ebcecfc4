"""Checksums of the files that the authors of data sets publish, as far as they are known."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

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


def check_published(path: Path) -> bool:
    """Refuse a file of a published name that is not the published file.

    Returns:
        Whether a checksum is known, and right.

    Raises:
        InputError: it is known, and another.
    """
    if path.name not in MD5:
        return False
    with path.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != MD5[path.name]:
        raise InputError(
            f"{path}: its md5 is {found}, that of the published file {MD5[path.name]}; get it again, "
            "or use --unchecked if it is meant to be another"
        )
    return True
