"""Pictures and words at places, in points, as an SVG; in a PNG every pixel of a picture is a crisp square."""

from typing import Any

from seatbelt_vae.report.export import SCALE, chart_svg, needed
from seatbelt_vae.report.images import Pixels, data_uri, encoded
from seatbelt_vae.report.palette import FONT

INK = "#111111"
GREY = "#555555"
STYLES: dict[str, dict[str, Any]] = {
    "name": {"align": "left", "fontSize": 11, "fontWeight": "bold", "color": INK},
    "line": {"align": "left", "fontSize": 10, "color": GREY},
    "head": {"align": "center", "fontSize": 11, "color": INK},
    "foot": {"align": "center", "fontSize": 10, "color": GREY},
    "note": {"align": "center", "fontSize": 9, "color": GREY},
}
"""How words look, and which of their points is placed."""

Mark = dict[str, float | str]


class Canvas:
    """A white sheet.

    Raises:
        InputError: altair is not installed.
    """

    def __init__(self) -> None:
        self.alt: Any = needed("altair")
        self.pictures: dict[tuple[float, float], list[Mark]] = {}
        self.words: dict[str, list[Mark]] = {}

    def draw(self, picture: Pixels, x: float, y: float) -> None:
        """Put a picture with its upper left corner at a point, `SCALE` of its pixels a point."""
        height, width = picture.shape[:2]
        mark: Mark = {"x": x, "y": y, "url": data_uri(encoded(picture))}
        self.pictures.setdefault((width / SCALE, height / SCALE), []).append(mark)

    def say(self, words: str, x: float, y: float, style: str = "name") -> None:
        """Put words on a line."""
        mark: Mark = {"x": x, "y": y, "words": words}
        self.words.setdefault(style, []).append(mark)

    def svg(self, title: str, width: float, height: float) -> str:
        """The sheet as an SVG document that holds its pictures in itself."""
        layers = []
        for (wide, high), marks in self.pictures.items():
            size = {"width": wide, "height": high, "align": "left", "baseline": "top", "aspect": False}
            layers.append(self._layer(marks).mark_image(smooth=False, aria=False, **size).encode(url="url:N"))
        for style, marks in self.words.items():
            look = {"baseline": "alphabetic", "font": FONT, **STYLES[style]}
            layers.append(self._layer(marks).mark_text(aria=False, **look).encode(text="words:N"))
        size = {"width": width, "height": height, "padding": 0, "autosize": self.alt.AutoSizeParams(type="none")}
        sheet = self.alt.layer(*layers).properties(background="#ffffff", description=title, **size)
        return chart_svg(sheet.configure_view(stroke=None))

    def _layer(self, marks: list[Mark]) -> Any:
        """Marks whose places are points: no scale, no axis."""
        x = self.alt.X("x:Q", scale=None, axis=None)
        y = self.alt.Y("y:Q", scale=None, axis=None)
        return self.alt.Chart(self.alt.Data(values=marks)).encode(x=x, y=y)
