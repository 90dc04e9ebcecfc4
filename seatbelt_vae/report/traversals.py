"""Latent traversals as grids of pictures: a row for each of a layer's most active dimensions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from seatbelt_vae.experiments.table import Record
from seatbelt_vae.report.formats import number
from seatbelt_vae.report.images import Pixels, data_uri, encoded, mosaic
from seatbelt_vae.report.palette import colour_of
from seatbelt_vae.report.pictures import DENSE, PictureRow, Pictures
from seatbelt_vae.report.scope import layer_name

ENDS = ("−3 s.d.", "mean", "+3 s.d.")
QUALITY = 78


@dataclass(frozen=True, eq=False)
class Grid:
    """One model's traversal of one layer.

    Args:
        record: the model.
        slot: its place in the report.
        layer: which layer, from 0 (the bottom).
        total: number of layers.
        dimensions: which of its dimensions, one a row.
        kl: what each holds of an image, nats.
        images: bytes, (rows, columns, C, H, W).
    """

    record: Record
    slot: int
    layer: int
    total: int
    dimensions: tuple[int, ...]
    kl: tuple[float, ...]
    images: Tensor

    @property
    def title(self) -> str:
        """The model and the layer."""
        return f"{self.record.label}, {layer_name(self.layer, self.total)}"

    @property
    def key(self) -> str:
        """A name for files."""
        return f"traversal-{self.slot + 1}-z{self.layer + 1}"

    @property
    def rows(self) -> list[tuple[int, str]]:
        """The number of each dimension, and what it holds."""
        holds = [number(kl, digits=2) for kl in self.kl]
        return [(dimension + 1, nats) for dimension, nats in zip(self.dimensions, holds, strict=True)]

    @property
    def sheet(self) -> Pixels:
        """All pictures in one."""
        tiles = [tile(image) for row in self.images for image in row]
        return mosaic(tiles, self.images.shape[1], gap=2)

    @property
    def uri(self) -> str:
        """The same, small enough for a page."""
        return data_uri(encoded(self.sheet, "WEBP", quality=QUALITY, method=6), "image/webp")


def tile(image: Tensor) -> Pixels:
    """Bytes (C, H, W) as a picture, (H, W) or (H, W, 3)."""
    values = image.numpy()
    if len(values) == 1:
        return values[0]
    return np.moveaxis(values, 0, -1)


def grids(records: Sequence[Record]) -> list[Grid]:
    """Every layer of every model whose traversals were made, bottom first."""
    made = []
    for slot, record in enumerate(records):
        tensors = record.measured.get("traversals", {})
        total = sum(name.startswith("images_") for name in tensors)
        for layer in range(total):
            dimensions = tuple(tensors[f"dimensions_{layer + 1}"].tolist())
            kl = tuple(tensors[f"kl_{layer + 1}"].tolist())
            made.append(Grid(record, slot, layer, total, dimensions, kl, tensors[f"images_{layer + 1}"]))
    return made


def grid_pictures(grid: Grid) -> Pictures:
    """The grid as a figure of its own, lossless: what each row and column is."""
    rows = []
    for (dimension, nats), images in zip(grid.rows, grid.images, strict=True):
        tiles = tuple(tile(image) for image in images)
        rows.append(PictureRow(f"dimension {dimension}", tiles, (f"{nats} nats",), colour_of(grid.slot)))
    columns = grid.images.shape[1]
    feet = [""] * columns
    feet[0], feet[columns // 2], feet[-1] = ENDS
    return Pictures(grid.title, tuple(rows), heading=grid.title, feet=tuple(feet), look=DENSE)
