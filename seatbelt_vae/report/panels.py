"""The six pictures of Fig 1 of an attack, and what models make of images."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from seatbelt_vae.report.formats import budget_text, number
from seatbelt_vae.report.group import Group, Trial
from seatbelt_vae.report.images import Pixels, display_gain, distortion_pixels, pixels, unit
from seatbelt_vae.report.palette import colour_of
from seatbelt_vae.report.pictures import PictureRow, Pictures

TITLES = ("Original x", "Reconstruction", "Adversarial x*", "Distortion d", "Reconstruction of x*", "Target xₜ")

SHOWN = 8
"""Images in a row of reconstructions."""


def panels(group: Group, pair: int, shown: Sequence[int] = ()) -> Pictures:
    """The six pictures of one pair under one attack, a row for each model.

    Args:
        group: the attack on each model.
        pair: which pair, from 0.
        shown: the index of the budget shown, for each model; by default the one of the paper's rule: the largest λ
            that gave the smallest Δ above the mean Δ over λ.

    Returns:
        The figure; distortions share one gain, the largest power of two at which none saturates.

    Raises:
        IndexError: there is no such pair.
    """
    places = shown or [int(trial.attacked.shown[pair]) for trial in group.trials]
    distortions = []
    for trial, place in zip(group.trials, places, strict=True):
        distortions.append(_distortion(trial, pair, place))
    gain = display_gain(np.stack(distortions))
    rows = []
    for trial, place in zip(group.trials, places, strict=True):
        tiles = tuple(_six(trial, pair, place, gain))
        lines = tuple(_numbers(group, trial, pair, place))
        rows.append(PictureRow(trial.label, tiles, lines, colour_of(trial.slot)))
    title = f"{group.title}, pair {pair + 1}"
    return Pictures(title, tuple(rows), heads=TITLES, gain=gain, scaled=TITLES.index("Distortion d"))


def reconstructions(title: str, trials: Sequence[Trial]) -> Pictures:
    """The first sources of the pairs, and what each model makes of them."""
    first = trials[0]
    rows = [_row("original", first, first.result.source)]
    for trial in trials:
        rows.append(_row(trial.label, trial, trial.attacked.assessment.source_reconstruction))
    return Pictures(title, tuple(rows), side=56, gap=4)


def _row(label: str, trial: Trial, images: Tensor) -> PictureRow:
    return PictureRow(label, tuple(_tile(trial, image) for image in images[:SHOWN]))


def _tile(trial: Trial, image: Tensor) -> Pixels:
    return pixels(unit(image, trial.bounds))


def _distortion(trial: Trial, pair: int, place: int) -> NDArray[np.float64]:
    original = unit(trial.result.source[pair], trial.bounds)
    adversarial = unit(trial.result.adversarial[pair, place], trial.bounds)
    return adversarial - original


def _six(trial: Trial, pair: int, place: int, gain: float) -> Iterator[Pixels]:
    result = trial.result
    seen = trial.attacked.assessment
    yield _tile(trial, result.source[pair])
    yield _tile(trial, seen.source_reconstruction[pair])
    yield _tile(trial, result.adversarial[pair, place])
    yield distortion_pixels(_distortion(trial, pair, place), gain)
    yield _tile(trial, seen.adversarial_reconstruction[pair, place])
    yield _tile(trial, result.target[pair])


def _numbers(group: Group, trial: Trial, pair: int, place: int) -> Iterator[str]:
    """What the attack gained, a few short lines."""

    def value(key: str) -> float:
        return float(group.values(trial, key)[pair, place])

    yield f"{group.symbol} = {budget_text(group.symbol, group.budgets[place])}"
    yield f"‖d‖ = {number(value('distortion'))}"
    yield f"‖d‖/‖x − xₜ‖ = {number(value('relative_distortion'))}"
    yield f"success = {number(value('success'), 0.05)}"
