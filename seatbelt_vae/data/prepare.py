"""Prepare an original: from what its authors publish to images that training can map, once for all."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from seatbelt_vae.data.celeba import CELEBA
from seatbelt_vae.data.chairs import CHAIRS
from seatbelt_vae.data.checksums import MD5, check_published, checksum
from seatbelt_vae.data.dataset import ImageDataset
from seatbelt_vae.data.download import download
from seatbelt_vae.data.dsprites import DSPRITES
from seatbelt_vae.data.faces3d import FACES3D
from seatbelt_vae.data.options import Options
from seatbelt_vae.data.originals import Archive, Original
from seatbelt_vae.data.prepared import data_folder, write_prepared
from seatbelt_vae.data.reading import as_path
from seatbelt_vae.errors import InputError

ORIGINALS: Mapping[str, Original] = {each.name: each for each in (DSPRITES, CHAIRS, FACES3D, CELEBA)}
"""Published data sets by name."""


def prepare(
    name: str,
    source: str | Path | None = None,
    *,
    size: int | None = None,
    grey: bool = False,
    check: bool = True,
    progress: bool = False,
) -> tuple[ImageDataset, dict[str, Any]]:
    """Read a published data set once, and keep its images as bytes in a file that `load_dataset` maps.

    What was prepared under the name before is replaced. Archives are read in their place; nothing is unpacked.

    Args:
        name: one of `ORIGINALS`.
        source: what its authors publish: ``dsprites_….npz``, ``rendered_chairs.tar``, ``img_align_celeba.zip`` with its
            text files beside it, ``basel_face_renders.pth``; or a folder of images or an ``.npz`` with ``images``.
            By default it is downloaded, where that may be done.
        size: side in pixels; by default 64 for chairs and celeba, as stored for the others.
        grey: turn colour into grey.
        check: refuse a file of a published name with another checksum.
        progress: show bars on stderr.

    Returns:
        The data set, mapped; and ``folder``, ``source``, ``source_sha256`` and ``notes``.

    Raises:
        InputError: there is no such data set, or the source cannot be read or is not the published one.
        RunError: a download stopped, or the disk is full.
    """
    if name not in ORIGINALS:
        drawn = " (sprites are drawn, they need no preparation)" if name == "sprites" else ""
        raise InputError(f"{name}: cannot be prepared{drawn}, use one of {', '.join(ORIGINALS)}")
    original = ORIGINALS[name]
    path = _fetched(original, progress) if source is None else as_path(source)
    options = Options(path=path, size=size, grey=grey or None)
    archive = original.archive(path, size)
    if archive is None:
        archive = Archive(original.read(options), (path,))
    for file in archive.files:
        if check and file.is_file():
            check_published(file)
    about = {
        "source": str(path.resolve()),
        "source_sha256": checksum(path) if path.is_file() else None,
    }
    dataset = replace(options.apply(archive.dataset), name=name)
    made = write_prepared(dataset, about, progress=progress)
    return made, {"folder": str(data_folder()), **about, "notes": list(archive.notes)}


def _fetched(original: Original, progress: bool) -> Path:
    if not original.url:
        raise InputError(f"{original.instructions}; give it with --source PATH")
    name = original.url.rsplit("/", 1)[-1]
    return download(original.url, f"md5:{MD5[name]}", data_folder(), progress=progress)
