"""Colours: one for each model wherever it appears, and a diverging scale for distortions.

Okabe & Ito's colours, which people with the common colour-vision deficiencies tell apart, in an order in which
neighbours also differ in lightness. Each model has a dash too, so that nothing hangs on colour alone.

References:
    Okabe & Ito 2008, Color Universal Design. Brewer 2003, RdBu (the diverging scale).
"""

import numpy as np
from numpy.typing import NDArray

MODELS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#a6761d")
DASHES = ([1, 0], [6, 2], [2, 2], [8, 2, 2, 2], [10, 3], [4, 4], [1, 3], [6, 2, 1, 2, 1, 2])

DIVERGING = ("#053061", "#4393c3", "#f7f7f7", "#d6604d", "#67001f")
"""Blue: darker than the original. White: unchanged. Red: brighter. At -1, -1/2, 0, 1/2, 1 of the scale."""

INK = "#333333"
QUIET = "#666666"
RULE = "#dddddd"

FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"


def colour_of(slot: int) -> str:
    """The colour of the model in place `slot`; they repeat after eight.

    Example:
        >>> colour_of(0), colour_of(8)
        ('#0072b2', '#0072b2')
    """
    return MODELS[slot % len(MODELS)]


def dash_of(slot: int) -> list[int]:
    """The dash pattern (on, off, … in points) of the model in place `slot`."""
    return DASHES[slot % len(DASHES)]


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue, 0…255.

    Example:
        >>> rgb("#0072b2")
        (0, 114, 178)
    """
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def diverging(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Colours of values in [-1, 1]; what lies outside is clipped.

    Returns:
        Red, green and blue, shape (*values.shape, 3).

    Example:
        >>> diverging(np.array([0.0])).tolist()
        [[247, 247, 247]]
    """
    stops = np.array([rgb(colour) for colour in DIVERGING], dtype=np.float64)
    at = np.linspace(-1, 1, len(stops))
    channels = [np.interp(values, at, stops[:, channel]) for channel in range(3)]
    colours: NDArray[np.uint8] = np.rint(np.stack(channels, axis=-1)).astype(np.uint8)
    return colours
