"""Curves along λ or ε, the distortion–distortion plot, attacks by layer.

Every chart gives each model its colour and dash, marks units on its axes, and shows 95 % intervals over pairs.
In texts ``^{…}`` becomes a superscript once the chart is an SVG (`export.typeset`).
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from seatbelt_vae.experiments.table import measure_of
from seatbelt_vae.metrics import band, curve_at
from seatbelt_vae.report.axes import BudgetAxis, Domain
from seatbelt_vae.report.chart_style import Row, Style, rows_of, span, spot
from seatbelt_vae.report.formats import with_unit
from seatbelt_vae.report.group import Group, Trial

if TYPE_CHECKING:
    import altair

SHARES = ("success", "relative_distortion")
"""Measures that lie between 0 and 1, or nearly."""

MOST_TICKS = 8
"""Radii that an axis marks one by one."""

LAYER = 26
"""Points for each model in a row of layers."""


def budget_chart(group: Group, key: str, *, legend: bool = True) -> "altair.LayerChart":
    """A measure against λ or ε: mean over pairs, with its 95 % interval.

    λ = 0 stands apart at the left as a marker. Δ is averaged geometrically on a log axis, unless some Δ ≤ 0. Ticks on
    −log p(x_t|z*) are ±1.96 Monte-Carlo standard errors.

    Args:
        group: the attack on each model.
        key: the measure, one number for each pair and budget.
        legend: whether the chart explains the colours itself.
    """
    axis = BudgetAxis.of(group.budgets)
    ratio = key == "delta" and all(bool((group.values(trial, key) > 0).all()) for trial in group.trials)
    rows = budget_rows(group, key, axis, ratio=ratio)
    style = Style(group.models, legend)
    x = _budget_x(style, group, axis)
    y = style.y(heading(group, key, ratio=ratio), _domain(key, rows, ratio), log=ratio)
    line = [row for row in rows if not row["zero"]]
    zero = [row for row in rows if row["zero"]]
    layers = [style.band(line, x, y), style.line(line, x, y)]
    if not group.targeted:
        layers.append(style.dots(line, x, y))
    if key == "nll":
        layers += style.whiskers(monte_carlo_rows(group, axis), x, y)
    layers += style.markers(zero, x, y)
    layers += style.yardsticks(_reference_rows(group, key, axis), x, y)
    return style.finish(style.alt.layer(*layers))


def heading(group: Group, key: str, *, ratio: bool = False) -> str:
    """A measure with its unit, and what it is averaged over."""
    measure = measure_of(key)
    words = measure.title
    if measure.unit != "data units":
        words = with_unit(words, group.unit(measure))
    words += ", geometric mean over " if ratio else ", mean over "
    words += "pairs" if group.targeted else "images"
    return words


def budget_rows(group: Group, key: str, axis: BudgetAxis, *, ratio: bool = False) -> list[Row]:
    """One row for each model and budget: where it stands, the value over pairs, and its interval."""
    rows: list[Row] = []
    zero = [float(budget == 0) for budget in group.budgets]
    for trial in group.trials:
        y, low, high = group.band(trial, key, ratio=ratio).T
        rows += rows_of(trial.label, x=axis.places(group.budgets, trial.slot), zero=zero, y=y, low=low, high=high)
    return rows


def monte_carlo_rows(group: Group, axis: BudgetAxis) -> list[Row]:
    """±1.96 Monte-Carlo standard errors of the mean −log p(x_t|z*) over pairs, for each model and λ."""
    rows: list[Row] = []
    for trial in group.trials:
        errors = trial.attacked.assessment.nll_error.double()
        half = 1.96 * errors.square().sum(0).sqrt() / len(errors)
        centre = group.band(trial, "nll")[:, 0]
        x = axis.places(group.budgets, trial.slot)
        rows += rows_of(trial.label, x=x, low=centre - half, high=centre + half)
    return rows


def _budget_x(style: Style, group: Group, axis: BudgetAxis) -> Any:
    if group.symbol == "λ":
        return style.lambda_x(axis)
    if group.targeted:
        return style.radius_x(axis, group.symbol)
    marked = group.budgets if len(group.budgets) <= MOST_TICKS else []
    return style.radius_x(axis, "radius ε of the ball", marked)


def _domain(key: str, rows: Sequence[Row], ratio: bool) -> Domain:
    means = [float(row["y"]) for row in rows]
    if key in SHARES:
        ends = [0.0, 1.0, *means]
        return min(ends) - 0.03, max(ends) + 0.03  # a line at either end stays whole
    if key == "amplification":
        return 0.0, 1.05 * max(float(row["high"]) for row in rows)
    if not ratio:
        return None
    # All intervals, and the means with a fifth of a decade around them.
    low = min(float(row["low"]) for row in rows)
    high = max(float(row["high"]) for row in rows)
    return min(low, min(means) / 1.6), max(high, max(means) * 1.6)


def _reference_rows(group: Group, key: str, axis: BudgetAxis) -> list[Row]:
    """What no model sets, at each radius."""
    rows: list[Row] = []
    for reference in group.references:
        values = getattr(reference, key, None)
        if isinstance(values, Tensor):
            rows += rows_of(reference.name, x=axis.places(group.budgets), y=band(values)[:, 0])
    return rows


def distortion_distortion_chart(group: Group, *, legend: bool = True) -> "altair.LayerChart":
    """1 − success against relative distortion: thick the mean over pairs with its interval, thin each pair.

    The area under the thick curve is the mean AUDDC. A dot at one half is the mean f50 with its interval, an upright
    grey line the f50 that no model sets.
    """
    at = torch.linspace(0, 1, 41, dtype=torch.float64)
    thin: list[Row] = []
    thick: list[Row] = []
    halves: list[Row] = []
    for trial in group.trials:
        curves = distortion_curves(group, trial, at)
        for pair, curve in enumerate(curves):
            thin += rows_of(trial.label, {"pair": str(pair)}, x=at, y=curve)
        if len(curves):
            y, low, high = band(curves).T
            thick += rows_of(trial.label, x=at, y=y, low=low, high=high)
        halfway = group.interval(trial, "f50")
        if math.isfinite(halfway.value):
            halves.append({"model": trial.label, "y": 0.5, **spot(halfway)})
    style = Style(group.models, legend)
    x = partial(style.x, "‖d‖ / ‖x − xₜ‖", (0, 1), tickCount=5)
    y = style.y("1 − success (higher: more robust)", (-0.03, 1.03))
    y_field = style.alt.Y("y:Q", **y)
    faint = style.chart(thin).mark_line(strokeOpacity=0.3, strokeWidth=0.6, aria=False)
    layers = [faint.encode(x=x(), y=y_field, color=style.colour(), detail="pair:N")]
    layers += [style.band(thick, x(), y), style.line(thick, x(), y)]
    layers += style.yardsticks(_upright_rows(group), x(), y)
    if halves:
        ends = style.chart(halves).mark_rule(strokeWidth=1.4, clip=True, aria=False)
        layers.append(ends.encode(x=x(field="low:Q"), x2="high:Q", y=y_field, color=style.colour()))
        layers.append(style.dots(halves, x(), y))
    return style.finish(style.alt.layer(*layers))


def distortion_curves(group: Group, trial: Trial, at: Tensor) -> Tensor:
    """1 − success of each pair against relative distortion: the curve whose area is AUDDC.

    Args:
        group: the attack on each model.
        trial: one of them.
        at: abscissas ‖d‖/‖x − x_t‖ in [0, 1], (N,).

    Returns:
        (P', N), for the pairs on which success is defined.
    """
    success = group.values(trial, "success")
    defined = ~success.isnan().any(1)
    return curve_at(group.values(trial, "relative_distortion")[defined], success[defined], at)


def _upright_rows(group: Group) -> list[Row]:
    """An upright line at the f50 of what no model sets."""
    rows: list[Row] = []
    for reference in group.references:
        halfway = group.reference(reference, "f50")
        if halfway:
            rows += rows_of(reference.name, x=[halfway.value] * 2, y=[0.0, 1.0])
    return rows


def layer_chart(group: Group, key: str, *, legend: bool = True) -> "altair.LayerChart":
    """A measure by the layers aimed at, for each model, with 95 % intervals over pairs."""
    rows = layer_rows(group, key)
    scopes = {trial.scope.words: trial.scope.order for trial in group.trials}
    style = Style(group.models, legend)
    x = partial(style.x, measure_of(key).title, span(rows), tickCount=5)
    spots = style.spots(rows, lambda field: x(field=field), "scope", sorted(scopes, key=scopes.__getitem__))
    return style.finish(style.alt.layer(*spots)).properties(height=LAYER * len(group.models) * len(scopes))


def layer_rows(group: Group, key: str) -> list[Row]:
    """Where each dot stands, and its interval."""
    rows: list[Row] = []
    for trial in group.trials:
        found = group.interval(trial, key)
        if math.isfinite(found.value):
            rows.append({"model": trial.label, "scope": trial.scope.words, **spot(found)})
    return rows
