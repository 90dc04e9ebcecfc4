"""The trained models that the page offers, and their test images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from seatbelt_vae.data import ImageDataset
from seatbelt_vae.data.pictures import open_picture, read_page
from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments import RunFolder
from seatbelt_vae.models import HierarchicalVAE

LARGEST_FILE = 8 * 2**20
"""Bytes of an uploaded picture at most."""

MOST_PIXELS = 4096 * 4096
"""Pixels of an uploaded picture at most."""


@dataclass(frozen=True, eq=False)
class Run:
    """A trained model and the images that it has not seen.

    Args:
        folder: the run.
        model: its model, in evaluation mode.
        test: its test images.
    """

    folder: RunFolder
    model: HierarchicalVAE
    test: ImageDataset

    @classmethod
    def open(cls, path: str | Path) -> "Run":
        """Load a run.

        Raises:
            InputError: there is none, or it is not finished.
        """
        folder = RunFolder.open(path)
        return cls(folder, folder.model(), folder.split.test)

    @property
    def name(self) -> str:
        """The folder's name and the model's label."""
        return f"{self.folder.name} ({self.folder.record().label})"

    def image(self, number: float, upload: str | None) -> Tensor:
        """A test image by its number, or an uploaded picture, (1, C, H, W).

        Raises:
            InputError: there is no such image, or the file is no picture that can be read.
        """
        if upload:
            return self._picture(Path(upload))
        if not 0 <= number < len(self.test):
            raise InputError(f"image {number:g}: there are {len(self.test)} test images, from 0")
        return self.test[[int(number)]]

    def _picture(self, path: Path) -> Tensor:
        """An uploaded picture as the model's data are: the centre, in the size and colours of the data."""
        check_file(path)
        channels, *size = self.test.image_shape
        mode = "L" if channels == 1 else "RGB"
        with open_picture(path) as picture:
            image = read_page(picture, Path(path.name), (size[0], size[1]), mode, None)
        low, high = self.test.bounds
        return (low + (high - low) * image.float() / 255)[None]


def check_file(path: Path) -> None:
    """Refuse a file that is too large, and a picture of too many pixels.

    Raises:
        InputError: either, or it is no picture.
    """
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise InputError(f"{path.name}: has {size / 2**20:.0f} MiB, at most {LARGEST_FILE / 2**20:.0f} are taken")
    try:
        with open_picture(path) as picture:
            width, height = picture.size
    except InputError as error:
        raise InputError(f"{path.name}: is not a picture that can be read; PNG, JPEG, WebP or TIFF would be") from error
    if width * height > MOST_PIXELS:
        raise InputError(f"{path.name}: has {width}×{height} pixels, at most {MOST_PIXELS} are taken")


def open_runs(paths: Sequence[str | Path]) -> dict[str, Run]:
    """Load runs, by the names under which the page offers them.

    Raises:
        InputError: none is given, one cannot be opened, or their images differ in shape.
    """
    if not paths:
        raise InputError("runs: none given, name one or more folders that seatbelt train wrote")
    runs: dict[str, Run] = {}
    for path in paths:
        run = Run.open(path)
        name = run.name
        if name in runs:
            name = f"{run.folder.path} ({run.folder.record().label})"
        runs[name] = run
    first = next(iter(runs.values()))
    for run in runs.values():
        if run.test.image_shape != first.test.image_shape:
            shapes = f"{first.test.image_shape} and {run.test.image_shape}"
            raise InputError(f"{run.folder.path}: its images are not those of the first run ({shapes}, C, H, W)")
    return runs


def noisy(image: Tensor, scale: float, bounds: tuple[float, float], seed: int = 0) -> Tensor:
    """An image with Gaussian noise of a scale, cut to the bounds."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(image.shape, generator=generator)
    return (image + scale * noise).clamp(*bounds)
