"""Damage attacks side by side: how far each model's reconstruction can be moved within a radius."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from seatbelt_vae.metrics import bootstrap_interval, paired_test
from seatbelt_vae.report.matching import gathered
from seatbelt_vae.report.runs import BALLS, DIVERGENCES, Array, ReportRun, array
from seatbelt_vae.report.tables import Cell, Column, Line, Table

if TYPE_CHECKING:
    from seatbelt_vae.attacks.result import AttackResult
    from seatbelt_vae.experiments.damage import DamageAssessment

COLUMNS = 6
"""Radii that the table shows at most."""


@dataclass(frozen=True)
class DamageTrial:
    """One model under a damage attack."""

    run: ReportRun
    slot: int
    result: AttackResult
    assessment: DamageAssessment

    @property
    def label(self) -> str:
        """The model's name in legends."""
        return self.run.label

    @property
    def radii(self) -> Array:
        """ε, (K,)."""
        return array(self.result.lambdas)

    @property
    def damage(self) -> Array:
        """‖rec(x*) − rec(x)‖, (P, K), in the data's units."""
        return array(self.assessment.damage)

    @property
    def source_nll(self) -> Array:
        """−log p(x|z*), (P, K), nats."""
        return array(self.assessment.source_nll)


@dataclass(frozen=True)
class DamageComparison:
    """The same damage attack on the same images, on one or more models; see `Comparison`."""

    key: str
    title: str
    trials: tuple[DamageTrial, ...]

    @property
    def images(self) -> int:
        """The number P of images attacked."""
        return len(self.trials[0].result.source)


def damage_comparisons(runs: Sequence[ReportRun]) -> tuple[DamageComparison, ...]:
    """Put damage attacks of one kind and ball on the same images, made in the same way, side by side.

    Args:
        runs: the models, in the report's order.

    Raises:
        InputError: a run holds the same attack twice.
    """
    trials = [DamageTrial(run, slot, *attacked) for slot, run in enumerate(runs) for attacked in run.damages]
    grouped = gathered((_kind(trial.result), trial) for trial in trials)
    return tuple(DamageComparison(key, title, tuple(group)) for key, title, group in grouped)


def _kind(result: AttackResult) -> tuple[str, str]:
    divergence, ball = str(result.settings["divergence"]), str(result.settings.get("ball"))
    by = "" if divergence == "reconstruction" else f" by {DIVERGENCES.get(divergence, divergence)} of posteriors"
    return f"damage-{divergence}-{ball}-ball", f"Maximum damage{by}, {BALLS.get(ball, ball)} balls"


def damage_table(comparison: DamageComparison) -> Table:
    """Damage within each radius; at the largest it is tested against the first model on the same images."""
    places = _shown(comparison)
    radii = comparison.trials[0].radii[places].tolist()
    columns = [
        Column(
            f"damage_at_{radius:g}", f"ε = {radius:g}", "data units", "lower",
            definition=f"‖rec(x*) − rec(x)‖, L2 over the whole image, of the worst x* found within {radius:g} of x.",
        )
        for radius in radii
    ]  # fmt: skip
    rows: list[list[Cell | None]] = [[_cell(trial, place) for place in places] for trial in comparison.trials]
    if len(comparison.trials) > 1:
        baseline = comparison.trials[0]
        columns.append(
            Column(
                "damage_difference", f"at {radii[-1]:g}, less that of {baseline.label}", "data units", "lower",
                definition="Mean difference over the same images; p from flipping the signs of their differences.",
            )
        )  # fmt: skip
        for row, trial in zip(rows, comparison.trials, strict=True):
            row.append(_difference(baseline, trial))
    lines = tuple(Line(t.label, t.slot, tuple(row)) for t, row in zip(comparison.trials, rows, strict=True))
    note = (
        f"‖rec(x*) − rec(x)‖: mean over {comparison.images} images [95 % interval over images]; ↓ lower is more "
        "robust. No target: how far the output can be moved at all."
    )
    return Table(comparison.key, comparison.title, tuple(columns), lines, (note,))


def _shown(comparison: DamageComparison) -> list[int]:
    """The places of the radii, thinned to `COLUMNS`."""
    count = len(comparison.trials[0].radii)
    return [int(place) for place in np.linspace(0, count - 1, min(COLUMNS, count)).round()]


def _cell(trial: DamageTrial, place: int) -> Cell:
    return Cell.of(bootstrap_interval(torch.from_numpy(trial.damage[:, place].copy())))


def _difference(baseline: DamageTrial, trial: DamageTrial) -> Cell | None:
    if trial is baseline:
        return Cell(words="reference")
    before, after = baseline.damage[:, -1], trial.damage[:, -1]
    if len(before) < 2:
        return None
    test = paired_test(torch.from_numpy(before.copy()), torch.from_numpy(after.copy()))
    return Cell.of(test.difference, note=f"p = {test.p_value:.2g}")
