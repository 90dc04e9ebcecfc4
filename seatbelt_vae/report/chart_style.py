"""How every chart looks: colours and dashes of models, axes with units, bands, lines and markers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from seatbelt_vae.metrics import Interval
from seatbelt_vae.report.curves import LambdaAxis, Row, log_ticks
from seatbelt_vae.report.export import needed
from seatbelt_vae.report.palette import FONT, colour_of, dash_of

if TYPE_CHECKING:
    import altair

WIDTH, HEIGHT = 300, 190  # points of the plotting area: a chart fits a column of a paper, or a telephone
INK, QUIET, RULE = "#333333", "#666666", "#dddddd"

Domain = tuple[float, float] | None


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
        self.slots, self.legend = slots, legend
        self.datasets: dict[str, list[Row]] = {}

    def chart(self, rows: list[Row]) -> Any:
        """Start a layer from rows; they are kept aside until the end, as altair copies a chart at every turn."""
        name = next((name for name, known in self.datasets.items() if known is rows), f"rows-{len(self.datasets)}")
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
        return channel("model:N", scale=scale, legend=key if self.legend else None)

    def x(self, title: str, domain: Domain, *, field: str = "x:Q", log: bool = False, **axis: Any) -> Any:
        """A horizontal axis, exact at its ends."""
        ends = {"domain": list(domain)} if domain else {}
        scale = self.alt.Scale(nice=False, **ends, **({"type": "log"} if log else {}))
        return self.alt.X(field, axis=self.alt.Axis(title=title, **axis), scale=scale)

    def lambda_x(self, axis: LambdaAxis, title: str = "λ", marked: Iterable[float] | None = None) -> Any:
        """The log2 axis of λ, with 0 apart at its left end; of a radius ε in plain numbers, and without 0.

        Args:
            axis: where each stands.
            title: what it is.
            marked: radii to label; round numbers by default.
        """
        if title != "λ":
            ticks = axis.round if marked is None else [axis.place(radius) for radius in marked]
            margin = (axis.high - axis.low or 1.0) / 25
            label = "format(pow(2, datum.value), '.2~r')"
            return self.x(title, (axis.low - margin, axis.high + margin), values=ticks, labelExpr=label)
        power = "'2^{' + replace(format(datum.value, '~g'), '-', '−') + '}'"
        label = f"datum.value < {(axis.zero + axis.low) / 2} ? '0' : {power}"
        margin = (axis.low - axis.zero) / 2
        return self.x(title, (axis.zero - margin, axis.high), values=axis.ticks, labelExpr=label, labelOverlap=False)

    def y(self, title: str, domain: Domain, *, log: bool = False) -> dict[str, Any]:
        """A vertical axis, its title lying above it."""
        scale = self.alt.Scale(
            type="log" if log else "linear",
            zero=False,
            **({"domain": list(domain), "nice": False} if domain else {"nice": True}),
        )
        ticks = {"values": log_ticks(*domain), "labelExpr": _POWER_OF_TEN} if log and domain else {"tickCount": 5}
        axis = self.alt.Axis(
            title=title, titleAngle=0, titleAlign="left", titleAnchor="end", titleX=-34, titleY=-10, **ticks
        )
        return {"scale": scale, "axis": axis}

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
        places = {"y": y, "yOffset": self.alt.YOffset("model:N", sort=list(self.slots)), "color": self.colour()}
        base = self.chart(rows)
        ends = base.mark_rule(strokeWidth=1.4, aria=False).encode(x=x("low:Q"), x2="high:Q", **places)
        return [ends, base.mark_point(filled=True, size=60, opacity=1, aria=False).encode(x=x("x:Q"), **places)]

    def markers(self, rows: list[Row], x: Any, y: dict[str, Any]) -> list[Any]:
        """Points with their intervals, for what stands apart from a line."""
        if not rows:
            return []
        return [*self.whiskers(rows, x, y), self.dots(rows, x, y)]

    def finish(self, layered: Any) -> altair.LayerChart:
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


def spot(interval: Interval) -> Row:
    """Where a dot stands, and its interval; the ends are the value where there is none."""
    low, high = (interval.value if math.isnan(end) else end for end in (interval.low, interval.high))
    return {"x": interval.value, "low": low, "high": high}


def span(rows: Iterable[Row]) -> tuple[float, float]:
    """The axis on which all intervals have room."""
    ends = [float(row[end]) for row in rows for end in ("low", "high")] or [0.0, 1.0]
    low, high = min(ends), max(ends)
    margin = 0.06 * ((high - low) or 1.0)
    return low - margin, high + margin


_POWER_OF_TEN = (
    "datum.value >= 0.01 && datum.value <= 9999 ? format(datum.value, '~r') : "
    "round(datum.value / pow(10, floor(log(datum.value)/LN10 + 1e-9))) + '×10^{' + "
    "replace(format(floor(log(datum.value)/LN10 + 1e-9), 'd'), '-', '−') + '}'"
)
