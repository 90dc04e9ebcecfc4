"""How far an attack gets by the layers that it aims at: a dot with its interval for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatbelt_vae.report.chart_style import WIDTH, Style
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
    x = style.x(measure.title, _span(rows), tickCount=5)
    y = style.alt.Y(
        "scope:N",
        sort=list(comparison.scopes),
        axis=style.alt.Axis(title=None, grid=False, labelLimit=WIDTH, domain=False, ticks=False),
    )
    offset = style.alt.YOffset("model:N", sort=list(slots))
    base = style.chart(rows)
    ends = base.mark_rule(strokeWidth=1.4, aria=False).encode(
        x=style.x(measure.title, _span(rows), field="low:Q", tickCount=5),
        x2="high:Q",
        y=y,
        yOffset=offset,
        color=style.colour(),
    )
    dots = base.mark_point(filled=True, size=60, opacity=1, aria=False).encode(
        x=x, y=y, yOffset=offset, color=style.colour()
    )
    chart = style.finish(style.alt.layer(ends, dots))
    return chart.properties(height=ROW * max(1, len(slots)) * len(comparison.scopes))


def layer_rows(comparison: LayerComparison, measure: Measure) -> list[Row]:
    """Where each dot stands, and its interval; the ends are the value where there is none."""
    rows: list[Row] = []
    for trial in comparison.trials:
        if interval := estimate(measure, trial):
            low, high = (interval.value if end != end else end for end in (interval.low, interval.high))
            row: Row = {"model": trial.label, "scope": trial.scope.words, "x": interval.value, "low": low, "high": high}
            rows.append(row)
    return rows


def _span(rows: list[Row]) -> tuple[float, float]:
    ends = [float(row[end]) for row in rows for end in ("low", "high")] or [0.0, 1.0]
    low, high = min(ends), max(ends)
    margin = 0.06 * ((high - low) or 1.0)
    return low - margin, high + margin
