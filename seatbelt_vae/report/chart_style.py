"""How every chart looks: colours and dashes of models, axes with units, bands, lines and markers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seatbelt_vae.metrics import Interval
from seatbelt_vae.report.axes import BudgetAxis, Domain, log_ticks
from seatbelt_vae.report.export import needed
from seatbelt_vae.report.palette import FONT, INK, QUIET, RULE, colour_of, dash_of

if TYPE_CHECKING:
    import altair

WIDTH = 300
HEIGHT = 190
"""Points of the plotting area: a chart fits a column of a paper, or a telephone."""

ABOVE = {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "end", "titleY": -10}
"""Of an axis whose title lies above it."""

POWER_OF_TEN = (
    "datum.value >= 0.01 && datum.value <= 9999 ? format(datum.value, '~r') : "
    "round(datum.value / pow(10, floor(log(datum.value)/LN10 + 1e-9))) + '×10^{' + "
    "replace(format(floor(log(datum.value)/LN10 + 1e-9), 'd'), '-', '−') + '}'"
)
POWER_OF_TWO = "'2^{' + replace(format(datum.value, '~g'), '-', '−') + '}'"
RADIUS = "format(pow(2, datum.value), '.2~r')"

Row = dict[str, float | str]
"""What a mark is drawn from; its columns are ``model``, ``x``, ``y``, ``low``, ``high``."""

Column = Tensor | NDArray[np.float64] | Sequence[float]
"""Numbers of a column, one for each row."""


class Style:
    """Layers in the colours of some models.

    Args:
        slots: for each model its place in the report, which fixes its colour and dash.
        legend: whether the chart explains them itself.

    Raises:
        InputError: altair is not installed.
    """

    def __init__(self, slots: Mapping[str, int], legend: bool) -> None:
        self.alt: Any = needed("altair")
        self.slots = slots
        self.legend = legend
        self.datasets: dict[str, list[Row]] = {}

    def chart(self, rows: list[Row]) -> Any:
        """Start a layer from rows; they are kept aside until the end, as altair copies a chart at every turn."""
        for name, known in self.datasets.items():
            if known is rows:
                return self.alt.Chart(self.alt.NamedData(name=name))
        name = f"rows-{len(self.datasets)}"
        self.datasets[name] = rows
        return self.alt.Chart(self.alt.NamedData(name=name))

    def colour(self) -> Any:
        """A model's colour."""
        return self._by_model(self.alt.Color, [colour_of(slot) for slot in self.slots.values()])

    def dash(self) -> Any:
        """A model's dash."""
        return self._by_model(self.alt.StrokeDash, [dash_of(slot) for slot in self.slots.values()])

    def _by_model(self, channel: Any, values: list[Any]) -> Any:
        # Every layer gives the same legend, or Vega-Lite takes one layer's None for all.
        scale = self.alt.Scale(domain=list(self.slots), range=values)
        if not self.legend:
            return channel("model:N", scale=scale, legend=None)
        key = self.alt.Legend(
            title=None,
            orient="bottom",
            columns=1,
            labelLimit=WIDTH,
            symbolSize=600,
            symbolType="stroke",
            symbolFillColor="transparent",
            symbolOpacity=1,
            symbolStrokeWidth=1.8,
        )
        return channel("model:N", scale=scale, legend=key)

    def x(self, title: str, domain: Domain, *, field: str = "x:Q", log: bool = False, **axis: Any) -> Any:
        """A horizontal axis, exact at its ends."""
        scale: dict[str, Any] = {"nice": False}
        if domain:
            scale["domain"] = list(domain)
        if log:
            scale["type"] = "log"
        return self.alt.X(field, axis=self.alt.Axis(title=title, **axis), scale=self.alt.Scale(**scale))

    def lambda_x(self, axis: BudgetAxis) -> Any:
        """The log2 axis of λ, with 0 apart at its left end."""
        label = f"datum.value < {(axis.zero + axis.low) / 2} ? '0' : {POWER_OF_TWO}"
        margin = (axis.low - axis.zero) / 2
        ends = (axis.zero - margin, axis.high)
        return self.x("λ", ends, values=axis.powers, labelExpr=label, labelOverlap=False)

    def radius_x(self, axis: BudgetAxis, title: str, marked: Iterable[float] = ()) -> Any:
        """The log axis of a radius, in plain numbers.

        Args:
            axis: where each stands.
            title: what it is.
            marked: radii to label; round numbers by default.
        """
        ticks = [axis.place(radius) for radius in marked] or axis.round
        margin = (axis.high - axis.low or 1.0) / 25
        ends = (axis.low - margin, axis.high + margin)
        return self.x(title, ends, values=ticks, labelExpr=RADIUS)

    def y(self, title: str, domain: Domain = None, *, log: bool = False) -> dict[str, Any]:
        """A vertical axis, its title lying above it; `log` needs a domain."""
        scale: dict[str, Any] = {"type": "linear", "zero": False, "nice": True}
        axis: dict[str, Any] = {"title": title, "titleX": -34, "tickCount": 5, **ABOVE}
        if domain:
            scale |= {"domain": list(domain), "nice": False}
        if domain and log:
            scale["type"] = "log"
            del axis["tickCount"]
            axis |= {"values": log_ticks(*domain), "labelExpr": POWER_OF_TEN}
        return {"scale": self.alt.Scale(**scale), "axis": self.alt.Axis(**axis)}

    def band(self, rows: list[Row], x: Any, y: dict[str, Any]) -> Any:
        """Intervals as a band from `low` to `high`."""
        mark = self.chart(rows).mark_area(fillOpacity=0.16, clip=True, aria=False)
        return mark.encode(x=x, y=self.alt.Y("low:Q", **y), y2="high:Q", color=self.colour())

    def line(self, rows: list[Row], x: Any, y: dict[str, Any]) -> Any:
        """A line for each model."""
        mark = self.chart(rows).mark_line(strokeWidth=1.8, clip=True, strokeCap="butt", aria=False)
        return mark.encode(x=x, y=self.alt.Y("y:Q", **y), color=self.colour(), strokeDash=self.dash())

    def whiskers(self, rows: list[Row], x: Any, y: dict[str, Any]) -> list[Any]:
        """Intervals as upright strokes."""
        if not rows:
            return []
        mark = self.chart(rows).mark_rule(strokeWidth=0.8, clip=True, aria=False)
        return [mark.encode(x=x, y=self.alt.Y("low:Q", **y), y2="high:Q", color=self.colour())]

    def dots(self, rows: list[Row], x: Any, y: dict[str, Any]) -> Any:
        """A point for each row."""
        point = self.chart(rows).mark_point(filled=True, size=34, opacity=1, clip=True, aria=False)
        return point.encode(x=x, y=self.alt.Y("y:Q", **y), color=self.colour())

    def markers(self, rows: list[Row], x: Any, y: dict[str, Any]) -> list[Any]:
        """Points with their intervals, for what stands apart from a line."""
        if not rows:
            return []
        return [*self.whiskers(rows, x, y), self.dots(rows, x, y)]

    def spots(
        self, rows: list[Row], x: Callable[[str], Any], field: str, order: Iterable[str], *, grid: bool = False
    ) -> list[Any]:
        """A dot with its interval for each model, under each other by what `field` says.

        Args:
            rows: with the model and what `spot` gives.
            x: the axis, for a column such as ``"low:Q"``.
            field: the column that says where a dot stands.
            order: of what it says, from above.
            grid: whether a rule marks each.
        """
        axis = self.alt.Axis(title=None, grid=grid, labelLimit=WIDTH, domain=False, ticks=False)
        y = self.alt.Y(f"{field}:N", sort=list(order), axis=axis)
        beside = self.alt.YOffset("model:N", sort=list(self.slots))
        base = self.chart(rows).encode(y=y, yOffset=beside, color=self.colour())
        ends = base.mark_rule(strokeWidth=1.4, aria=False).encode(x=x("low:Q"), x2="high:Q")
        points = base.mark_point(filled=True, size=60, opacity=1, aria=False).encode(x=x("x:Q"))
        return [ends, points]

    def yardsticks(self, rows: list[Row], x: Any, y: dict[str, Any]) -> list[Any]:
        """Thin grey lines that no model sets, each with its name (``model``) at its end."""
        if not rows:
            return []
        last = {row["model"]: row for row in rows}
        y_axis = self.alt.Y("y:Q", **y)
        line = self.chart(rows).mark_line(stroke=QUIET, strokeWidth=0.9, clip=True, aria=False)
        name = self.chart(list(last.values())).mark_text(
            color=QUIET, font=FONT, fontSize=10, align="right", dy=-5, aria=False
        )
        return [line.encode(x=x, y=y_axis, detail="model:N"), name.encode(x=x, y=y_axis, text="model:N")]

    def finish(self, layered: Any) -> "altair.LayerChart":
        """Size, fonts and rules, the same in every chart."""
        words = {"labelFont": FONT, "titleFont": FONT, "labelFontSize": 11, "titleFontSize": 12}
        chart: altair.LayerChart = (
            layered.properties(width=WIDTH, height=HEIGHT, background="#ffffff")
            .configure_view(stroke=None)
            .configure_axis(
                **words, titleFontWeight="normal", titleColor=INK, labelColor=QUIET, gridColor=RULE, gridWidth=0.6,
                domain=False, ticks=False, labelPadding=5, titlePadding=6,
            )
            .configure_axisX(grid=False, domain=True, domainColor=QUIET, ticks=True, tickColor=QUIET, tickSize=4)
            .configure_legend(labelFont=FONT, labelFontSize=12, labelColor=INK, rowPadding=1, offset=4)
        )  # fmt: skip
        chart["datasets"] = self.datasets
        return chart


