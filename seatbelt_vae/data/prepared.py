"""Prepared data sets: images as uint8 in a file to be mapped, made once from an archive, found by name.

``NAME.json`` in the folder of prepared data says what there is and where; it is written last, so what it names is
whole. The images are known by the digest that they would have in memory.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

from seatbelt_vae.data.dataset import ImageDataset
from seatbelt_vae.data.mapped import Mapped
from seatbelt_vae.data.source import digest_of
from seatbelt_vae.data.stream import ImageStream
from seatbelt_vae.errors import InputError, RunError
from seatbelt_vae.progress import progress_bar
from seatbelt_vae.storage import read_json, write_json

IMAGES, FACTORS = "images.npy", "factors.npy"


def data_folder() -> Path:
    """Give the folder of prepared and downloaded data: ``SEATBELT_DATA``, else the platform's cache."""
    if named := os.environ.get("SEATBELT_DATA"):
        return Path(named).expanduser() / "prepared"
    import pooch

    return Path(pooch.os_cache("seatbelt-vae")) / "prepared"


def write_prepared(stream: ImageStream, about: dict[str, Any], *, progress: bool = False) -> ImageDataset:
    """Keep a data set under its name, in the place of what was there.

    Args:
        stream: the images; held in memory one batch at a time.
        about: what else to keep of it, such as its source; values that JSON can hold.
        progress: show a bar on stderr.

    Returns:
        The data set, mapped.

    Raises:
        InputError: the stream holds no image, or its factors do not fit.
        RunError: the disk is full or cannot be written; what was there before is untouched.
    """
    root = data_folder()
    with _new_folder(root, stream.name) as folder:
        _write_images(stream, folder / IMAGES, progress)
        _write_factors(stream.factors, folder / FACTORS)
        found = _dataset(folder, _described(stream), digest="unknown")
        digest = _digest(found, np.load(folder / IMAGES, mmap_mode="c"))
        place = root / f"{stream.name}-{digest[:12]}"
        if place.exists():
            shutil.rmtree(place)
        folder.rename(place)
    described = {**_described(stream), "digest": digest, "folder": place.name, **about}
    write_json(root / f"{stream.name}.json", described)
    for other in root.glob(f"{stream.name}-*"):
        if other != place:  # who has it mapped keeps it
            shutil.rmtree(other, ignore_errors=True)
    return _dataset(place, described, digest)


def find_prepared(name: str) -> ImageDataset | None:
    """Open a prepared data set; None where there is none of that name.

    Raises:
        InputError: it is damaged.
    """
    about = data_folder() / f"{name}.json"
    if not about.exists():
        return None
    again = f"prepare it again: seatbelt data prepare {name} --source PATH"
    described = read_json(about)
    try:
        return _dataset(about.parent / described["folder"], described, described["digest"])
    except (KeyError, TypeError) as error:
        raise InputError(f"{about}: is not about prepared data; {again}") from error
    except InputError as error:
        raise InputError(f"{error}; {again}") from error


def _described(stream: ImageStream) -> dict[str, Any]:
    names = {"name": stream.name, "shape": list(stream.shape), "hold_out": stream.hold_out}
    return {**names, "factor_names": list(stream.factor_names), "factor_sizes": list(stream.factor_sizes)}


def _dataset(folder: Path, described: dict[str, Any], digest: str) -> ImageDataset:
    images = Mapped(folder / IMAGES, digest)
    if list(images.shape) != described["shape"]:
        raise InputError(f"{folder / IMAGES}: holds {images.shape}, not {tuple(described['shape'])}")
    names = tuple(described["factor_names"])
    return ImageDataset(
        images,
        factors=_read_factors(folder / FACTORS) if names else None,
        factor_names=names,
        factor_sizes=tuple(described["factor_sizes"]),
        name=described["name"],
        hold_out=described["hold_out"],
        digest=digest,
    )


def _digest(dataset: ImageDataset, images: np.ndarray[Any, Any]) -> str:
    """The digest that the same data have in memory; the images are read through the map."""
    factors: Tensor | str = "none" if dataset.factors is None else dataset.factors
    known = repr((dataset.factor_names, dataset.factor_sizes, dataset.bounds))
    return digest_of(torch.from_numpy(images), factors, known)


@contextmanager
def _new_folder(root: Path, name: str) -> Iterator[Path]:
    """A folder that is gone after the block, unless it has got another name."""
    folder: Path | None = None
    try:
        root.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=root, prefix=f".{name}."))
        yield folder
    except OSError as error:
        raise RunError(f"{root}: could not be written ({error.strerror or error})") from error
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _write_images(stream: ImageStream, path: Path, progress: bool) -> None:
    """Write batch by batch, as plain writes: a full disk is an error then, and not a crash as in a map."""
    written = 0
    with path.open("wb") as file, progress_bar(f"Preparing {stream.name}", stream.shape[0], progress) as advance:
        _write_header(file, stream.shape)
        for batch in stream.batches:
            if batch.dtype != torch.uint8 or batch.shape[1:] != stream.shape[1:]:
                raise InputError(f"{stream.name}: a batch is {batch.dtype} {tuple(batch.shape)}, not {stream.shape}")
            file.write(batch.contiguous().numpy().data)
            written += len(batch)
            advance(len(batch))
        file.flush()
        os.fsync(file.fileno())
    if written != stream.shape[0] or not written:
        raise InputError(f"{stream.name}: {written} images were read, {stream.shape[0]} were announced")


def _write_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    np.lib.format.write_array_header_2_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})


def _write_factors(factors: Tensor | None, path: Path) -> None:
    if factors is not None:
        np.save(path, factors.numpy(), allow_pickle=False)


def _read_factors(path: Path) -> Tensor:
    try:
        return torch.from_numpy(np.load(path, allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: cannot be read ({' '.join(str(error).split())})") from error
