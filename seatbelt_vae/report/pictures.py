"""Rows of pictures with their names beside them, as one figure: panels, reconstructions, traversals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seatbelt_vae.report.canvas import Canvas
from seatbelt_vae.report.export import SCALE
from seatbelt_vae.report.images import Pixels, distortion_pixels, enlarge, framed
from seatbelt_vae.report.palette import rgb

HEAD = 26
"""Points above the pictures."""

LINE = 13
"""Points from one line of words to the next."""

HIGH = 80
"""Points from which a picture is high."""

RAMP = 12, 8
"""Points above a scale of distortions, and its height."""


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
        side: about that of a picture's longer side.
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


def pictures_svg(figure: Pictures) -> str:
    """Draw a figure.

    Returns:
        An SVG document that holds its pictures in itself, on white.

    Raises:
        InputError: the extra that draws is not installed.
    """
    canvas = Canvas()
    high, wide = np.array(_large(figure, figure.rows[0].tiles[0]).shape[:2]) / SCALE
    columns = max(len(row.tiles) for row in figure.rows)
    lefts = [figure.left + column * (wide + figure.gap) for column in range(columns)]
    top = HEAD
    if not figure.heads:
        canvas.say(figure.title, 0, top - 12)
    for left, words in zip(lefts, figure.heads, strict=False):
        canvas.say(words, left + wide / 2, top - 10, "head")
    for row in figure.rows:
        _draw_row(canvas, figure, row, top, lefts)
        top += high + figure.gap
    bottom = top - figure.gap
    for left, words in zip(lefts, figure.feet, strict=False):
        canvas.say(words, left + wide / 2, bottom + 14, "foot")
    height = bottom
    if figure.feet:
        height += 20
    if figure.gain:
        _draw_ramp(canvas, figure, lefts[figure.scaled], bottom, wide)
        height += 48
    return canvas.svg(figure.title, lefts[-1] + wide, height)


def _large(figure: Pictures, tile: Pixels) -> Pixels:
    return framed(enlarge(tile, figure.side * SCALE))


def _draw_row(canvas: Canvas, figure: Pictures, row: PictureRow, top: float, lefts: Sequence[float]) -> None:
    tiles = [_large(figure, tile) for tile in row.tiles]
    for tile, left in zip(tiles, lefts, strict=False):
        canvas.draw(tile, left, top)
    pixels = len(tiles[0])
    left = 0
    if row.colour:
        bar = np.full((pixels, 3 * SCALE, 3), rgb(row.colour), dtype=np.uint8)
        canvas.draw(bar, 0, top)
        left = 10
    label = wrapped(row.label)
    free = pixels / SCALE - LINE * (len(label) + len(row.lines))
    y = top + 11
    if pixels / SCALE < HIGH:
        y += max(free, 0) / 2
    for words in label:
        canvas.say(words, left, y)
        y += LINE
    for words in row.lines:
        canvas.say(words, left, y + 4, "line")
        y += LINE


def _draw_ramp(canvas: Canvas, figure: Pictures, left: float, bottom: float, wide: float) -> None:
    """The scale under the distortions: full scale is ±1/gain of the data's range."""
    space, height = RAMP
    channels = 1
    if figure.rows[0].tiles[0].ndim == 3:
        channels = 3
    scale = np.linspace(-1, 1, round(wide * SCALE))
    ramp = np.broadcast_to(scale, (channels, height * SCALE, len(scale)))
    canvas.draw(framed(distortion_pixels(ramp, 1.0)), left, bottom + space)
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
    lines = [""]
    for word in label.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
