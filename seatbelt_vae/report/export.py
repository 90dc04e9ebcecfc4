"""Drawn figures as files: SVG, PNG and PDF, through altair and vl-convert, which the `report` extra installs."""

from __future__ import annotations

import re
from types import ModuleType
from typing import TYPE_CHECKING

from seatbelt_vae.errors import InputError

if TYPE_CHECKING:
    import altair

FORMATS = ("png", "svg", "pdf")
SCALE = 3  # pixels of a PNG for a point: 216 an inch


def needed(name: str) -> ModuleType:
    """Import a module of the `report` extra.

    Raises:
        InputError: it is not installed; the message says how to install it.
    """
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        raise InputError(f"report: {name} is not installed; pip install 'seatbelt-vae[report]'") from error


def svg_png(svg: str, scale: float = SCALE) -> bytes:
    """Rasterise an SVG; `scale` pixels a point."""
    return bytes(needed("vl_convert").svg_to_png(svg, scale=scale, ppi=72))


def svg_files(svg: str) -> dict[str, bytes]:
    """An SVG in each of `FORMATS`."""
    return {"png": svg_png(svg), "svg": svg.encode(), "pdf": bytes(needed("vl_convert").svg_to_pdf(svg))}


def chart_svg(chart: altair.TopLevelMixin) -> str:
    """An altair chart as an SVG document, its texts typeset; the same chart always gives the same bytes."""
    svg = str(needed("vl_convert").vegalite_to_svg(chart.to_json(validate=False)))
    # Vega counts clip paths over all charts of the process.
    numbers = {name: f"clip{place}" for place, name in enumerate(dict.fromkeys(re.findall(r"\bclip\d+\b", svg)))}
    return typeset(re.sub(r"\bclip\d+\b", lambda found: numbers[found[0]], svg))


_RAISED = "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
_PLAIN = str.maketrans(_RAISED + "·", "−0123456789.")
_LOWERED = "₀₁₂₃₄₅₆₇₈₉ₜ"
_UPRIGHT = str.maketrans(_LOWERED, "0123456789t")
_SHIFTED = re.compile(rf"([{_LOWERED}]+)|([{_RAISED}]+(?:·[{_RAISED}]+)?)|\^\{{([^}}]*)\}}")


def typeset(svg: str) -> str:
    """Set sub- and superscripts and ‖ in the texts of an SVG out of characters that every font has.

    Without this one missing glyph makes a renderer take another font for the whole line.

    Example:
        >>> typeset("<text>2⁻⁵</text>")
        '<text>2<tspan dy="-0.35em" font-size="75%">−5</tspan></text>'
    """
    return re.sub(r"(<text[^>]*>)([^<]+)(</text>)", lambda found: found[1] + _set(found[2]) + found[3], svg)


def _set(words: str) -> str:
    """One text; what follows a raised or lowered part returns to the line."""
    pieces = _SHIFTED.split(words)
    line = pieces[0]
    for low, high, power, rest in zip(*(pieces[start::4] for start in (1, 2, 3, 4)), strict=True):
        shift, small = (0.25, low.translate(_UPRIGHT)) if low else (-0.35, power or high.translate(_PLAIN))
        line += f'<tspan dy="{shift:g}em" font-size="75%">{small}</tspan>'
        # The shift is in ems of the small text, so it takes 3/4 of an em of the large one to undo it.
        line += f'<tspan dy="{-0.75 * shift:g}em">{rest}</tspan>' if rest else ""
    return line.replace("‖", "||")
