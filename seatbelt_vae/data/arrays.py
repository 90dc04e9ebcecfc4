"""Arrays of an ``.npz`` file: each is vetted by its header before a byte of it is read, and nothing is unpickled."""

import io
import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeAlias

import numpy as np

from seatbelt_vae.data.reading import one_line, reading, refuse_bomb
from seatbelt_vae.errors import InputError

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

_LONGEST_HEADER = 10_000


class Header(NamedTuple):
    """What an array says of itself."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]
    end: int


def npz_keys(path: Path) -> list[str]:
    """List the keys of an ``.npz`` file."""
    with reading(path, ".npz"):
        with path.open("rb") as file:
            if file.read(6) == np.lib.format.MAGIC_PREFIX:
                raise InputError(f"{path}: is a single array (.npy); an .npz with the key 'images' is needed")
        with zipfile.ZipFile(path) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist()]


def read_arrays(path: Path, wanted: Sequence[str]) -> dict[str, Array]:
    """Read those of the wanted arrays that an ``.npz`` file holds; others are not touched."""
    known = npz_keys(path)
    arrays = {}
    with reading(path, ".npz"), zipfile.ZipFile(path) as archive:
        for key in wanted:
            if key in known:
                vet(path, archive, key)
                with archive.open(f"{key}.npy") as member:
                    arrays[key] = np.lib.format.read_array(member, allow_pickle=False)
    return arrays


def vet(path: Path, archive: zipfile.ZipFile, key: str) -> Header:
    """Look at an array's header."""
    info = archive.getinfo(f"{key}.npy")
    refuse_bomb(path, key, info.file_size, info.compress_size)
    with archive.open(info) as member:
        header = read_header(member)
    stored = info.file_size - header.end
    if header.dtype.hasobject:
        raise InputError(
            f"{path}: {key} cannot be read: it is an object array (pickled); "
            "save numbers as integers, and names as np.array([...], dtype=str)"
        )
    announced = math.prod(header.shape) * header.dtype.itemsize
    if min(header.shape, default=0) < 0 or announced > stored:
        raise InputError(f"{path}: {key} cannot be read: damaged or cut short ({stored} bytes, not {announced})")
    return header


def read_header(file: IO[bytes]) -> Header:
    """Read the header of an ``.npy`` file, and never more than 10 000 bytes."""
    version = np.lib.format.read_magic(file)
    width = 4
    parse = np.lib.format.read_array_header_2_0
    if version == (1, 0):
        width = 2
        parse = np.lib.format.read_array_header_1_0
    size = file.read(width)
    length = int.from_bytes(size, "little")
    if length > _LONGEST_HEADER:
        raise ValueError(f"a header of {length} bytes")
    text = io.BytesIO(size + file.read(length))
    return Header(*parse(text), end=file.tell())


def kind_of(array: Array) -> str:
    """Say the type and shape of an array for a message."""
    return f"{one_line(array.dtype)} {array.shape}"
