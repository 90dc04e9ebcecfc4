"""Robustness to noise (Fig 8): smoothed histograms of log p(x|z*) over images at each scale, and what noise costs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from seatbelt_vae.experiments import Cell as Place
from seatbelt_vae.experiments import Record
from seatbelt_vae.experiments import Table as Numbers
from seatbelt_vae.report.axes import BudgetAxis
from seatbelt_vae.report.chart_style import ABOVE, Row, Style, rows_of

if TYPE_CHECKING:
    import altair

PLACES = 90
"""At which a density is drawn."""

OVERLAP = 1.15
"""Height of the highest curve of a row, in rows."""

ROW = 30
"""Points from one row to the next."""

TAIL = 0.01
"""Share of the images left out at each end of the axis."""


def density(values: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
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
    from scipy import stats

    if len(values) < 2 or not values.std() > 0:
        return np.zeros_like(at)
    return np.asarray(stats.gaussian_kde(values, "scott")(at))


def noisy(records: Sequence[Record]) -> dict[int, Record]:
    """The runs whose robustness to noise was measured, by their places in the report."""
    numbers = Numbers(records)
    found = {}
    for slot, record in enumerate(records):
        measured = numbers.values(Place(record), "noise_scales").numel()
        if measured and record.measured.get("noise"):
            found[slot] = record
    return found


def scales_of(record: Record) -> list[float]:
    """The scales at which noise was added."""
    scales: list[float] = Numbers([record]).values(Place(record), "noise_scales").tolist()
    return scales


def levels(record: Record) -> dict[float, NDArray[np.float64]]:
    """Log p(x|z*) of each image by the scale of the noise, 0 for none; nats."""
    measured = record.measured["noise"]
    rows = torch.cat([measured["clean"][None], measured["log_likelihood"]]).double().numpy()
    return dict(zip([0.0, *scales_of(record)], rows, strict=True))


def noise_chart(records: Sequence[Record], *, legend: bool = True) -> "altair.LayerChart":
    """A row for each scale, no noise at the top; in it the density of log p(x|z*) over images, for each model."""
    style = _style(records, legend)
    alt = style.alt
    rows = ridge_rows(records)
    names = list(dict.fromkeys(str(row["row"]) for row in rows))
    names = [name if float(name) else "no noise" for name in names]
    places = [float(row["x"]) for row in rows]
    x = style.x("log p(x | z*) of the clean x (nats)", (min(places), max(places)), tickCount=5, format=",d")
    axis = alt.Axis(
        values=[-place for place in range(len(names))],
        labelExpr=f"{names!r}[round(-datum.value)]",
        labelBaseline="line-bottom",
        title="Scale of the noise, for data in [−1, 1]",
        titleX=-50,
        **ABOVE,
    )
    scale = alt.Scale(domain=[1 - len(names), OVERLAP + 0.05], nice=False)
    base = style.chart(rows).encode(x=x, color=style.colour(), detail="row:N")
    area = base.mark_area(fillOpacity=0.1, clip=True, aria=False)
    line = base.mark_line(strokeWidth=1.6, clip=True, aria=False)
    chart = alt.layer(
        area.encode(y=alt.Y("base:Q", scale=scale, axis=axis), y2="y:Q"),
        line.encode(y=alt.Y("y:Q", scale=scale, axis=axis), strokeDash=style.dash()),
    )
    return style.finish(chart).properties(height=ROW * (len(names) + 0.5))


def ridge_rows(records: Sequence[Record]) -> list[Row]:
    """Where each curve runs: ``base`` is its row's ground, ``y`` above it in rows, the highest of a row `OVERLAP`."""
    measured = {record.label: levels(record) for record in noisy(records).values()}
    scales = sorted({scale for level in measured.values() for scale in level})
    at = _axis([values for level in measured.values() for values in level.values()])
    rows: list[Row] = []
    for place, scale in enumerate(scales):
        curves = {label: density(level[scale], at) for label, level in measured.items() if scale in level}
        highest = max(float(curve.max()) for curve in curves.values()) or 1.0
        for label, curve in curves.items():
            ground = [-float(place)] * PLACES
            rows += rows_of(label, {"row": f"{scale:g}"}, x=at, base=ground, y=OVERLAP * curve / highest - place)
    return rows


def _axis(values: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    low = min(float(np.quantile(each, TAIL)) for each in values)
    high = max(float(np.quantile(each, 1 - TAIL)) for each in values)
    margin = 0.04 * (high - low)
    return np.linspace(low - margin, high + margin, PLACES)


def noise_drop_chart(records: Sequence[Record], *, legend: bool = True) -> "altair.LayerChart":
    """What noise takes from log p(x|z*) against its scale, mean over images with 1.96 standard errors."""
    style = _style(records, legend)
    scales: list[float] = []
    for record in noisy(records).values():
        scales += scales_of(record)
    axis = BudgetAxis.of(scales)
    rows = drop_rows(records, axis)
    x = style.radius_x(axis, "scale of the noise, for data in [−1, 1]")
    y = style.y("Cost of noise (nats)")
    return style.finish(style.alt.layer(style.band(rows, x, y), style.line(rows, x, y), style.dots(rows, x, y)))


def drop_rows(records: Sequence[Record], axis: BudgetAxis) -> list[Row]:
    """One row for each model and scale: where it stands, the mean drop in nats, and its interval."""
    numbers = Numbers(records)
    rows: list[Row] = []
    for record in noisy(records).values():
        place = Place(record)
        drop = numbers.values(place, "noise_drop")
        half = 1.96 * numbers.errors(place, "noise_drop").nan_to_num(0.0)
        x = axis.places(scales_of(record))
        rows += rows_of(record.label, x=x, y=drop, low=drop - half, high=drop + half)
    return rows


def _style(records: Sequence[Record], legend: bool) -> Style:
    return Style({record.label: slot for slot, record in noisy(records).items()}, legend)
