"""The six pictures of Fig 1, one row for each model: x, its reconstruction, x*, d, the reconstruction of x*, x_t."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from seatbelt_vae.report.formats import number, weight_text
from seatbelt_vae.report.images import Pixels, display_gain, distortion_pixels, pixels, unit
from seatbelt_vae.report.palette import colour_of
from seatbelt_vae.report.runs import Array, Comparison, Trial


@dataclass(frozen=True)
class PanelRow:
    """One model's row: its name, what the attack gained, and six tiles of equal size.

    Args:
        label: the model.
        colour: the model's colour.
        caption: a few short lines of numbers.
        tiles: bytes (H, W) or (H, W, 3), in the order of Fig 1: x, rec(x), x*, d, rec(x*), x_t.
    """

    label: str
    colour: str
    caption: tuple[str, ...]
    tiles: tuple[Pixels, ...]


@dataclass(frozen=True)
class Panels:
    """A figure: rows of models for one pair, with one scale for every distortion in it."""

    title: str
    gain: float
    colour: bool
    rows: tuple[PanelRow, ...]


def panels(comparison: Comparison, pair: int, shown: Sequence[int] | None = None) -> Panels:
    """Gather the pictures of one pair under one attack.

    Args:
        comparison: the attack on each model.
        pair: which pair, from 0.
        shown: the index of the λ shown, for each model; by default the one of the paper's rule: the largest λ
            that gave the smallest Δ above the mean Δ over λ.

    Returns:
        The figure; distortions share one gain, the largest power of two at which none saturates.

    Raises:
        IndexError: there is no such pair.
    """
    places = shown or [int(trial.assessment.shown[pair]) for trial in comparison.trials]
    pictures = list(zip(comparison.trials, places, strict=True))
    gain = min(display_gain(_distortion(trial, pair, place)) for trial, place in pictures)
    rows = tuple(_row(trial, pair, place, gain, comparison.weight) for trial, place in pictures)
    colour = comparison.trials[0].result.source.shape[1] > 1
    return Panels(f"{comparison.title}, pair {pair + 1}", gain, colour, rows)


def _distortion(trial: Trial, pair: int, place: int) -> Array:
    original, adversarial = (
        unit(image, trial.bounds) for image in (trial.result.source[pair], trial.result.adversarial[pair, place])
    )
    return adversarial - original


def _row(trial: Trial, pair: int, place: int, gain: float, weight: str) -> PanelRow:
    result, assessment = trial.result, trial.assessment

    def tile(image: Tensor) -> Pixels:
        return pixels(unit(image, trial.bounds))

    tiles = (
        tile(result.source[pair]),
        tile(assessment.source_reconstruction[pair]),
        tile(result.adversarial[pair, place]),
        distortion_pixels(_distortion(trial, pair, place), gain),
        tile(assessment.adversarial_reconstruction[pair, place]),
        tile(result.target[pair]),
    )
    caption = (
        f"{weight} = {weight_text(weight, float(trial.lambdas[place]))}",
        f"‖d‖ = {number(trial.distortion[pair, place])}",
        f"‖d‖/‖x − xₜ‖ = {number(trial.relative_distortion[pair, place])}",
        f"success = {number(trial.success[pair, place], 0.05)}",
    )
    return PanelRow(trial.label, colour_of(trial.slot), caption, tiles)
