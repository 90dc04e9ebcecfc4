"""How every chart looks: layers of Vega-Lite in the colours and dashes of models, axes with units, one theme.

In texts ``^{…}`` becomes a superscript once the chart is an SVG (`export.typeset`).
"""

import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seatbelt_vae.report.axes import BudgetAxis, Domain, log_ticks
from seatbelt_vae.report.palette import FONT, INK, QUIET, RULE, colour_of, dash_of
from seatbelt_vae.report.templating import rendered

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

MARKS: dict[str, dict[str, Any]] = {
    "area": {"fillOpacity": 0.16, "clip": True},
    "line": {"strokeWidth": 1.8, "clip": True, "strokeCap": "butt"},
    "rule": {"strokeWidth": 0.8, "clip": True},
    "point": {"filled": True, "size": 34, "opacity": 1, "clip": True},
}
"""A band, a line for each model, an upright interval, a dot."""

Row = dict[str, float | str]
"""What a mark is drawn from; its columns are ``model``, ``x``, ``y``, ``low``, ``high``."""

Column = Tensor | NDArray[np.float64] | Sequence[float]
"""Numbers of a column, one for each row."""

Channel = dict[str, Any]
"""A channel of an encoding, such as an axis; `at` says which column it draws."""

Layer = dict[str, Any]


@cache
def theme() -> dict[str, Any]:
    """Fonts and rules, the same in every chart: Vega-Lite's ``config``."""
    found: dict[str, Any] = json.loads(rendered("theme.json.j2", font=FONT, ink=INK, quiet=QUIET, rule=RULE))
    return found


def at(channel: Channel, field: str) -> Channel:
    """A channel that draws a column of numbers."""
    return {**channel, "field": field, "type": "quantitative"}


def layer(rows: list[Row], mark: str, look: Mapping[str, Any], **encoding: Channel) -> Layer:
    """A mark for each row, or for all of a model."""
    return {"data": {"values": rows}, "mark": {"type": mark, "aria": False, **look}, "encoding": encoding}


def x_axis(title: str, domain: Domain = None, *, log: bool = False, **axis: Any) -> Channel:
    """A horizontal axis, exact at its ends."""
    scale: dict[str, Any] = {"nice": False}
    if domain:
        scale["domain"] = domain
    if log:
        scale["type"] = "log"
    return {"axis": {"title": title, **axis}, "scale": scale}


def lambda_axis(axis: BudgetAxis) -> Channel:
    """The log2 axis of λ, with 0 apart at its left end."""
    label = f"datum.value < {(axis.zero + axis.low) / 2} ? '0' : {POWER_OF_TWO}"
    margin = (axis.low - axis.zero) / 2
    domain = (axis.zero - margin, axis.high)
    return x_axis("λ", domain, values=axis.powers, labelExpr=label, labelOverlap=False)


def radius_axis(axis: BudgetAxis, title: str, marked: Sequence[float] = ()) -> Channel:
    """The log axis of a radius, in plain numbers; `marked` are labelled, by default round numbers."""
    ticks = axis.places(marked) or axis.round
    margin = (axis.high - axis.low or 1.0) / 25
    domain = (axis.low - margin, axis.high + margin)
    return x_axis(title, domain, values=ticks, labelExpr=RADIUS)


def y_axis(title: str, domain: Domain = None, *, log: bool = False) -> Channel:
    """A vertical axis, its title lying above it; `log` needs a domain."""
    scale: dict[str, Any] = {"type": "linear", "zero": False, "nice": True}
    axis: dict[str, Any] = {"title": title, "titleX": -34, "tickCount": 5, **ABOVE}
    if domain:
        scale |= {"domain": domain, "nice": False}
    if domain and log:
        scale["type"] = "log"
        del axis["tickCount"]
        axis |= {"values": log_ticks(*domain), "labelExpr": POWER_OF_TEN}
    return {"scale": scale, "axis": axis}


class Style:
    """Layers in the colours of some models.

    Args:
        slots: for each model its place in the report, which fixes its colour and dash.
        legend: whether the chart explains them itself.
    """

    def __init__(self, slots: Mapping[str, int], legend: bool) -> None:
        self.slots = slots
        self.key: Mapping[str, Any] | None = None
        if legend:
            self.key = {"title": None}

    @property
    def colour(self) -> Channel:
        """A model's colour."""
        return self._by_model([colour_of(slot) for slot in self.slots.values()])

    @property
    def dash(self) -> Channel:
        """A model's dash."""
        return self._by_model([dash_of(slot) for slot in self.slots.values()])

    def _by_model(self, values: Sequence[Any]) -> Channel:
        # Every layer gives the same legend, or Vega-Lite takes one layer's None for all.
        scale = {"domain": list(self.slots), "range": values}
        return {"field": "model", "type": "nominal", "scale": scale, "legend": self.key}

    def marks(self, rows: list[Row], x: Channel, y: Channel, *kinds: str) -> list[Layer]:
        """The rows as some of `MARKS`: areas and rules reach from `low` to `high`, lines and points stand at `y`."""
        layers = []
        for kind in kinds:
            encoding = {"x": at(x, "x"), "y": at(y, "y"), "color": self.colour}
            if kind in ("area", "rule"):
                encoding |= {"y": at(y, "low"), "y2": {"field": "high"}}
            if kind == "line":
                encoding["strokeDash"] = self.dash
            layers.append(layer(rows, kind, MARKS[kind], **encoding))
        return layers

    def yardsticks(self, rows: list[Row], x: Channel, y: Channel, below: bool = False) -> list[Layer]:
        """Thin grey lines that no model sets, each with its name (``model``) at its end: above it, or right of it."""
        name = {"field": "model", "type": "nominal"}
        places = {"x": at(x, "x"), "y": at(y, "y")}
        last = {row["model"]: row for row in rows}
        words = {"color": QUIET, "font": FONT, "fontSize": 10, "align": "right", "dy": -5}
        if below:
            words |= {"align": "left", "dx": 4, "dy": 8}
        return [
            layer(rows, "line", {"stroke": QUIET, "strokeWidth": 0.9, "clip": True}, **places, detail=name),
            layer(list(last.values()), "text", words, **places, text=name),
        ]


def chart(layers: Sequence[Layer], width: float = WIDTH, height: float = HEIGHT, **settings: Any) -> dict[str, Any]:
    """Layers upon each other in the one theme; those without rows are left out, but for a legend without lines."""
    drawn = [each for each in layers if each["data"]["values"]]
    size = {"width": width, "height": height, "background": "#ffffff"}
    return {"layer": drawn or layers, "config": theme(), **size, **settings}


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


def ends(value: float, low: float | None, high: float | None) -> Row:
    """The ends of an interval; they are the value where there is none.

    Example:
        >>> ends(0.5, float("nan"), 0.75)
        {'low': 0.5, 'high': 0.75}
    """
    row: Row = {"low": value, "high": value}
    for name, end in (("low", low), ("high", high)):
        if end is not None and not math.isnan(end):
            row[name] = end
    return row


def span(rows: Sequence[Row], share: float = 0.06) -> tuple[float, float]:
    """The axis on which all intervals have room.

    Example:
        >>> span([{"low": 0.0, "high": 1.0}], share=0.5)
        (-0.5, 1.5)
    """
    low = min((float(row["low"]) for row in rows), default=0.0)
    high = max((float(row["high"]) for row in rows), default=1.0)
    margin = share * ((high - low) or 1.0)
    return low - margin, high + margin
