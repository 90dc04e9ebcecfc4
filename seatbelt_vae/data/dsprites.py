"""The original dSprites file (737 280 images, 3 GB in memory); `sprites` draws the same without it.

References:
    Matthey, Higgins, Hassabis and Lerchner 2017, https://github.com/google-deepmind/dsprites-dataset (Apache-2.0).
"""

import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from seatbelt_vae.data.arrays import npz_keys, read_arrays, vet
from seatbelt_vae.data.checksums import checksum
from seatbelt_vae.data.npz import published_dsprites
from seatbelt_vae.data.originals import Archive, Original
from seatbelt_vae.data.paths import load_path
from seatbelt_vae.data.reading import one_line, reading
from seatbelt_vae.data.source import ImageSource, digest_of
from seatbelt_vae.errors import InputError

FILE = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"


class SpriteFile(ImageSource):
    """``imgs`` of the original file, unpacked as they are asked for: fast in order, and never all in memory.

    Args:
        path: the file.

    Raises:
        InputError: it is damaged, or holds something else.
    """

    def __init__(self, path: Path) -> None:
        with reading(path, ".npz"):
            archive = zipfile.ZipFile(path)
            header = vet(path, archive, "imgs")
            self._file = archive.open("imgs.npy")
        shape = header.shape
        square = len(shape) == 3 and shape[1] == shape[2] and 0 not in shape
        if header.dtype != np.uint8 or header.fortran or not square:
            kind = f"{one_line(header.dtype)} {shape}"
            raise InputError(f"{path}: imgs is {kind}, it must be uint8 (N, H, H), as in {FILE}")
        count, side, _ = shape
        self._start = header.end
        self._path = path
        self.shape = (count, 1, side, side)
        self.digest = digest_of("dsprites", checksum(path))

    def read(self, indices: Tensor) -> Tensor:
        """Unpack the images at `indices`: uint8, 0 or 255, (B, 1, H, H)."""
        side = self.shape[-1]
        size = side * side
        content = bytearray()
        with reading(self._path, ".npz"):
            for row in indices.tolist():
                self._file.seek(self._start + row * size)
                content += self._file.read(size)
            pixels = torch.frombuffer(content, dtype=torch.uint8)
            images = pixels.view(len(indices), 1, side, side)
        if int(images.max()) > 1:
            raise InputError(f"{self._path}: imgs holds {int(images.max())}, it must be 0 or 1, as in {FILE}")
        return images * 255


def archive(path: Path, size: int | None) -> Archive | None:
    """Open the original file, to be read batch by batch."""
    if path.suffix.lower() != ".npz" or "imgs" not in npz_keys(path):
        return None
    arrays = read_arrays(path, ("latents_classes",))
    dataset = published_dsprites(path, SpriteFile(path), arrays)
    if size is not None:
        dataset = dataset.resized(size)
    return Archive(dataset, (path,))


DSPRITES = Original(
    "dsprites",
    "the original dSprites file: 737 280 images 64×64, black and white, 5 factors (needs path=)",
    f"dsprites: needs path=FILE, the file {FILE} from https://github.com/google-deepmind/dsprites-dataset; "
    "or use 'sprites', the same images drawn without a download",
    load_path,
    archive,
    url=f"https://github.com/google-deepmind/dsprites-dataset/raw/master/{FILE}",
)
