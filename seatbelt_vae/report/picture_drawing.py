"""Pictures drawn: every pixel a crisp square, in a PNG of whole pixels, with names beside and words around them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from seatbelt_vae.report.export import SCALE, chart_svg, needed
from seatbelt_vae.report.images import Pixels, data_uri, distortion_pixels, encoded, enlarge
from seatbelt_vae.report.palette import FONT
from seatbelt_vae.report.pictures import TITLES, PictureRow, Pictures

HEAD = 26
FOOT = 20
RAMP = 48
"""Points above the pictures, below them, and below them where there is a scale of the distortions."""

LINE = 13
"""Points from one line of words to the next."""

HIGH = 80
"""Points from which a picture is high."""

INK = "#111111"
GREY = "#555555"
STYLES: dict[str, dict[str, Any]] = {
    "label": {"align": "left", "fontSize": 11, "fontWeight": "bold", "color": INK},
    "line": {"align": "left", "fontSize": 10, "color": GREY},
    "head": {"align": "center", "fontSize": 11, "color": INK},
    "foot": {"align": "center", "fontSize": 10, "color": GREY},
    "low": {"align": "left", "fontSize": 9, "color": INK},
    "high": {"align": "right", "fontSize": 9, "color": INK},
    "note": {"align": "center", "fontSize": 9, "color": GREY},
}

Mark = dict[str, Any]
"""What is drawn: ``x`` and ``y`` in points, and ``words``, ``url`` or ``colour``."""


@dataclass(frozen=True)
class Layout:
    """Where the pictures of a figure stand, in points.

    Args:
        figure: the figure.
        width: of a picture.
        height: of a picture.
    """

    figure: Pictures
    width: float
    height: float

    @classmethod
    def of(cls, figure: Pictures) -> "Layout":
        """Pictures as large as whole pixels in a PNG make them."""
        height, width = enlarge(figure.rows[0].tiles[0], figure.look.side * SCALE).shape[:2]
        return cls(figure, width / SCALE, height / SCALE)

    def left(self, column: int) -> float:
        """The left end of a column."""
        return self.figure.look.label + column * (self.width + self.figure.look.gap)

    def middle(self, column: int) -> float:
        """Its middle."""
        return self.left(column) + self.width / 2

    def top(self, row: int) -> float:
        """The upper end of a row."""
        head = HEAD if self.figure.heads or self.figure.heading else 0
        return head + row * (self.height + self.figure.look.gap)

    @property
    def bottom(self) -> float:
        """The lower end of the pictures."""
        return self.top(len(self.figure.rows)) - self.figure.look.gap

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the figure."""
        columns = max(len(row.tiles) for row in self.figure.rows)
        high = self.bottom
        if self.figure.feet:
            high += FOOT
        if self.figure.gain:
            high += RAMP
        return self.left(columns) - self.figure.look.gap, high


def pictures_svg(figure: Pictures) -> str:
    """Draw a figure.

    Returns:
        An SVG document that holds its pictures in itself, on white.

    Raises:
        InputError: the extra that draws is not installed.
    """
    alt: Any = needed("altair")
    layout = Layout.of(figure)
    layers = [*_bars(alt, layout), *_tiles(alt, layout), *_ramp(alt, layout), *_words(alt, layout)]
    width, height = layout.size
    chart = alt.layer(*layers).properties(
        width=width, height=height, background="#ffffff", padding=0, description=figure.title
    )
    return chart_svg(chart.properties(autosize=alt.AutoSizeParams(type="none")).configure_view(stroke=None))


def _layer(alt: Any, marks: list[Mark]) -> Any:
    """A layer whose positions are points: no scale, no axis."""
    x = alt.X("x:Q", scale=None, axis=None)
    y = alt.Y("y:Q", scale=None, axis=None)
    return alt.Chart(alt.Data(values=marks)).encode(x=x, y=y)


def _bars(alt: Any, layout: Layout) -> Iterator[Any]:
    """The colours of models at the left."""
    marks: list[Mark] = []
    for place, row in enumerate(layout.figure.rows):
        if row.colour:
            top = layout.top(place)
            marks.append({"x": 0, "x2": 3, "y": top, "y2": top + layout.height, "colour": row.colour})
    if marks:
        colour = alt.Color("colour:N", scale=None, legend=None)
        yield _layer(alt, marks).mark_rect(aria=False).encode(x2="x2:Q", y2="y2:Q", color=colour)


