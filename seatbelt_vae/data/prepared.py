"""Prepared data sets: images as uint8 in a file to be mapped, made once from an archive, found by name.

``NAME.json`` in the folder of prepared data says what there is and where; it is written last, so what it names is
whole. The images are known by the digest that they would have in memory. Each has a checksum, and the note a seal: a
hash of itself, of the checksums and of the factors.
"""

import os
import shutil
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field

from seatbelt_vae.data.dataset import ImageDataset, content_digest
from seatbelt_vae.data.mapped import Mapped
from seatbelt_vae.data.reading import reading
from seatbelt_vae.data.source import Shape, digest_of
from seatbelt_vae.data.workplace import settling, working_folder
from seatbelt_vae.errors import InputError
from seatbelt_vae.progress import progress_bar
from seatbelt_vae.storage import write_json

IMAGES, CHECKSUMS, FACTORS = "images.npy", "checksums.npy", "factors.npy"

_BATCH = 512


class About(BaseModel):
    """What ``NAME.json`` says: the data set but for its images, and where these lie."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    shape: Shape
    hold_out: str | None
    factor_names: tuple[str, ...]
    factor_sizes: tuple[int, ...]
    digest: str
    folder: str = Field(pattern=r"^[\w-]+$")
    seal: str = ""

    def sealed(self, folder: Path) -> str:
        """Hash all but the images."""
        parts: list[str | bytes] = [self.model_dump_json(exclude={"seal"})]
        for name in (CHECKSUMS, FACTORS):
            path = folder / name
            parts.append(path.read_bytes() if path.exists() else b"")
        return digest_of(*parts)


def data_folder() -> Path:
    """Give the folder of prepared and downloaded data: ``SEATBELT_DATA``, else the platform's cache."""
    named = os.environ.get("SEATBELT_DATA")
    if named:
        return Path(named).expanduser() / "prepared"
    import pooch

    return Path(pooch.os_cache("seatbelt-vae")) / "prepared"


def write_prepared(dataset: ImageDataset, source: dict[str, Any], *, progress: bool = False) -> ImageDataset:
    """Keep a data set under its name, in the place of what was there."""
    root = data_folder()
    name = dataset.name
    with working_folder(root, name) as folder:
        _write_images(dataset, folder / IMAGES, progress)
        _write_factors(dataset, folder / FACTORS)
        images = np.load(folder / IMAGES, mmap_mode="c")
        digest = content_digest(dataset, torch.from_numpy(images))
        place = root / f"{name}-{digest[:12]}"
        shape = (len(dataset), *dataset.image_shape)
        about = About.model_validate({**vars(dataset), "shape": shape, "digest": digest, "folder": place.name})
        about = about.model_copy(update={"seal": about.sealed(folder)})
        with settling(root):
            shutil.rmtree(place, ignore_errors=True)
            folder.rename(place)
            write_json(root / f"{name}.json", {**about.model_dump(), **source})
            for other in root.glob(f"{name}-*"):
                if other != place:  # who has it mapped keeps it
                    shutil.rmtree(other, ignore_errors=True)
    return _open(root, about)


def find_prepared(name: str) -> ImageDataset | None:
    """Open a prepared data set; None where there is none of that name."""
    root = data_folder()
    path = root / f"{name}.json"
    if not os.path.exists(path):
        return None
    try:
        with reading(path, "a note on prepared data"):
            about = About.model_validate_json(path.read_bytes())
        return _open(root, about)
    except InputError as error:
        raise InputError(f"{error}; prepare it again: seatbelt data prepare {name} --source PATH") from error


def _open(root: Path, about: About) -> ImageDataset:
    folder = root / about.folder
    with reading(folder / CHECKSUMS, "prepared data"):
        if about.seal != about.sealed(folder):
            raise InputError(f"{folder}: is not what was prepared")
        checksums = np.load(folder / CHECKSUMS, allow_pickle=False)
    images = Mapped(folder / IMAGES, about.digest, checksums)
    if images.shape != about.shape:
        raise InputError(f"{folder / IMAGES}: holds {images.shape}, not {about.shape}")
    factors = None
    if about.factor_names:
        with reading(folder / FACTORS, ".npy"):
            factors = torch.from_numpy(np.load(folder / FACTORS, allow_pickle=False))
    known = about.model_dump(exclude={"shape", "folder", "seal"})
    return ImageDataset(images, factors=factors, **known)


def _write_images(dataset: ImageDataset, path: Path, progress: bool) -> None:
    """Write batch by batch, and a checksum of each image. Plain writes: a full disk is an error then, and no crash."""
    count = len(dataset)
    shape = tuple(dataset.images.shape)
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    checksums = []
    with path.open("wb") as file, progress_bar(f"Preparing {dataset.name}", count, progress) as advance:
        np.lib.format.write_array_header_2_0(file, header)
        for start in range(0, count, _BATCH):
            batch = dataset.images[start : start + _BATCH].contiguous().numpy()
            file.write(batch.data)
            checksums += [zlib.crc32(image) for image in batch]
            advance(len(batch))
        file.flush()
        os.fsync(file.fileno())
    np.save(path.with_name(CHECKSUMS), np.array(checksums, dtype=np.uint32))


def _write_factors(dataset: ImageDataset, path: Path) -> None:
    if dataset.factors is not None:
        np.save(path, dataset.factors.numpy(), allow_pickle=False)
