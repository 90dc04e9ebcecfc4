"""Small files that unpack to gigabytes, or say that they do."""

import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np

GIGABYTES = 2**32
CHUNK = 2**24


def zeros(size: int, wrapped: bool = False) -> bytes:
    """`size` zeros, deflated: one block again and again. `wrapped` as zlib does it, else raw."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
    head = packer.compress(bytes(CHUNK)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(CHUNK)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + block * (size // CHUNK - 1) + packer.flush()


def zip_with(path: Path, name: str, packed: bytes, size: int, head: bytes = b"") -> Path:
    """A zip archive of one file, deflated already; its checksum is wrong, for nobody should get as far as that."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, head)
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\1\2")
    local = content[: 30 + len(name)]
    central = content[at : at + 46 + len(name)]
    stored = 0xFFFFFFFF if size > 0xFFFFFFFF else size
    local[18:26] = struct.pack("<II", len(packed), stored)
    central[20:28] = struct.pack("<II", len(packed), stored)
    body = bytes(local) + packed
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(central), len(body), 0)
    path.write_bytes(body + bytes(central) + end)
    return path


def npz(path: Path) -> Path:
    """Images of which there are gigabytes, all of them zeros; the header of the array is right."""
    head = npy_header((2**20 - 1, 64, 64))
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    first = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    size = len(head) + GIGABYTES - 2 * CHUNK
    return zip_with(path, "images.npy", first + zeros(GIGABYTES - 2 * CHUNK), size)


def npy_header(shape: tuple[int, ...], kind: str = "|u1") -> bytes:
    """The header of an array."""
    words = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"
    padded = words + " " * (63 - (10 + len(words)) % 64) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(padded)) + padded.encode()


def npy(path: Path, shape: tuple[int, ...], content: bytes) -> Path:
    """An array whose header lies."""
    path.write_bytes(npy_header(shape) + content)
    return path


def png(path: Path, side: int, content: bytes = b"") -> Path:
    """A picture that says how large it is."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", content or zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


def png_of_text(path: Path) -> Path:
    """A small picture with a text of gigabytes."""
    png(path, 8, zlib.compress(bytes(8 * 9)))
    text = b"Comment\0\0" + zeros(GIGABYTES, wrapped=True)
    chunk = struct.pack(">I", len(text)) + b"zTXt" + text + struct.pack(">I", zlib.crc32(b"zTXt" + text))
    content = path.read_bytes()
    path.write_bytes(content[:33] + chunk + content[33:])
    return path


def jpeg(path: Path) -> Path:
    """A header that says 65 500 × 65 500."""
    size = struct.pack(">BHHB", 8, 65500, 65500, 1) + b"\1\x11\0"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\xff\xd8\xff\xc0" + struct.pack(">H", 2 + len(size)) + size + b"\xff\xd9")
    return path


def tiff_in_a_circle(path: Path) -> Path:
    """A page whose next page is itself."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (8, 8)).save(path)
    content = bytearray(path.read_bytes())
    first = struct.unpack("<I", content[4:8])[0]
    count = struct.unpack("<H", content[first : first + 2])[0]
    content[first + 2 + 12 * count : first + 6 + 12 * count] = struct.pack("<I", first)
    path.write_bytes(content)
    return path


def sparse_tar(path: Path) -> Path:
    """A file of a terabyte of which nothing is stored."""
    member = tarfile.TarInfo("rendered_chairs/beef/renders/image_000_p020_t011_r096.png")
    member.type = tarfile.GNUTYPE_SPARSE
    block = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    block[483:495] = b"77777777777\0"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    path.write_bytes(bytes(block) + bytes(1024))
    return path


def zeros_npy(path: Path, size: int) -> Path:
    """Plain zeros, sparse on disk."""
    with path.open("wb") as file:
        np.lib.format.write_array_header_2_0(file, {"descr": "|u1", "fortran_order": False, "shape": (size,)})
        file.truncate(size)
    return path
