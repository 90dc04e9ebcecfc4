"""The pictures behind the page's slider, small enough for one page: sheets of tiles, one for each model and pair.

A sheet holds for each λ the distortion d, multiplied by a gain into a centred 8-bit scale, and the reconstruction of
x*; the browser puts x* = x + d together. A stored x* would not do: lossy compression errs by more than many a d.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seatbelt_vae.report.images import Pixels, data_uri, display_gain, encoded, pixels, unit
from seatbelt_vae.report.runs import Array, Comparison, Trial

COLUMNS = 8
BUDGET = 2_900_000  # bytes of all sheets, before base64 makes four of three
QUALITIES = (92, 85, 75, 65, 55, 45, 35, 25, 15, 8, 3)


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
    source = unit(trial.result.source[pair], trial.bounds)
    adversarial = unit(trial.result.adversarial[pair], trial.bounds)
    reconstruction = unit(trial.assessment.adversarial_reconstruction[pair], trial.bounds)
    places = distinct(np.stack([adversarial, reconstruction], 1))
    first = [places.index(kept) for kept in range(max(places) + 1)]
    gains = [display_gain(adversarial[place] - source) for place in first]
    tiles = [pixels(unit(trial.assessment.source_reconstruction[pair], trial.bounds))]
    for place, gain in zip(first, gains, strict=True):
        tiles += [centred(adversarial[place] - source, gain), pixels(reconstruction[place])]
    return Strip(tuple(tiles), tuple(places), tuple(gains[kept] for kept in places))


def distinct(pictures: Array) -> list[int]:
    """Number the pictures along the first axis; one that is within an 8-bit level of the last kept is the same.

    Example:
        >>> distinct(np.array([[0.0], [0.001], [0.5], [0.5]]))
        [0, 0, 1, 1]
    """
    places, kept = [0], pictures[0]
    for picture in pictures[1:]:
        if np.abs(picture - kept).max() > 1 / 255:
            kept = picture
            places.append(places[-1] + 1)
        else:
            places.append(places[-1])
    return places


def centred(distortion: Array, gain: float) -> Pixels:
    """A distortion as bytes: 128 + 127·gain·d, (H, W) or (H, W, 3).

    Example:
        >>> centred(np.array([[[-0.5, 0.0, 0.5]]]), 2.0).tolist()
        [[1, 128, 255]]
    """
    return pixels((128 + 127 * np.clip(gain * distortion, -1, 1)) / 255)


def sheet(tiles: Sequence[Pixels], quality: int) -> bytes:
    """Tiles in rows of `COLUMNS`, as WebP of a quality from 0 to 100."""
    height, width = tiles[0].shape[:2]
    rows = -(-len(tiles) // COLUMNS)
    page = np.full((rows * height, COLUMNS * width, *tiles[0].shape[2:]), 128, dtype=np.uint8)
    for number, tile in enumerate(tiles):
        top, left = number // COLUMNS * height, number % COLUMNS * width
        page[top : top + height, left : left + width] = tile
    return encoded(page, "WEBP", quality=quality, method=4)


def affordable_quality(strips: Sequence[Strip], budget: int = BUDGET) -> int:
    """The best quality at which all sheets together stay within a budget of bytes, judged by about twelve of them."""
    sample = strips[:: max(1, len(strips) // 12)]
    for quality in QUALITIES:
        size = sum(len(sheet(part.tiles, quality)) for part in sample) * len(strips) / len(sample)
        if size <= 0.95 * budget:
            return quality
    return QUALITIES[-1]


def explorer(compared: Sequence[Comparison], budget: int = BUDGET) -> dict[str, Any]:
    """Everything that the page's script needs, as JSON values.

    Args:
        compared: the attacks on each model.
        budget: bytes that all sheets may take together, before base64.

    Returns:
        ``columns``, the WebP ``quality``, and ``attacks``: pairs' pictures, and for each model its colour, numbers
        and sheets.
    """
    strips = {
        (comparison.key, trial.slot, pair): strip(trial, pair)
        for comparison in compared
        for trial in comparison.trials
        for pair in range(comparison.pairs)
    }
    quality = affordable_quality(list(strips.values()), budget) if strips else QUALITIES[0]
    attacks = [_attack(comparison, strips, quality) for comparison in compared]
    return {"columns": COLUMNS, "quality": quality, "attacks": attacks}


Strips = dict[tuple[str, int, int], Strip]


def _attack(comparison: Comparison, strips: Strips, quality: int) -> dict[str, Any]:
    from seatbelt_vae.report.measures import objective_unit

    trial = comparison.trials[0]
    _, channels, height, width = trial.result.source.shape
    return {
        "key": comparison.key,
        "title": comparison.title,
        "weight": comparison.weight,
        "unit": objective_unit(comparison),
        "size": [height, width],
        "colour": channels > 1,
        "source": list(_pictures(trial, trial.result.source)),
        "target": list(_pictures(trial, trial.result.target)),
        "models": [_model(comparison, trial, strips, quality) for trial in comparison.trials],
    }


def _pictures(trial: Trial, images: Any) -> Iterator[str]:
    for image in images:
        yield data_uri(encoded(pixels(unit(image, trial.bounds)), "WEBP", lossless=True), "image/webp")


def _model(comparison: Comparison, trial: Trial, strips: Strips, quality: int) -> dict[str, Any]:
    mine = [strips[comparison.key, trial.slot, pair] for pair in range(comparison.pairs)]
    return {
        "label": trial.label,
        "slot": trial.slot,
        "lambdas": trial.lambdas.tolist(),
        "shown": trial.assessment.shown.tolist(),
        "objective": rounded(trial.objective),
        "distortion": rounded(trial.distortion),
        "relative": rounded(trial.relative_distortion),
        "success": rounded(trial.success),
        "nll": rounded(trial.target_nll),
        "error": rounded(np.asarray(trial.assessment.target_nll_error.double().cpu())),
        "places": [part.places for part in mine],
        "gains": [part.gains for part in mine],
        "sheets": [data_uri(sheet(part.tiles, quality), "image/webp") for part in mine],
    }


def rounded(values: Array) -> list[list[float | None]]:
    """Numbers to four significant digits, None where not finite, to keep the page small.

    Example:
        >>> rounded(np.array([[1.23456, np.nan]]))
        [[1.235, None]]
    """
    return [[float(f"{value:.4g}") if np.isfinite(value) else None for value in row] for row in values.tolist()]