def _tiles(alt: Any, layout: Layout) -> Iterator[Any]:
    marks: list[Mark] = []
    for place, row in enumerate(layout.figure.rows):
        for column, tile in enumerate(row.tiles):
            picture = enlarge(tile, layout.figure.look.side * SCALE)
            marks.append({"x": layout.left(column), "y": layout.top(place), "url": _url(picture)})
    yield _images(alt, marks, layout.width, layout.height)
    if layout.figure.look.framed:
        frames = [_box(mark, layout) for mark in marks]
        line = {"stroke": "#000000", "strokeOpacity": 0.25, "strokeWidth": 0.5}
        yield _layer(alt, frames).mark_rect(filled=False, aria=False, **line).encode(x2="x2:Q", y2="y2:Q")


def _box(mark: Mark, layout: Layout) -> Mark:
    x = mark["x"]
    y = mark["y"]
    return {"x": x, "y": y, "x2": x + layout.width, "y2": y + layout.height}


def _images(alt: Any, marks: list[Mark], width: float, height: float) -> Any:
    size = {"width": width, "height": height, "align": "left", "baseline": "top"}
    return _layer(alt, marks).mark_image(aspect=False, smooth=False, aria=False, **size).encode(url="url:N")


def _url(picture: Pixels) -> str:
    return data_uri(encoded(picture))


def _ramp(alt: Any, layout: Layout) -> Iterator[Any]:
    """The scale under the distortions: full scale is ±1/gain of the data's range."""
    gain = layout.figure.gain
    if not gain:
        return
    full = f"1/{gain:g}".removesuffix("/1")
    column = TITLES.index("Distortion d")
    left = layout.left(column)
    middle = layout.middle(column)
    top = layout.bottom + 12
    channels = layout.figure.rows[0].tiles[0].ndim  # (H, W) is grey
    scale = np.broadcast_to(np.linspace(-1, 1, 256), (2 * channels - 3, 1, 256))
    ramp = _url(distortion_pixels(scale, 1.0))
    yield _images(alt, [{"x": left, "y": top, "url": ramp}], layout.width, 8)
    yield _text(alt, "low", [_say(left, top + 19, f"−{full}")])
    yield _text(alt, "high", [_say(left + layout.width, top + 19, f"+{full}")])
    shown = f"shown ×{gain:g}; scale in the data’s range"
    yield _text(alt, "note", [_say(middle, top + 19, "0"), _say(middle, top + 31, shown)])


def _words(alt: Any, layout: Layout) -> Iterator[Any]:
    figure = layout.figure
    heads = [_say(layout.middle(column), HEAD - 10, words) for column, words in enumerate(figure.heads)]
    feet = [_say(layout.middle(column), layout.bottom + 14, words) for column, words in enumerate(figure.feet)]
    labels: list[Mark] = []
    if figure.heading:
        labels.append(_say(0, HEAD - 12, figure.heading))
    lines: list[Mark] = []
    for place, row in enumerate(figure.rows):
        left = 10 if row.colour else 0
        y = _first_line(row, layout, place)
        for words in wrapped(row.label):
            labels.append(_say(left, y, words))
            y += LINE
        for words in row.lines:
            lines.append(_say(left, y + 4, words))
            y += LINE
    for style, marks in {"head": heads, "foot": feet, "label": labels, "line": lines}.items():
        if marks:
            yield _text(alt, style, marks)


def _first_line(row: PictureRow, layout: Layout, place: int) -> float:
    """Words begin at the upper end of high pictures, and stand in the middle of low ones."""
    first = layout.top(place) + 11
    if layout.height > HIGH:
        return first
    count = len(wrapped(row.label)) + len(row.lines)
    return first + max(layout.height - LINE * count, 0) / 2


def _say(x: float, y: float, words: str) -> Mark:
    return {"x": x, "y": y, "words": words}


def _text(alt: Any, style: str, marks: list[Mark]) -> Any:
    look = {"baseline": "alphabetic", "font": FONT, **STYLES[style]}
    return _layer(alt, marks).mark_text(aria=False, **look).encode(text="words:N")


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
