"""Curves along λ or ε, the distortion–distortion plot, the cost of noise, training.

Every chart gives each model its colour and dash, marks units on its axes, and shows 95 % intervals over pairs.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seatbelt_vae.experiments import Cell as Place
from seatbelt_vae.experiments import Record
from seatbelt_vae.experiments import Table as Numbers
from seatbelt_vae.experiments.table import measure_of
from seatbelt_vae.metrics import band, curve_at
from seatbelt_vae.report.axes import BudgetAxis, Domain
from seatbelt_vae.report.chart_style import (
    Channel,
    Row,
    Style,
    at,
    chart,
    ends,
    lambda_axis,
    layer,
    radius_axis,
    rows_of,
    x_axis,
    y_axis,
)
from seatbelt_vae.report.formats import with_unit
from seatbelt_vae.report.group import Group, Trial

Chart = dict[str, Any]

SHARES = ("success", "relative_distortion")
"""Measures that lie between 0 and 1, or nearly."""

MOST_TICKS = 8
"""Radii that an axis marks one by one."""

RECORDED = {
    "elbo": "ELBO of the batch, no β (nats)",
    "log_likelihood": "log p(x|z) of the batch (nats)",
    "kl": "KL of all layers together (nats)",
}
"""What is drawn of training. The loss is not: losses of different objectives say nothing beside each other."""

LONGEST = 200
"""Points of a training curve; more than a chart of this width can show."""


def budget_chart(group: Group, key: str, *, legend: bool = True) -> Chart:
    """A measure against λ or ε: mean over pairs, with its 95 % interval.

    λ = 0 stands apart at the left as a marker. Δ is averaged geometrically on a log axis, unless some Δ ≤ 0.
    """
    axis = BudgetAxis.of(group.budgets)
    ratio = key == "delta" and all(bool((group.values(trial, key) > 0).all()) for trial in group.trials)
    rows = budget_rows(group, key, axis, ratio=ratio)
    style = Style(group.models, legend)
    x = _budget_x(group, axis)
    y = y_axis(heading(group, key, ratio=ratio), _domain(key, rows, ratio), log=ratio)
    line = [row for row in rows if not row["zero"]]
    zero = [row for row in rows if row["zero"]]
    layers = style.marks(line, x, y, "area", "line")
    if not group.targeted:
        layers += style.marks(line, x, y, "point")
    layers += style.marks(zero, x, y, "rule", "point")
    return chart(layers + style.yardsticks(_reference_rows(group, key, axis), x, y))


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


def _budget_x(group: Group, axis: BudgetAxis) -> Channel:
    if group.symbol == "λ":
        return lambda_axis(axis)
    if group.targeted:
        return radius_axis(axis, group.symbol)
    marked = group.budgets if len(group.budgets) <= MOST_TICKS else []
    return radius_axis(axis, "radius ε of the ball", marked)


def _domain(key: str, rows: Sequence[Row], ratio: bool) -> Domain:
    means = [float(row["y"]) for row in rows]
    if not rows:  # no mean is finite
        return None
    if key in SHARES:
        return min([0.0, *means]) - 0.03, max([1.0, *means]) + 0.03  # a line at either end stays whole
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


def distortion_distortion_chart(group: Group, *, legend: bool = True) -> Chart:
    """1 − success against relative distortion: thick the mean over pairs with its interval, thin each pair.

    The area under the thick curve is the mean AUDDC. A dot at one half is the mean f50 with its interval, an upright
    grey line the f50 that no model sets.
    """
    places = torch.linspace(0, 1, 41, dtype=torch.float64)
    thin: list[Row] = []
    thick: list[Row] = []
    halves: list[Row] = []
    for trial in group.trials:
        curves = distortion_curves(group, trial, places)
        for pair, curve in enumerate(curves):
            thin += rows_of(trial.label, {"pair": str(pair)}, x=places, y=curve)
        if len(curves):
            y, low, high = band(curves).T
            thick += rows_of(trial.label, x=places, y=y, low=low, high=high)
        halfway = group.interval(trial, "f50")
        if math.isfinite(halfway.value):
            row: Row = {"model": trial.label, "x": halfway.value, "y": 0.5}
            halves.append(row | ends(halfway.value, halfway.low, halfway.high))
    style = Style(group.models, legend)
    x = x_axis("‖d‖ / ‖x − xₜ‖", (0, 1), tickCount=5)
    y = y_axis("1 − success (higher: more robust)", (-0.03, 1.03))
    height = at(y, "y")
    by_pair = {"field": "pair", "type": "nominal"}
    faint = {"strokeOpacity": 0.3, "strokeWidth": 0.6}
    reach = {"x": at(x, "low"), "x2": {"field": "high"}}
    layers = [
        layer(thin, "line", faint, x=at(x, "x"), y=height, color=style.colour, detail=by_pair),
        *style.marks(thick, x, y, "area", "line"),
        *style.yardsticks(_upright_rows(group), x, y),
        layer(halves, "rule", {"strokeWidth": 1.4, "clip": True}, **reach, y=height, color=style.colour),
        *style.marks(halves, x, y, "point"),
    ]
    return chart(layers)


def distortion_curves(group: Group, trial: Trial, places: Tensor) -> Tensor:
    """1 − success of each pair against relative distortion: the curve whose area is AUDDC.

    Args:
        group: the attack on each model.
        trial: one of them.
        places: abscissas ‖d‖/‖x − x_t‖ in [0, 1], (N,).

    Returns:
        (P', N), for the pairs on which success is defined.
    """
    success = group.values(trial, "success")
    defined = ~success.isnan().any(1)
    return curve_at(group.values(trial, "relative_distortion")[defined], success[defined], places)


def _upright_rows(group: Group) -> list[Row]:
    """An upright line at the f50 of what no model sets; each ends lower than the one before, to keep names apart."""
    rows: list[Row] = []
    top = 1.0
    for reference in group.references:
        halfway = group.reference(reference, "f50")
        if halfway:
            rows += rows_of(reference.name, x=[halfway.value] * 2, y=[0.0, top])
            top -= 0.07
    return rows


def noise_chart(records: Sequence[Record], *, legend: bool = True) -> Chart:
    """What noise takes from log p(x|z*) against its scale, mean over images with 1.96 standard errors."""
    numbers = Numbers(records)
    scales = torch.cat([numbers.values(Place(record), "noise_scales") for record in records])
    axis = BudgetAxis.of(scales.tolist())
    rows: list[Row] = []
    slots = {}
    for slot, record in enumerate(records):
        drop = numbers.values(Place(record), "noise_drop")
        half = 1.96 * numbers.errors(Place(record), "noise_drop").nan_to_num(0.0)
        if drop.numel():
            x = axis.places(numbers.values(Place(record), "noise_scales").tolist())
            rows += rows_of(record.label, x=x, y=drop, low=drop - half, high=drop + half)
            slots[record.label] = slot
    style = Style(slots, legend)
    along = radius_axis(axis, "scale of the noise, for data in [−1, 1]")
    return chart(style.marks(rows, along, y_axis("Cost of noise (nats)"), "area", "line", "point"))


def training_chart(records: Sequence[Record], key: str, *, legend: bool = True) -> Chart:
    """A quantity of metrics.jsonl against the training step.

    The axis begins at the 5 % quantile, or the first steps would leave no room for the rest.
    """
    rows: list[Row] = []
    for record in records:
        rows += training_rows(record, key)
    values = [float(row["y"]) for row in rows]
    low = float(np.quantile(values, 0.05))
    high = max(values)
    domain = None
    if high > low:
        domain = (low - 0.05 * (high - low), high + 0.05 * (high - low))
    style = Style({record.label: slot for slot, record in enumerate(records)}, legend)
    x = x_axis("Training step", tickCount=4, format=",d")
    return chart(style.marks(rows, x, y_axis(RECORDED[key], domain), "line"))


def training_rows(record: Record, key: str) -> list[Row]:
    """A training curve, averaged in at most `LONGEST` bins of consecutive records."""
    points = []
    for row in record.history:
        value = _recorded(row, key)
        if value is not None and math.isfinite(value):
            points.append((row["step"], value))
    if not points:
        return []
    bins = np.array_split(np.array(points, dtype=np.float64), min(LONGEST, len(points)))
    means = np.stack([part.mean(0) for part in bins])
    return rows_of(record.label, x=means[:, 0], y=means[:, 1])


def _recorded(row: Mapping[str, Any], key: str) -> float | None:
    """A number of a record; ``kl`` is the sum of ``kl_1`` … ``kl_L`` where it is not recorded itself."""
    layers = [value for name, value in row.items() if re.fullmatch(r"kl_\d+", name)]
    if key == "kl" and key not in row and layers and None not in layers:
        return float(sum(layers))
    value: float | None = row.get(key)
    return value
