"""Drawn figures as files: SVG, PNG and PDF, through altair and vl-convert, which the `report` extra installs."""

import re
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from seatbelt_vae.errors import InputError

if TYPE_CHECKING:
    import altair

FORMATS = ("png", "svg", "pdf")
SCALE = 3
"""Pixels of a PNG for a point: 216 an inch."""

PACKAGES = {"vl_convert": "vl-convert-python"}
"""Packages that are called otherwise than what they install."""


def needed(name: str) -> ModuleType:
    """Import a module of the `report` extra.

    Raises:
        InputError: it is not installed; the message says how to install it.
    """
    try:
        return import_module(name)
    except ImportError as error:
        package = PACKAGES.get(name, name)
        raise InputError(f"report: {name} is not installed; pip install {package}") from error


def svg_files(svg: str) -> dict[str, bytes]:
    """An SVG in each of `FORMATS`."""
    convert = needed("vl_convert")
    return {
        "png": bytes(convert.svg_to_png(svg, scale=SCALE, ppi=72)),
        "svg": svg.encode(),
        "pdf": bytes(convert.svg_to_pdf(svg)),
    }


def chart_svg(chart: "altair.TopLevelMixin") -> str:
    """An altair chart as an SVG document, its texts typeset; the same chart always gives the same bytes."""
    svg = str(needed("vl_convert").vegalite_to_svg(chart.to_json(validate=False)))
    return typeset(_renumbered(svg))


def _renumbered(svg: str) -> str:
    """Clip paths counted from 0: Vega counts them over all charts of the process."""
    numbers: dict[str, str] = {}
    for name in re.findall(r"\bclip\d+\b", svg):
        numbers.setdefault(name, f"clip{len(numbers)}")
    return re.sub(r"\bclip\d+\b", lambda found: numbers[found[0]], svg)


_RAISED = "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
_PLAIN = str.maketrans(_RAISED + "·", "−0123456789.")
_LOWERED = "₀₁₂₃₄₅₆₇₈₉ₜ"
_UPRIGHT = str.maketrans(_LOWERED, "0123456789t")
_TEXT = re.compile(r"(<text[^>]*>)([^<]+)(</text>)")
_SHIFTED = re.compile(rf"([{_LOWERED}]+)|([{_RAISED}]+(?:·[{_RAISED}]+)?)|\^\{{([^}}]*)\}}")


def typeset(svg: str) -> str:
    """Set sub- and superscripts and ‖ in the texts of an SVG out of characters that every font has.

    Without this one missing glyph makes a renderer take another font for the whole line.

    Example:
        >>> typeset("<text>2⁻⁵</text>")
        '<text>2<tspan dy="-0.35em" font-size="75%">−5</tspan></text>'
    """
    return _TEXT.sub(lambda found: found[1] + _set(found[2]) + found[3], svg)


def _set(words: str) -> str:
    """One text; what follows a raised or lowered part returns to the line."""
    line = ""
    shift = 0.0
    end = 0
    for found in _SHIFTED.finditer(words):
        line += _returned(words[end : found.start()], shift)
        low, high, power = found.groups()
        if low:
            shift = 0.25
            small = low.translate(_UPRIGHT)
        else:
            shift = -0.35
            small = power or high.translate(_PLAIN)
        line += f'<tspan dy="{shift:g}em" font-size="75%">{small}</tspan>'
        end = found.end()
    line += _returned(words[end:], shift)
    return line.replace("‖", "||")


def _returned(words: str, shift: float) -> str:
    """Words on the line again: the shift is in ems of small text, so it takes 3/4 of an em of large text to undo it."""
    if not words or not shift:
        return words
    return f'<tspan dy="{-0.75 * shift:g}em">{words}</tspan>'
