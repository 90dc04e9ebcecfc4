"""How far an attack gets by the layers that it aims at: a dot with its interval for each."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from seatbelt_vae.report.chart_style import Style, span, spot
from seatbelt_vae.report.curves import Row
from seatbelt_vae.report.layers import LayerComparison
from seatbelt_vae.report.measures import Measure, estimate

if TYPE_CHECKING:
    import altair

ROW = 26  # points for each model in a row of layers


def layer_chart(comparison: LayerComparison, measure: Measure, *, legend: bool = True) -> altair.LayerChart:
    """A measure by the layers aimed at, for each model, with 95 % intervals over pairs."""
    rows = layer_rows(comparison, measure)
    slots = {group[0].label: group[0].slot for group in comparison.groups}
    style = Style(slots, legend)
    x = partial(style.x, measure.title, span(rows), tickCount=5)
    spots = style.spots(rows, lambda field: x(field=field), "scope", comparison.scopes)
    chart = style.finish(style.alt.layer(*spots))
    return chart.properties(height=ROW * max(1, len(slots)) * len(comparison.scopes))


def layer_rows(comparison: LayerComparison, measure: Measure) -> list[Row]:
    """Where each dot stands, and its interval; the ends are the value where there is none."""
    found = ((trial, estimate(measure, trial)) for trial in comparison.trials)
    return [
        {"model": trial.label, "scope": trial.scope.words, **spot(interval)} for trial, interval in found if interval
    ]
