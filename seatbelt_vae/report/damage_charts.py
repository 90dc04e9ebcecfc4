"""Damage against the radius of the ball."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatbelt_vae.report.chart_style import Style
from seatbelt_vae.report.curves import LambdaAxis, Row, intervals
from seatbelt_vae.report.damage import DamageComparison
from seatbelt_vae.report.runs import Array

if TYPE_CHECKING:
    import altair

MOST_TICKS = 8


def damage_chart(comparison: DamageComparison, *, legend: bool = True) -> altair.LayerChart:
    """‖rec(x*) − rec(x)‖ against ε, with 95 % intervals over images."""
    values = [trial.damage for trial in comparison.trials]
    return _chart(comparison, values, "‖rec(x*) − rec(x)‖, mean over images", legend)


def source_nll_chart(comparison: DamageComparison, *, legend: bool = True) -> altair.LayerChart:
    """−log p(x|z*) of the clean x in nats against ε, with 95 % intervals over images."""
    values = [trial.source_nll for trial in comparison.trials]
    return _chart(comparison, values, "−log p(x | z*) (nats), mean over images", legend)


def _chart(comparison: DamageComparison, values: list[Array], title: str, legend: bool) -> altair.LayerChart:
    axis = LambdaAxis.of([trial.radii for trial in comparison.trials])
    style = Style({trial.label: trial.slot for trial in comparison.trials}, legend)
    rows = damage_rows(comparison, values, axis)
    radii = np.unique(np.concatenate([trial.radii for trial in comparison.trials]))
    x = style.lambda_x(axis, "radius ε of the ball", radii if len(radii) <= MOST_TICKS else None)
    y = style.y(title, None)
    return style.finish(style.alt.layer(style.band(rows, x, y), style.line(rows, x, y), style.dots(rows, x, y)))


def damage_rows(comparison: DamageComparison, values: list[Array], axis: LambdaAxis) -> list[Row]:
    """One row for each model and radius: where it stands, the mean over images, and its interval."""
    return [
        {"model": trial.label, "x": axis.place(radius), "y": y, "low": low, "high": high}
        for trial, mine in zip(comparison.trials, values, strict=True)
        for radius, (y, low, high) in zip(trial.radii.tolist(), intervals(mine).tolist(), strict=True)
    ]
