"""Curves: Δ, −log p(x_t|z*), success and distortion against λ, the distortion–distortion plot, training.

Every chart gives each model its colour and dash, marks units on its axes, and shows 95 % intervals over pairs.
In texts ``^{…}`` becomes a superscript once the chart is an SVG (`export.typeset`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from seatbelt_vae.report.chart_style import Domain, Style
from seatbelt_vae.report.curves import (
    LambdaAxis,
    Row,
    distortion_rows,
    lambda_rows,
    monte_carlo_rows,
    objective_statistic,
    training_rows,
)
from seatbelt_vae.report.measures import objective_unit
from seatbelt_vae.report.runs import Comparison, ReportRun

if TYPE_CHECKING:
    import altair


def objective_chart(comparison: Comparison, *, legend: bool = True) -> altair.LayerChart:
    """Δ reached against λ: geometric mean over pairs on a log axis (the mean, on a linear one, if some Δ ≤ 0)."""
    statistic = objective_statistic(comparison)
    geometric = statistic == "geometric-mean"
    axis = _lambda_axis(comparison)
    rows = lambda_rows(comparison, {t.label: t.objective for t in comparison.trials}, axis, statistic)
    title = f"Δ ({objective_unit(comparison)}), {'geometric mean' if geometric else 'mean'} over pairs"
    domain = _log_domain(rows) if geometric else None
    return _against_lambda(comparison, rows, axis, title, legend=legend, log=geometric, domain=domain)


def target_nll_chart(comparison: Comparison, *, legend: bool = True) -> altair.LayerChart:
    """−log p(x_t|z*) in nats against λ; the ticks are ±1.96 Monte-Carlo standard errors, the band is over pairs."""
    axis = _lambda_axis(comparison)
    rows = lambda_rows(comparison, {t.label: t.target_nll for t in comparison.trials}, axis)
    title = "−log p(xₜ | z*) (nats), mean over pairs"
    errors = monte_carlo_rows(comparison, axis)
    return _against_lambda(comparison, rows, axis, title, legend=legend, errors=errors)


def success_chart(comparison: Comparison, *, legend: bool = True) -> altair.LayerChart:
    """Success against λ: 0 nothing gained, 1 as good as encoding the target."""
    axis = _lambda_axis(comparison)
    values = {t.label: np.where(t.defined[:, None], t.success, np.nan) for t in comparison.trials}
    rows = lambda_rows(comparison, values, axis)
    return _against_lambda(comparison, rows, axis, "Success s, mean over pairs", legend=legend, domain=_about_one(rows))


def distortion_chart(comparison: Comparison, *, legend: bool = True) -> altair.LayerChart:
    """Relative distortion ‖d‖/‖x − x_t‖ against λ."""
    axis = _lambda_axis(comparison)
    rows = lambda_rows(comparison, {t.label: t.relative_distortion for t in comparison.trials}, axis)
    title = "‖d‖ / ‖x − xₜ‖, mean over pairs"
    return _against_lambda(comparison, rows, axis, title, legend=legend, domain=_about_one(rows))


def distortion_distortion_chart(comparison: Comparison, *, legend: bool = True) -> altair.LayerChart:
    """1 − success against relative distortion: thick the mean over pairs with its interval, thin each pair.

    The area under the thick curve is the mean AUDDC (of Gondim-Ribeiro et al. 2018, with the curve begun at (0, 1)).
    """
    mean, thin = distortion_rows(comparison)
    style = Style(_slots(comparison), legend)
    x = style.x("‖d‖ / ‖x − xₜ‖", (0, 1), tickCount=5)
    y = style.y("1 − success (higher: more robust)", (-0.03, 1.03))
    faint = (
        style.chart(thin)
        .mark_line(strokeOpacity=0.3, strokeWidth=0.6, aria=False)
        .encode(x=x, y=style.alt.Y("y:Q", **y), color=style.colour(), detail="pair:N")
    )
    return style.finish(style.alt.layer(faint, style.band(mean, x, y), style.line(mean, x, y)))


def training_chart(runs: Sequence[ReportRun], key: str, title: str, *, legend: bool = True) -> altair.LayerChart | None:
    """A quantity of metrics.jsonl against the training step, or None where no run has recorded it.

    ``kl`` is the sum of ``kl_1`` … ``kl_L`` where it is not recorded itself. The axis begins at the 5 % quantile,
    or the first steps would leave no room for the rest.
    """
    rows = [row for run in runs for row in training_rows(run, key)]
    if not rows:
        return None
    style = Style({run.label: slot for slot, run in enumerate(runs)}, legend)
    x = style.x("Training step", None, tickCount=4, format=",d")
    return style.finish(style.alt.layer(style.line(rows, x, style.y(title, _most([float(row["y"]) for row in rows])))))


def _about_one(rows: list[Row]) -> Domain:
    """From 0 to 1 with a margin that leaves a line at either end whole, or wider where a mean lies outside."""
    means = [float(row["y"]) for row in rows] or [0.0]
    return min(-0.03, min(means) - 0.03), max(1.03, max(means) + 0.03)


def _log_domain(rows: list[Row]) -> Domain:
    """All intervals, and the means with a fifth of a decade around them."""
    means = [float(row["y"]) for row in rows]
    low = min([float(row["low"]) for row in rows] + [min(means) / 1.6])
    return low, max([float(row["high"]) for row in rows] + [max(means) * 1.6])


def _most(values: Sequence[float]) -> Domain:
    low, high = float(np.quantile(values, 0.05)), float(max(values))
    return (low - 0.05 * (high - low), high + 0.05 * (high - low)) if high > low else None


def _lambda_axis(comparison: Comparison) -> LambdaAxis:
    return LambdaAxis.of([trial.lambdas for trial in comparison.trials])


def _slots(comparison: Comparison) -> dict[str, int]:
    return {trial.label: trial.slot for trial in comparison.trials}


def _against_lambda(
    comparison: Comparison,
    rows: list[Row],
    axis: LambdaAxis,
    title: str,
    *,
    legend: bool,
    log: bool = False,
    domain: Domain = None,
    errors: list[Row] | None = None,
) -> altair.LayerChart:
    """Lines with bands over λ > 0; λ = 0 stands apart at the left as a marker with its interval."""
    style = Style(_slots(comparison), legend)
    x, y = style.lambda_x(axis, comparison.weight), style.y(title, domain, log=log)
    positive = [row for row in rows if not row["zero"]]
    zero = [row for row in rows if row["zero"]]
    layers = [style.band(positive, x, y), style.line(positive, x, y), *style.whiskers(errors or [], x, y)]
    return style.finish(style.alt.layer(*layers, *style.markers(zero, x, y)))
