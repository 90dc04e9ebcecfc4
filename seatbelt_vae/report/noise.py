"""Robustness to noise (Fig 8): smoothed histograms of log p(x|z*) over images at each scale, and what noise costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from seatbelt_vae.report.chart_style import Style
from seatbelt_vae.report.curves import LambdaAxis, Row
from seatbelt_vae.report.runs import Array, ReportRun, array

if TYPE_CHECKING:
    import altair

PLACES = 90  # at which a density is drawn
OVERLAP = 1.15  # height of the highest curve of a row, in rows
ROW = 30  # points from one row to the next
TAIL = 0.01  # share of the images left out at each end of the axis


def density(values: Array, at: Array) -> Array:
    r"""Gaussian kernel density :math:`\frac1{nh}\sum_i \varphi((x - v_i)/h)` with Scott's width h = s·n^(-1/5).

    Args:
        values: v, (n,).
        at: x, any shape.

    References:
        Scott 1992, Multivariate Density Estimation.

    Example:
        >>> density(np.array([-1.0, 1.0]), np.array([0.0])).round(3).tolist()
        [0.233]
    """
    if len(values) < 2 or not values.std() > 0:
        return np.zeros_like(at)
    return np.asarray(stats.gaussian_kde(values, "scott")(at))


def noisy(runs: Sequence[ReportRun]) -> list[tuple[int, ReportRun]]:
    """The runs whose robustness to noise was measured, with their places in the report."""
    return [
        (slot, run) for slot, run in enumerate(runs) if run.measured.get("noise") and run.evaluation.get("noise_scales")
    ]


def levels(run: ReportRun) -> dict[float, Array]:
    """Log p(x|z*) of each image by the scale of the noise, 0 for none; nats."""
    measured, scales = run.measured["noise"], run.evaluation["noise_scales"]
    rows = [array(row) for row in (measured["clean"], *measured["log_likelihood"])]
    return dict(zip([0.0, *scales], rows, strict=True))


def noise_chart(runs: Sequence[ReportRun], *, legend: bool = True) -> altair.LayerChart:
    """A row for each scale, no noise at the top; in it the density of log p(x|z*) over images, for each model."""
    measured = noisy(runs)
    style = Style({run.label: slot for slot, run in measured}, legend)
    scales = sorted({scale for _, run in measured for scale in levels(run)})
    rows = ridge_rows(runs)
    span = (min(float(row["x"]) for row in rows), max(float(row["x"]) for row in rows))
    x = style.x("log p(x | z*) of the clean x (nats)", span, tickCount=5, format=",d")
    names = ["no noise", *(f"{scale:g}" for scale in scales[1:])] if scales[0] == 0 else [f"{s:g}" for s in scales]
    labels = f"{names!r}[round(-datum.value)]"
    y = {
        "scale": style.alt.Scale(domain=[1 - len(scales), OVERLAP + 0.05], nice=False),
        "axis": style.alt.Axis(
            values=[-place for place in range(len(scales))],
            labelExpr=labels,
            title="Scale of the noise, for data in [−1, 1]",
            titleAngle=0, titleAlign="left", titleAnchor="end", titleX=-50, titleY=-10, labelBaseline="line-bottom",
        ),
    }  # fmt: skip
    area = style.chart(rows).mark_area(fillOpacity=0.1, clip=True, aria=False)
    area = area.encode(x=x, y=style.alt.Y("base:Q", **y), y2="y:Q", color=style.colour(), detail="row:N")
    line = style.chart(rows).mark_line(strokeWidth=1.6, clip=True, aria=False)
    line = line.encode(x=x, y=style.alt.Y("y:Q", **y), color=style.colour(), strokeDash=style.dash(), detail="row:N")
    return style.finish(style.alt.layer(area, line)).properties(height=ROW * (len(scales) + 0.5))


def ridge_rows(runs: Sequence[ReportRun]) -> list[Row]:
    """Where each curve runs: ``base`` is its row's ground, ``y`` above it in rows, the highest of a row `OVERLAP`."""
    measured = [(run, levels(run)) for _, run in noisy(runs)]
    scales = sorted({scale for _, level in measured for scale in level})
    at = _span([values for _, level in measured for values in level.values()])
    rows: list[Row] = []
    for place, scale in enumerate(scales):
        curves = {run.label: density(level[scale], at) for run, level in measured if scale in level}
        highest = max(float(curve.max()) for curve in curves.values()) or 1.0
        for label, curve in curves.items():
            heights = OVERLAP * curve / highest
            rows += [
                {"model": label, "row": f"{scale:g}", "x": x, "base": float(-place), "y": float(-place + height)}
                for x, height in zip(at.tolist(), heights.tolist(), strict=True)
            ]
    return rows


def _span(values: Sequence[Array]) -> Array:
    low = min(float(np.quantile(each, TAIL)) for each in values)
    high = max(float(np.quantile(each, 1 - TAIL)) for each in values)
    margin = 0.04 * (high - low)
    return np.linspace(low - margin, high + margin, PLACES)


def noise_drop_chart(runs: Sequence[ReportRun], *, legend: bool = True) -> altair.LayerChart:
    """What noise takes from log p(x|z*) against its scale, mean over images with 1.96 standard errors."""
    style = Style({run.label: slot for slot, run in noisy(runs)}, legend)
    axis = LambdaAxis.of([np.array(run.evaluation["noise_scales"]) for _, run in noisy(runs)])
    rows = drop_rows(runs, axis)
    x, y = style.lambda_x(axis, "scale of the noise, for data in [−1, 1]"), style.y("Cost of noise (nats)", None)
    return style.finish(style.alt.layer(style.band(rows, x, y), style.line(rows, x, y), style.dots(rows, x, y)))


def drop_rows(runs: Sequence[ReportRun], axis: LambdaAxis) -> list[Row]:
    """One row for each model and scale: where it stands, the mean drop in nats, and its interval."""
    rows: list[Row] = []
    for _, run in noisy(runs):
        scales, drops = (run.evaluation[f"noise_{name}"] for name in ("scales", "drop"))
        errors = run.evaluation.get("noise_drop_error") or [None] * len(scales)
        for scale, drop, error in zip(scales, drops, errors, strict=True):
            if drop is None:
                continue
            half = 1.96 * (error or math.nan)
            half = 0.0 if math.isnan(half) else half
            place = axis.place(scale)
            rows.append({"model": run.label, "x": place, "y": drop, "low": drop - half, "high": drop + half})
    return rows
