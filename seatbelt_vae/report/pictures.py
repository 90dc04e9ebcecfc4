"""Rows of pictures with their names beside them, as one SVG: panels, reconstructions, traversals."""

import textwrap
from dataclasses import dataclass

from seatbelt_vae.pixels import Pixels
from seatbelt_vae.report.export import SCALE, typeset
from seatbelt_vae.report.palette import DIVERGING, FONT
from seatbelt_vae.report.templating import rendered

HEAD = 26
"""Points above the pictures."""


@dataclass(frozen=True)
class PictureRow:
    """Some pictures and their name.

    Args:
        label: the name.
        tiles: bytes (H, W) or (H, W, 3) each, all of one size.
        lines: a few short lines of words below the name.
        colour: of a bar at the left; empty for none.
    """

    label: str
    tiles: tuple[Pixels, ...]
    lines: tuple[str, ...] = ()
    colour: str = ""

    @property
    def names(self) -> list[str]:
        """The name on short lines, broken at spaces."""
        return textwrap.wrap(self.label, 22, break_long_words=False, break_on_hyphens=False)


@dataclass(frozen=True)
class Pictures:
    """A figure of pictures in rows; sizes in points.

    Args:
        title: what it shows.
        rows: from above.
        heads: words above the columns; without them the title stands there.
        feet: words below the columns.
        gain: by which the distortions of column `scaled` are multiplied; their scale is drawn below. 0: none.
        scaled: the column of distortions.
        side: about that of a picture's longer side; each pixel is a whole number of those of a PNG.
        left: room for the names.
        gap: between pictures.
    """

    title: str
    rows: tuple[PictureRow, ...]
    heads: tuple[str, ...] = ()
    feet: tuple[str, ...] = ()
    gain: float = 0
    scaled: int = 0
    side: float = 107
    left: float = 150
    gap: float = 8

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of a picture."""
        height, width = self.rows[0].tiles[0].shape[:2]
        times = max(1, round(self.side * SCALE / max(height, width)))
        return width * times / SCALE, height * times / SCALE

    @property
    def ramp(self) -> tuple[str, ...]:
        """Colours of the scale of distortions, from darker to brighter; for colour images each channel's."""
        if self.rows[0].tiles[0].ndim == 2:
            return DIVERGING
        return "#000000", "#808080", "#ffffff"


def pictures_svg(figure: Pictures) -> str:
    """Draw a figure as an SVG document that holds its pictures in itself, on white."""
    return typeset(rendered("pictures.svg.j2", figure=figure, font=FONT, head=HEAD))
