"""The six pictures drawn: crisp tiles, rows of models, and the scale of the distortions, as SVG or as a picture."""

from __future__ import annotations

import io
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from seatbelt_vae.report.export import SCALE, svg_png, typeset
from seatbelt_vae.report.images import Pixels, data_uri, encoded, enlarge
from seatbelt_vae.report.palette import DIVERGING, FONT, GREYS
from seatbelt_vae.report.panels import PanelRow, Panels

if TYPE_CHECKING:
    from PIL.Image import Image

TITLES = ("Original x", "Reconstruction", "Adversarial x*", "Distortion d", "Reconstruction of x*", "Target xₜ")

GAP, LABEL, HEAD, FOOT = 8, 150, 26, 40  # points: between tiles, left, above and below them
RESOLUTION = 320  # about the pixels of a tile's longer side in a PNG, where each of its own is a whole number of them


@dataclass(frozen=True)
class _Tiles:
    """Where the tiles of one figure lie; sizes in points, so that in a PNG a picture's pixels are whole."""

    width: float
    height: float

    @classmethod
    def of(cls, figure: Panels) -> _Tiles:
        height, width = enlarge(figure.rows[0].tiles[0], RESOLUTION).shape[:2]
        return cls(width / SCALE, height / SCALE)

    def left(self, column: int) -> float:
        return LABEL + column * (self.width + GAP)

    def top(self, row: int) -> float:
        return HEAD + row * (self.height + GAP)

    def middle(self, column: int) -> float:
        return self.left(column) + self.width / 2


def panels_svg(figure: Panels) -> str:
    """Draw the figure; every pixel of a picture is a crisp square.

    Returns:
        An SVG document that holds its pictures in itself, on white.
    """
    tiles = _Tiles.of(figure)
    width, height = tiles.left(6) - GAP, tiles.top(len(figure.rows)) + FOOT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}"'
        f' height="{height:g}" font-family="{FONT}" font-size="11" fill="#111">',
        f"<title>{escape(figure.title)}</title>",
        f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>',
        *(_text(tiles.middle(column), HEAD - 10, title, "middle") for column, title in enumerate(TITLES)),
        *(part for place, row in enumerate(figure.rows) for part in _row(row, tiles, tiles.top(place))),
        *_scale(figure, tiles, tiles.top(len(figure.rows)) + 4),
        "</svg>",
    ]
    return typeset("\n".join(parts))


def panels_image(figure: Panels, scale: float = SCALE) -> Image:
    """The figure as a picture.

    Args:
        figure: what `panels` gathered.
        scale: pixels a point; 3 gives 216 pixels per inch.

    Raises:
        InputError: the extra that draws is not installed.
    """
    from PIL import Image

    return Image.open(io.BytesIO(svg_png(panels_svg(figure), scale)))


def _text(x: float, y: float, words: str, anchor: str = "start", style: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" {style}>{escape(words)}</text>'


def _row(row: PanelRow, tiles: _Tiles, top: float) -> list[str]:
    label = _wrapped(row.label)
    start = top + 15 + 13 * len(label)
    return [
        f'<rect x="0" y="{top:g}" width="3" height="{tiles.height:g}" fill="{row.colour}"/>',
        *(_text(10, top + 11 + 13 * n, line, style='font-weight="bold"') for n, line in enumerate(label)),
        *(_text(10, start + 13 * n, line, style='fill="#555" font-size="10"') for n, line in enumerate(row.caption)),
        *(_tile(tile, tiles, tiles.left(column), top) for column, tile in enumerate(row.tiles)),
    ]


def _wrapped(label: str, width: int = 22) -> list[str]:
    """A label on lines of at most about `width` characters, broken at spaces."""
    lines = [""]
    for word in label.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _tile(tile: Pixels, tiles: _Tiles, left: float, top: float) -> str:
    source = data_uri(encoded(enlarge(tile, RESOLUTION)))
    frame = f'x="{left:.6g}" y="{top:.6g}" width="{tiles.width:.6g}" height="{tiles.height:.6g}"'
    return (
        f'<image {frame} href="{source}" image-rendering="optimizeSpeed"/>'
        f'<rect {frame} fill="none" stroke="#000" stroke-opacity="0.25" stroke-width="0.5"/>'
    )


def _scale(figure: Panels, tiles: _Tiles, top: float) -> list[str]:
    """The scale under the distortions: full scale is ±1/gain of the data's range."""
    left, full, small = tiles.left(3), "1" if figure.gain == 1 else f"1/{figure.gain:g}", 'font-size="9"'
    ramp = GREYS if figure.colour else DIVERGING
    stops = "".join(
        f'<stop offset="{place / (len(ramp) - 1):g}" stop-color="{colour}"/>' for place, colour in enumerate(ramp)
    )
    words = f"shown ×{figure.gain:g}; scale in the data’s range"
    return [
        f'<defs><linearGradient id="scale">{stops}</linearGradient></defs>',
        f'<rect x="{left:g}" y="{top:g}" width="{tiles.width:g}" height="8" fill="url(#scale)" stroke="#888"'
        ' stroke-width="0.5"/>',
        _text(left, top + 19, f"−{full}", style=small),
        _text(tiles.middle(3), top + 19, "0", "middle", small),
        _text(left + tiles.width, top + 19, f"+{full}", "end", small),
        _text(tiles.middle(3), top + 31, words, "middle", 'font-size="9" fill="#555"'),
    ]
