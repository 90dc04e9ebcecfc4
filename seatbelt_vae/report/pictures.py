"""Rows of pictures with their names beside them, as one SVG: panels, reconstructions, traversals."""

import textwrap
from dataclasses import dataclass

import numpy as np

from seatbelt_vae.report.export import SCALE, typeset
from seatbelt_vae.report.images import Pixels, data_uri, distortion_pixels
from seatbelt_vae.report.palette import FONT, rgb
from seatbelt_vae.report.templating import rendered

HEAD = 26
"""Points above the pictures."""

LINE = 13
"""Points from one line of words to the next."""

HIGH = 80
"""Points from which a picture is high."""

RAMP = 12, 8
"""Points above a scale of distortions, and its height."""


class Canvas:
    """A white sheet for pictures and words; all places and sizes are in points."""

    def __init__(self) -> None:
        self.pictures: list[dict[str, object]] = []
        self.words: list[dict[str, object]] = []

    def draw(self, picture: Pixels, place: tuple[float, float], size: tuple[float, float], framed: bool = True) -> None:
        """Put a picture with its upper left corner at a place; a frame shows where a white one ends on white."""
        self.pictures.append({"uri": data_uri(picture), "place": place, "size": size, "framed": framed})

    def say(self, words: str, x: float, y: float, style: str = "name") -> None:
        """Put words on a line; the template has the styles."""
        self.words.append({"text": words, "x": x, "y": y, "style": style})

    def svg(self, title: str, width: float, height: float) -> str:
        """The sheet as an SVG document that holds its pictures in itself."""
        drawn = {"pictures": self.pictures, "words": self.words, "font": FONT}
        return typeset(rendered("pictures.svg.j2", title=title, width=width, height=height, **drawn))


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

    def column(self, place: int) -> float:
        """Where a column begins."""
        return self.left + place * (self.size[0] + self.gap)


def pictures_svg(figure: Pictures) -> str:
    """Draw a figure as an SVG document that holds its pictures in itself, on white."""
    canvas = Canvas()
    wide, high = figure.size
    top: float = HEAD
    if not figure.heads:
        canvas.say(figure.title, 0, top - 12)
    for column, words in enumerate(figure.heads):
        canvas.say(words, figure.column(column) + wide / 2, top - 10, "head")
    for row in figure.rows:
        _draw_row(canvas, figure, row, top)
        top += high + figure.gap
    bottom = top - figure.gap
    height = bottom
    for column, words in enumerate(figure.feet):
        canvas.say(words, figure.column(column) + wide / 2, bottom + 14, "foot")
    if figure.feet:
        height += 20
    if figure.gain:
        _draw_ramp(canvas, figure, bottom)
        height += 48
    columns = max(len(row.tiles) for row in figure.rows)
    return canvas.svg(figure.title, figure.column(columns) - figure.gap, height)


def _draw_row(canvas: Canvas, figure: Pictures, row: PictureRow, top: float) -> None:
    high = figure.size[1]
    for column, tile in enumerate(row.tiles):
        canvas.draw(tile, (figure.column(column), top), figure.size)
    left = 0
    if row.colour:
        canvas.draw(np.full((1, 1, 3), rgb(row.colour), np.uint8), (0, top), (3, high), framed=False)
        left = 10
    label = wrapped(row.label)
    y = top + 11
    if high < HIGH:
        y += max(high - LINE * (len(label) + len(row.lines)), 0) / 2
    for words in label:
        canvas.say(words, left, y)
        y += LINE
    for words in row.lines:
        canvas.say(words, left, y + 4, "line")
        y += LINE


def _draw_ramp(canvas: Canvas, figure: Pictures, bottom: float) -> None:
    """The scale under the distortions: full scale is ±1/gain of the data's range."""
    wide = figure.size[0]
    left = figure.column(figure.scaled)
    space, height = RAMP
    channels = {2: 1, 3: 3}[figure.rows[0].tiles[0].ndim]
    scale = np.linspace(-1, 1, round(wide * SCALE))
    ramp = np.broadcast_to(scale, (channels, 1, len(scale)))
    canvas.draw(distortion_pixels(ramp, 1.0), (left, bottom + space), (wide, height))
    full = f"1/{figure.gain:g}".removesuffix("/1")
    for share, words in ((0, f"−{full}"), (0.5, "0"), (1, f"+{full}")):
        canvas.say(words, left + share * wide, bottom + space + 19, "note")
    words = f"shown ×{figure.gain:g}; scale in the data’s range"
    canvas.say(words, left + wide / 2, bottom + space + 31, "note")


def wrapped(label: str, width: int = 22) -> list[str]:
    """A label on lines of at most about `width` characters, broken at spaces.

    Example:
        >>> wrapped("Seatbelt-VAE, L=3, β=4, chain")
        ['Seatbelt-VAE, L=3,', 'β=4, chain']
    """
    return textwrap.wrap(label, width, break_long_words=False, break_on_hyphens=False) or [""]
