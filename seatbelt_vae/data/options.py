"""What a user may ask of any data set, checked once."""

from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from seatbelt_vae.data.dataset import ImageDataset
from seatbelt_vae.data.reading import one_line
from seatbelt_vae.data.resize import Size, height_width
from seatbelt_vae.errors import InputError


@dataclass(frozen=True)
class Options:
    """How to read a data set.

    Attributes:
        path: the file or folder that holds it; None for one that is drawn.
        size: side in pixels, or height and width such as 48x64, in Python also (48, 64); None as stored.
        grey: turn colour into grey.
        count: how many images, drawn without replacement; None all.
        seed: of that draw.
        bounds: (0, 1) or (-1, 1).
        hold_out: the factor that splits keep apart; "none" for none, None the data set's own.
        sha256: what the file's checksum must be.

    Raises:
        InputError: a value is out of range.
    """

    path: Path | None = None
    size: int | str | None = None
    grey: bool | None = None
    count: int | None = None
    seed: int = 0
    bounds: tuple[float, float] = (0.0, 1.0)
    hold_out: str | None = None
    sha256: str | None = None

    def __post_init__(self) -> None:
        count = 1 if self.count is None else self.count
        if self.size is not None:
            height_width(self.size)
        _check_whole("count", count, 1, 2**63 - 1, "must lie between 1 and the number of images")
        _check_whole("seed", self.seed, 0, 2**63 - 1, "must lie between 0 and 2^63 - 1")
        if not isinstance(self.bounds, tuple | list) or tuple(self.bounds) not in ((0, 1), (-1, 1)):
            raise InputError(f"bounds={one_line(self.bounds)}: must be (0, 1) or (-1, 1)")

    @property
    def height_width(self) -> Size | None:
        """The size in full; None as stored."""
        if self.size is None:
            return None
        return height_width(self.size)

    def apply(self, dataset: ImageDataset) -> ImageDataset:
        """Do what was asked and has not been done yet: fewer, grey, smaller images, other bounds or hold-out."""
        if self.size is not None and not isinstance(dataset.images, Tensor):
            dataset = dataset.resized(self.size)  # first, so that a sample that fits in memory small is held
        if self.count is not None:
            dataset = dataset.sample(self.count, self.seed)
        if self.grey:
            dataset = dataset.grey()
        if self.size is not None:
            dataset = dataset.resized(self.size)
        if self.hold_out == "none":
            dataset = replace(dataset, hold_out=None)
        elif self.hold_out is not None:
            dataset = replace(dataset, hold_out=self.hold_out)
        low, high = self.bounds
        return dataset.within((float(low), float(high)))


def _check_whole(name: str, value: object, low: int, high: int, rule: str) -> None:
    if not isinstance(value, int):
        raise InputError(f"{name}={one_line(value)}: must be a whole number")
    if not low <= value <= high:
        raise InputError(f"{name}={one_line(value)}: {rule}")
