"""What a claim's effect is under one condition after the other: a dot with its interval for each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from seatbelt_vae.experiments.recipes import Verdict
from seatbelt_vae.experiments.recipes.quantities import quantity
from seatbelt_vae.report.chart_style import QUIET, Style, span, spot
from seatbelt_vae.report.curves import Row

ROW = 14  # points for each dot


def effects_chart(verdicts: Sequence[Verdict]) -> Any:
    """Effects by condition, in the colours of whose they are, with 95 % intervals and a line where there is none.

    Args:
        verdicts: of one quantity, data set and attack, each with its `condition`.
    """
    first = verdicts[0]
    slots = {whose: slot for slot, whose in enumerate(dict.fromkeys(verdict.whose for verdict in verdicts))}
    conditions = list(dict.fromkeys(verdict.condition for verdict in verdicts))
    style, neutral = Style(slots, legend=True), 1.0 if first.ratio else 0.0
    rows: list[Row] = [
        {"model": verdict.whose, "condition": verdict.condition, **spot(verdict.effect)} for verdict in verdicts
    ]
    none: list[Row] = [{"x": neutral}]
    x = partial(style.x, _title(first), _domain(rows, neutral, first.ratio), log=first.ratio, tickCount=5, format="~r")
    line = style.chart(none).mark_rule(stroke=QUIET, strokeDash=[3, 3], aria=False).encode(x=x())
    spots = style.spots(rows, lambda field: x(field=field), "condition", conditions, grid=True)
    return style.finish(style.alt.layer(line, *spots)).properties(height=ROW * len(slots) * len(conditions))


def _domain(rows: Sequence[Row], neutral: float, ratio: bool) -> tuple[float, float]:
    rows = [*rows, {"low": neutral, "high": neutral}]
    ends = [float(row[end]) for row in rows for end in ("low", "high")]
    return (min(ends) / 1.1, max(ends) * 1.1) if ratio else span(rows)


def _title(verdict: Verdict) -> str:
    asked = quantity(verdict.quantity)
    kind = "ratio" if verdict.ratio else f"difference in {verdict.unit}" if verdict.unit else "difference"
    return f"{asked.title}: {kind}" + (f" ({asked.robust}: more robust)" if asked.robust else "")
