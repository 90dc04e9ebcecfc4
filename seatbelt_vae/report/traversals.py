"""Latent traversals as grids of pictures: a row for each of a layer's most active dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from seatbelt_vae.report.export import SCALE, typeset
from seatbelt_vae.report.formats import number
from seatbelt_vae.report.images import Pixels, data_uri, encoded, enlarge
from seatbelt_vae.report.palette import FONT, colour_of
from seatbelt_vae.report.runs import ReportRun
from seatbelt_vae.report.scope import layer_name

LABEL, HEAD, FOOT, GAP = 96, 24, 20, 2  # points: left of the pictures, above and below them, between them
TILE = 64  # points of a picture's longer side, about
ENDS = ("−3 s.d.", "mean", "+3 s.d.")
QUALITY = 78


@dataclass(frozen=True)
class Grid:
    """One model's traversal of one layer.

    Attributes:
        run: the model.
        slot: its place in the report.
        layer: which layer, from 0 (the bottom).
        total: number of layers.
        dimensions: which of its dimensions, one a row.
        kl: what each holds of an image, nats.
        pictures: bytes, (rows, columns, H, W) or (rows, columns, H, W, 3).
    """

    run: ReportRun
    slot: int
    layer: int
    total: int
    dimensions: tuple[int, ...]
    kl: tuple[float, ...]
    pictures: Pixels

    @property
    def name(self) -> str:
        """The layer's name."""
        return layer_name(self.layer, self.total)

    @property
    def key(self) -> str:
        """A name for files."""
        return f"traversal-{self.slot + 1}-z{self.layer + 1}"

    @property
    def rows(self) -> list[str]:
        """What each row is, in words."""
        return [
            f"dimension {d + 1}: {number(kl, digits=2)} nats" for d, kl in zip(self.dimensions, self.kl, strict=True)
        ]


def grids(runs: Sequence[ReportRun]) -> list[Grid]:
    """Every layer of every model whose traversals were made, bottom first."""
    return [grid for slot, run in enumerate(runs) for grid in _of_run(run, slot)]


def _of_run(run: ReportRun, slot: int) -> list[Grid]:
    tensors = run.measured.get("traversals", {})
    total = sum(name.startswith("images_") for name in tensors)
    made = []
    for layer in range(total):
        images = tensors[f"images_{layer + 1}"].numpy()
        pictures = images[:, :, 0] if images.shape[2] == 1 else np.moveaxis(images, 2, -1)
        dimensions, kl = (tensors[f"{name}_{layer + 1}"].tolist() for name in ("dimensions", "kl"))
        made.append(Grid(run, slot, layer, total, tuple(dimensions), tuple(kl), pictures))
    return made


def sheet(grid: Grid, gap: int, times: int = 1) -> Pixels:
    """All pictures in one, `gap` white pixels between them, each pixel repeated `times` times."""
    rows, columns, height, width = grid.pictures.shape[:4]
    height, width = height * times, width * times
    page = np.full(
        (rows * (height + gap) - gap, columns * (width + gap) - gap, *grid.pictures.shape[4:]), 255, dtype=np.uint8
    )
    for row in range(rows):
        for column in range(columns):
            top, left = row * (height + gap), column * (width + gap)
            picture = grid.pictures[row, column]
            page[top : top + height, left : left + width] = enlarge(picture, times * max(picture.shape[:2]))
    return page


def grid_svg(grid: Grid) -> str:
    """The grid as a figure of its own: crisp pixels, and what each row and column is."""
    side = max(grid.pictures.shape[2:4])
    times = max(1, round(TILE * SCALE / side))
    picture = sheet(grid, GAP * SCALE, times)
    height, width = (length / SCALE for length in picture.shape[:2])
    wide, high, step = LABEL + width, HEAD + height + FOOT, height / len(grid.rows)
    columns = [LABEL + at for at in (times * side / SCALE / 2, width / 2, width - times * side / SCALE / 2)]
    title = f"{grid.run.label}, {grid.name}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:g} {high:g}" width="{wide:g}" height="{high:g}"'
        f' font-family="{FONT}" font-size="11" fill="#111">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{wide:g}" height="{high:g}" fill="#fff"/>',
        f'<rect x="0" y="{HEAD}" width="3" height="{height:g}" fill="{colour_of(grid.slot)}"/>',
        f'<text x="0" y="12" font-weight="bold">{escape(title)}</text>',
        *(_row_label(words, HEAD + step * (row + 0.5)) for row, words in enumerate(grid.rows)),
        *(
            f'<text x="{x:g}" y="{HEAD + height + 14:g}" text-anchor="middle" fill="#555" font-size="10">{words}</text>'
            for x, words in zip(columns, ENDS, strict=True)
        ),
        f'<image x="{LABEL}" y="{HEAD}" width="{width:g}" height="{height:g}" image-rendering="optimizeSpeed"'
        f' href="{data_uri(encoded(picture))}"/>',
        "</svg>",
    ]
    return typeset("\n".join(parts))


def _row_label(words: str, middle: float) -> str:
    name, _, holds = words.partition(": ")
    return (
        f'<text x="10" y="{middle - 2:g}">{escape(name)}</text>'
        f'<text x="10" y="{middle + 11:g}" fill="#555" font-size="10">{escape(holds)}</text>'
    )


def grid_html(grid: Grid) -> str:
    """The grid on a page: its rows named in text, so that they can be read on a narrow screen."""
    picture = data_uri(encoded(sheet(grid, GAP), "WEBP", quality=QUALITY, method=6), "image/webp")
    title = f"{grid.run.label}, {grid.name}"
    rows = "".join(
        f"<li><b>{d + 1}</b> {escape(number(kl, digits=2))}</li>"
        for d, kl in zip(grid.dimensions, grid.kl, strict=True)
    )
    height, width = sheet(grid, GAP).shape[:2]
    ends = "".join(f"<span>{words}</span>" for words in ENDS)
    return (
        f'<figure id="{grid.key}"><figcaption><span class=key style="background:{colour_of(grid.slot)}"></span>'
        f"{escape(title)}</figcaption><div class=traversal><ol>{rows}</ol>"
        f'<img src="{picture}" width="{width}" height="{height}" alt="{escape(title)}: {len(grid.rows)} dimensions, '
        f'each moved from −3 to +3 standard deviations"><div class=ends>{ends}</div></div></figure>'
    )
