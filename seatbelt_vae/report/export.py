"""Drawn figures as files: SVG, PNG and PDF, through vl-convert, which the `report` extra installs."""

import json
import re
from collections.abc import Mapping
from typing import Any

from seatbelt_vae.errors import missing

SCALE = 3
"""Pixels of a PNG for a point: 216 an inch."""


def converter() -> Any:
    """The library that draws.

    Raises:
        InputError: it is not installed; the message says how to install it.
    """
    try:
        import vl_convert
    except ImportError as error:
        raise missing("report", "vl-convert", "report") from error
    return vl_convert


def svg_files(svg: str) -> dict[str, bytes]:
    """An SVG as files by their endings: png, svg and pdf."""
    convert = converter()
    return {
        "png": bytes(convert.svg_to_png(svg, scale=SCALE, ppi=72)),
        "svg": svg.encode(),
        "pdf": bytes(convert.svg_to_pdf(svg)),
    }


def chart_svg(chart: Mapping[str, Any]) -> str:
    """A Vega-Lite chart as an SVG document, its texts typeset; the same chart always gives the same bytes."""
    svg = str(converter().vegalite_to_svg(json.dumps(chart)))
    return typeset(_renumbered(svg))


def _renumbered(svg: str) -> str:
    """Clip paths counted from 0: Vega counts them over all charts of the process."""
    numbers: dict[str, str] = {}
    for name in re.findall(r"\bclip\d+\b", svg):
        numbers.setdefault(name, f"clip{len(numbers)}")
    return re.sub(r"\bclip\d+\b", lambda found: numbers[found[0]], svg)


_RAISED = "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
_LOWERED = "₀₁₂₃₄₅₆₇₈₉ₜ"
_PLAIN = str.maketrans(f"{_RAISED}·{_LOWERED}", "−0123456789.0123456789t")
_TEXT = re.compile(r"(?<=>)[^<]+(?=</text>)")
_SHIFTED = re.compile(
    rf"(?:(?P<low>[{_LOWERED}]+)|(?P<high>[{_RAISED}]+(?:·[{_RAISED}]+)?)|\^\{{(?P<power>[^}}]*)\}})"
    rf"(?P<after>[^{_LOWERED}{_RAISED}^]*)"
)


def typeset(svg: str) -> str:
    """Set sub- and superscripts and ‖ in the texts of an SVG out of characters that every font has.

    Without this one missing glyph makes a renderer take another font for the whole line.

    Example:
        >>> typeset("<text>2⁻⁵</text>")
        '<text>2<tspan dy="-0.35em" font-size="75%">−5</tspan></text>'
    """
    return _TEXT.sub(lambda words: _SHIFTED.sub(_shifted, words[0]).replace("‖", "||"), svg)


def _shifted(found: re.Match[str]) -> str:
    """A raised or lowered part, and what follows it on the line again."""
    shift = -0.35
    small = found["power"] or found["high"] or found["low"]
    if found["low"]:
        shift = 0.25
    if not found["power"]:
        small = small.translate(_PLAIN)
    set_small = f'<tspan dy="{shift:g}em" font-size="75%">{small}</tspan>'
    if not found["after"]:
        return set_small
    return f'{set_small}<tspan dy="{-0.75 * shift:g}em">{found["after"]}</tspan>'
