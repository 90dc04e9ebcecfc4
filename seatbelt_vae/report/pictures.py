"""Rows of crisp pictures with their names beside them, as one figure; the six pictures of Fig 1 are such."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from seatbelt_vae.report.formats import budget_text, number
from seatbelt_vae.report.group import Group, Trial
from seatbelt_vae.report.images import Pixels, display_gain, distortion_pixels, pixels, unit
from seatbelt_vae.report.palette import colour_of

TITLES = ("Original x", "Reconstruction", "Adversarial x*", "Distortion d", "Reconstruction of x*", "Target xₜ")

SHOWN = 8
"""Images in a row of reconstructions."""


@dataclass(frozen=True)
class PictureRow:
    """Some pictures and their name.

    Args:
        label: the name.
        tiles: bytes (H, W) or (H, W, 3) each, all of one size.
        lines: a few short lines of words below the name.
        colour: of a bar at the left; empty for none.
    """

    label: str
    tiles: tuple[Pixels, ...]
    lines: tuple[str, ...] = ()
    colour: str = ""


@dataclass(frozen=True)
class Look:
    """Sizes in points.

    Args:
        side: about that of a picture's longer side.
        label: room left of the pictures.
        gap: between them.
        framed: whether each has a thin frame.
    """

    side: float
    label: float
    gap: float
    framed: bool


LARGE = Look(side=107, label=150, gap=8, framed=True)
SMALL = Look(side=56, label=150, gap=4, framed=False)
DENSE = Look(side=64, label=96, gap=2, framed=False)


@dataclass(frozen=True)
class Pictures:
    """A figure of pictures in rows.

    Args:
        title: what it shows, for those who do not see it.
        rows: from above.
        heading: words at the upper left.
        heads: words above the columns.
        feet: words below the columns.
        gain: by which distortions in the fourth column are multiplied; their scale is drawn below it. 0: no scale.
        look: its sizes.
    """

    title: str
    rows: tuple[PictureRow, ...]
    heading: str = ""
    heads: tuple[str, ...] = ()
    feet: tuple[str, ...] = ()
    gain: float = 0.0
    look: Look = LARGE


def panels(group: Group, pair: int, shown: Sequence[int] | None = None) -> Pictures:
    """The six pictures of Fig 1 of one pair under one attack, a row for each model.

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
    trials = list(zip(group.trials, places, strict=True))
    gain = min(display_gain(_distortion(trial, pair, place)) for trial, place in trials)
    rows = []
    for trial, place in trials:
        tiles = tuple(_six(trial, pair, place, gain))
        lines = tuple(_numbers(group, trial, pair, place))
        rows.append(PictureRow(trial.label, tiles, lines, colour_of(trial.slot)))
    return Pictures(f"{group.title}, pair {pair + 1}", tuple(rows), heads=TITLES, gain=gain)


def reconstructions(title: str, trials: Sequence[Trial]) -> Pictures:
    """The first sources of the pairs, and what each model makes of them."""
    first = trials[0]
    rows = [_row("original", first, first.result.source)]
    for trial in trials:
        rows.append(_row(trial.label, trial, trial.attacked.assessment.source_reconstruction))
    return Pictures(title, tuple(rows), look=SMALL)


def _row(label: str, trial: Trial, images: Tensor) -> PictureRow:
    tiles = [pixels(unit(image, trial.bounds)) for image in images[:SHOWN]]
    return PictureRow(label, tuple(tiles))


def _distortion(trial: Trial, pair: int, place: int) -> NDArray[np.float64]:
    original = unit(trial.result.source[pair], trial.bounds)
    adversarial = unit(trial.result.adversarial[pair, place], trial.bounds)
    return adversarial - original


def _six(trial: Trial, pair: int, place: int, gain: float) -> Iterator[Pixels]:
    result = trial.result
    seen = trial.attacked.assessment
    yield pixels(unit(result.source[pair], trial.bounds))
    yield pixels(unit(seen.source_reconstruction[pair], trial.bounds))
    yield pixels(unit(result.adversarial[pair, place], trial.bounds))
    yield distortion_pixels(_distortion(trial, pair, place), gain)
    yield pixels(unit(seen.adversarial_reconstruction[pair, place], trial.bounds))
    yield pixels(unit(result.target[pair], trial.bounds))


def _numbers(group: Group, trial: Trial, pair: int, place: int) -> Iterator[str]:
    """What the attack gained, a few short lines."""

    def value(key: str) -> float:
        return float(group.values(trial, key)[pair, place])

    yield f"{group.symbol} = {budget_text(group.symbol, group.budgets[place])}"
    yield f"‖d‖ = {number(value('distortion'))}"
    yield f"‖d‖/‖x − xₜ‖ = {number(value('relative_distortion'))}"
    yield f"success = {number(value('success'), 0.05)}"
