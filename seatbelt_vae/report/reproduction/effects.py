"""What a claim's effect is under one condition after the other: a dot with its interval for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seatbelt_vae.experiments.recipes import Verdict
from seatbelt_vae.experiments.recipes.quantities import quantity
from seatbelt_vae.report.chart_style import QUIET, WIDTH, Style
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
    rows = [_row(verdict) for verdict in verdicts]
    ends = [float(row[end]) for row in rows for end in ("low", "high")] + [neutral]
    alt, title = style.alt, _title(first)
    margin = 0.06 * (max(ends) - min(ends) or 1.0)
    domain = [min(ends) / 1.1, max(ends) * 1.1] if first.ratio else [min(ends) - margin, max(ends) + margin]
    scale = alt.Scale(type="log" if first.ratio else "linear", domain=domain, nice=False)

    def x(field: str) -> Any:
        return alt.X(field, scale=scale, axis=alt.Axis(title=title, tickCount=5, format="~r"))

    axis = alt.Axis(title=None, grid=True, labelLimit=WIDTH, domain=False, ticks=False)
    places = {
        "y": alt.Y("condition:N", sort=conditions, axis=axis),
        "yOffset": alt.YOffset("model:N", sort=list(slots)),
    }
    none: list[Row] = [{"x": neutral}]
    base = style.chart(rows)
    layers = [
        style.chart(none).mark_rule(stroke=QUIET, strokeDash=[3, 3], aria=False).encode(x=x("x:Q")),
        base.mark_rule(strokeWidth=1.4, aria=False).encode(x=x("low:Q"), x2="high:Q", color=style.colour(), **places),
        base.mark_point(filled=True, size=50, opacity=1, aria=False).encode(x=x("x:Q"), color=style.colour(), **places),
    ]
    return style.finish(alt.layer(*layers)).properties(height=ROW * len(slots) * len(conditions))


def _row(verdict: Verdict) -> Row:
    effect = verdict.effect
    low, high = (effect.value if end != end else end for end in (effect.low, effect.high))
    return {"model": verdict.whose, "condition": verdict.condition, "x": effect.value, "low": low, "high": high}


def _title(verdict: Verdict) -> str:
    asked = quantity(verdict.quantity)
    kind = "ratio" if verdict.ratio else f"difference in {verdict.unit}" if verdict.unit else "difference"
    return f"{asked.title}: {kind}" + (f" ({asked.robust}: more robust)" if asked.robust else "")
