"""Latent traversals as grids of pictures: a row for each of a layer's most active dimensions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seatbelt_vae.experiments import Record
from seatbelt_vae.report.formats import number
from seatbelt_vae.report.images import Pixels, data_uri, encoded, mosaic
from seatbelt_vae.report.palette import colour_of
from seatbelt_vae.report.pictures import PictureRow, Pictures
from seatbelt_vae.report.scope import layer_name

ENDS = ("−3 s.d.", "mean", "+3 s.d.")
QUALITY = 78


@dataclass(frozen=True, eq=False)
class Grid:
    """One model's traversal of one layer.

    Args:
        key: a name for files.
        title: the model and the layer.
        slot: the model's place in the report.
        rows: the number of each dimension, and what it holds of an image in nats.
        tiles: the pictures of each row.
    """

    key: str
    title: str
    slot: int
    rows: tuple[tuple[int, str], ...]
    tiles: tuple[tuple[Pixels, ...], ...]

    @property
    def sheet(self) -> Pixels:
        """All pictures in one."""
        return mosaic([tile for row in self.tiles for tile in row], len(self.tiles[0]), gap=2)

    @property
    def uri(self) -> str:
        """The same, small enough for a page."""
        return data_uri(encoded(self.sheet, "WEBP", quality=QUALITY, method=6), "image/webp")

    @property
    def pictures(self) -> Pictures:
        """The grid as a figure of its own, lossless: what each row and column is."""
        rows = []
        for (dimension, nats), tiles in zip(self.rows, self.tiles, strict=True):
            rows.append(PictureRow(f"dimension {dimension}", tiles, (f"{nats} nats",), colour_of(self.slot)))
        columns = len(self.tiles[0])
        feet = [""] * columns
        feet[0], feet[columns // 2], feet[-1] = ENDS
        return Pictures(self.title, tuple(rows), feet=tuple(feet), side=64, left=96, gap=2)


def grids(records: Sequence[Record]) -> list[Grid]:
    """Every layer of every model whose traversals were made, bottom first."""
    made = []
    for slot, record in enumerate(records):
        names = [name for name in record.measured.get("traversals", {}) if name.startswith("images_")]
        for layer in range(len(names)):
            made.append(_grid(record, slot, layer, len(names)))
    return made


def _grid(record: Record, slot: int, layer: int, layers: int) -> Grid:
    tensors = record.measured["traversals"]
    dimensions = tensors[f"dimensions_{layer + 1}"].tolist()
    kl = tensors[f"kl_{layer + 1}"].tolist()
    rows = []
    for dimension, nats in zip(dimensions, kl, strict=True):
        rows.append((dimension + 1, number(nats, digits=2)))
    images = tensors[f"images_{layer + 1}"].numpy()
    images = np.moveaxis(images, 2, -1)
    if images.shape[-1] == 1:
        images = images[..., 0]
    tiles = tuple(tuple(row) for row in images)
    title = f"{record.label}, {layer_name(layer, layers)}"
    return Grid(f"traversal-{slot + 1}-z{layer + 1}", title, slot, tuple(rows), tiles)
