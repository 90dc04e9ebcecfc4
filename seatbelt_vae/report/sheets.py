"""The pictures behind the page's slider, small enough for one page: sheets of tiles, one for each model and pair.

A sheet holds for each λ the distortion d, multiplied by a gain into a centred 8-bit scale, and the reconstruction of
x*; the browser puts x* = x + d together. A stored x* would not do: lossy compression errs by more than many a d.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from seatbelt_vae.measures import MEASURES
from seatbelt_vae.pixels import Pixels, data_uri, pixels, unit
from seatbelt_vae.report.group import Group, Trial
from seatbelt_vae.report.images import display_gain, mosaic

COLUMNS = 8
BUDGET = 3_900_000
"""Bytes of all sheets on the page."""

QUALITIES = (92, 85, 75, 65, 55, 45, 35, 25, 15, 8, 3)
SAMPLE = 12
"""Sheets by which a quality is judged."""

SHOWN = {
    "objective": "delta",
    "distortion": "distortion",
    "relative": "relative_distortion",
    "success": "success",
    "nll": "nll",
}
"""What the page's script calls the measures that it writes beside the pictures."""


@dataclass(frozen=True)
class Strip:
    """The tiles of one model and pair before compression.

    Args:
        tiles: the source's reconstruction, then a distortion and a reconstruction for each λ that is kept, each (H, W)
            or (H, W, 3).
        places: for each λ the number of its kept pictures; λ that look the same in 8 bits share them, (K,).
        gains: for each λ, d was multiplied by this before it was stored, (K,).
    """

    tiles: tuple[Pixels, ...]
    places: tuple[int, ...]
    gains: tuple[float, ...]


def strip(trial: Trial, pair: int) -> Strip:
    """Gather the tiles of one model and pair."""
    seen = trial.attacked.assessment
    source = unit(trial.result.source[pair], trial.bounds)
    adversarial = unit(trial.result.adversarial[pair], trial.bounds)
    reconstruction = unit(seen.adversarial_reconstruction[pair], trial.bounds)
    tiles = [pixels(unit(seen.source_reconstruction[pair], trial.bounds))]
    places = distinct(np.stack([adversarial, reconstruction], 1))
    kept: dict[int, float] = {}
    for budget, place in enumerate(places):
        if place not in kept:
            distortion = adversarial[budget] - source
            kept[place] = display_gain(distortion)
            tiles += [centred(distortion, kept[place]), pixels(reconstruction[budget])]
    return Strip(tuple(tiles), tuple(places), tuple(kept[place] for place in places))


def distinct(pictures: NDArray[np.floating]) -> list[int]:
    """Number the pictures along the first axis; one that is within an 8-bit level of the last kept is the same.

    Example:
        >>> distinct(np.array([[0.0], [0.001], [0.5], [0.5]]))
        [0, 0, 1, 1]
    """
    places = [0]
    kept = pictures[0]
    for picture in pictures[1:]:
        place = places[-1]
        if np.abs(picture - kept).max() > 1 / 255:
            kept = picture
            place += 1
        places.append(place)
    return places


def centred(distortion: NDArray[np.floating], gain: float) -> Pixels:
    """A distortion as bytes: 128 + 127·gain·d, (H, W) or (H, W, 3).

    Example:
        >>> centred(np.array([[[-0.5, 0.0, 0.5]]]), 2.0).tolist()
        [[1, 128, 255]]
    """
    return pixels((128 + 127 * np.clip(gain * distortion, -1, 1)) / 255)


def sheet(tiles: Sequence[Pixels], quality: int) -> str:
    """Tiles in rows of `COLUMNS`, as the address of a WebP of a quality from 0 to 100."""
    return data_uri(mosaic(tiles, COLUMNS, ground=128), "WEBP", quality=quality, method=4)


def affordable_quality(strips: Sequence[Strip], budget: int = BUDGET) -> int:
    """The best quality at which all sheets together stay within a budget of bytes, judged by about `SAMPLE` of them."""
    sample = strips[:: max(1, len(strips) // SAMPLE)]
    for quality in QUALITIES:
        size = sum(len(sheet(part.tiles, quality)) for part in sample)
        if size * len(strips) <= 0.95 * budget * len(sample):
            return quality
    return QUALITIES[-1]


def explorer(groups: Sequence[Group], budget: int = BUDGET) -> dict[str, Any]:
    """Everything that the page's script needs, as JSON values.

    Returns:
        ``columns``, the WebP ``quality``, and ``attacks``: pairs' pictures, and for each model its colour, numbers
        and sheets.
    """
    strips: dict[Trial, list[Strip]] = {}
    for group in groups:
        for trial in group.trials:
            strips[trial] = [strip(trial, pair) for pair in range(group.pairs)]
    quality = affordable_quality([part for mine in strips.values() for part in mine], budget)
    attacks = []
    for group in groups:
        models = [_model(group, trial, strips[trial], quality) for trial in group.trials]
        attacks.append(_attack(group, models))
    return {"columns": COLUMNS, "quality": quality, "attacks": attacks}


def _attack(group: Group, models: list[dict[str, Any]]) -> dict[str, Any]:
    trial = group.trials[0]
    _, channels, height, width = group.result.source.shape
    return {
        "key": group.key,
        "title": group.title,
        "symbol": group.symbol,
        "unit": group.unit(MEASURES["objective"]),
        "size": [height, width],
        "colour": channels > 1,
        "source": _pictures(group.result.source, trial.bounds),
        "target": _pictures(group.result.target, trial.bounds),
        "models": models,
    }


def _pictures(images: Tensor, bounds: tuple[float, float]) -> list[str]:
    return [data_uri(pixels(unit(image, bounds)), "WEBP", lossless=True) for image in images]


def _model(group: Group, trial: Trial, strips: Sequence[Strip], quality: int) -> dict[str, Any]:
    numbers = {name: rounded(group.values(trial, key)) for name, key in SHOWN.items()}
    return {
        "label": trial.label,
        "slot": trial.slot,
        "budgets": group.budgets,
        "shown": trial.attacked.shown.tolist(),
        **numbers,
        "error": rounded(trial.attacked.assessment.nll_error),
        "places": [part.places for part in strips],
        "gains": [part.gains for part in strips],
        "sheets": [sheet(part.tiles, quality) for part in strips],
    }


def rounded(values: Tensor) -> list[list[float | None]]:
    """Numbers to four significant digits, None where not finite, to keep the page small.

    Example:
        >>> import torch
        >>> rounded(torch.tensor([[1.23456, float("nan")]]))
        [[1.235, None]]
    """
    return [[_rounded(value) for value in row] for row in values.tolist()]


def _rounded(value: float) -> float | None:
    if not math.isfinite(value):
        return None
    return float(f"{value:.4g}")