def rows_of(model: str, words: Mapping[str, str] | None = None, **columns: Column) -> list[Row]:
    """A row for each place; a place where a number is not finite is left out.

    Args:
        model: whose they are.
        words: what else is the same in every row.
        columns: numbers by column, one for each place.

    Example:
        >>> rows_of("VAE", x=[1.0, 2.0], y=torch.tensor([3.0, float("nan")]))
        [{'model': 'VAE', 'x': 1.0, 'y': 3.0}]
    """
    numbers = torch.stack([torch.as_tensor(column, dtype=torch.float64) for column in columns.values()], dim=1)
    rows: list[Row] = []
    for place in numbers[numbers.isfinite().all(1)].tolist():
        rows.append({"model": model, **(words or {}), **dict(zip(columns, place, strict=True))})
    return rows


def spot(interval: Interval) -> Row:
    """Where a dot stands, and its interval; the ends are the value where there is none.

    Example:
        >>> spot(Interval(0.5, float("nan"), 0.75))
        {'x': 0.5, 'low': 0.5, 'high': 0.75}
    """
    row: Row = {"x": interval.value, "low": interval.low, "high": interval.high}
    for end in ("low", "high"):
        if row[end] != row[end]:
            row[end] = interval.value
    return row


def span(rows: Sequence[Row], share: float = 0.06) -> tuple[float, float]:
    """The axis on which all intervals have room.

    Example:
        >>> span([{"low": 0.0, "high": 1.0}], share=0.5)
        (-0.5, 1.5)
    """
    lows = [float(row["low"]) for row in rows]
    highs = [float(row["high"]) for row in rows]
    low = min(lows, default=0.0)
    high = max(highs, default=1.0)
    margin = share * ((high - low) or 1.0)
    return low - margin, high + margin
