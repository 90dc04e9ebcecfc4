"""Lines over β and maps over β × L from the rows of a recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seatbelt_vae.report.chart_style import HEIGHT, INK, WIDTH, Style
from seatbelt_vae.report.curves import Row
from seatbelt_vae.report.formats import number

TidyRow = Mapping[str, Any]

GREEN = "viridis"
DARK = 0.55  # share of the colours' range above which a cell is light, and its number dark


def line_chart(rows: Sequence[TidyRow]) -> Any:
    """A quantity against β, a line for each model with its 95 % interval; a logarithmic axis for Δ.

    Args:
        rows: of one quantity, data set and attack.
    """
    families = list(dict.fromkeys(str(row["family"]) for row in rows))
    style = Style({family: slot for slot, family in enumerate(families)}, legend=True)
    drawn: list[Row] = [
        {
            "model": row["family"],
            "x": float(row["beta"]),
            "y": row["value"],
            "low": row["value"] if row["low"] is None else row["low"],
            "high": row["value"] if row["high"] is None else row["high"],
        }
        for row in rows
    ]
    betas = sorted({float(row["beta"]) for row in rows})
    margin = 0.04 * (betas[-1] - betas[0] or 1.0)
    x = style.x("β", (betas[0] - margin, betas[-1] + margin), values=betas, format="~r")
    log = _logarithmic(rows)
    ends = [float(str(row[key])) for row in drawn for key in ("low", "high")]
    y = style.y(heading(rows[0]), (min(ends) / 1.3, max(ends) * 1.3) if log else None, log=log)
    layers = [style.line(drawn, x, y), *style.whiskers(drawn, x, y), style.dots(drawn, x, y)]
    return style.finish(style.alt.layer(*layers))


def map_chart(rows: Sequence[TidyRow]) -> Any:
    """A quantity over β and L: brighter is more robust, the number in each cell is the mean.

    Args:
        rows: of one quantity, data set and attack; a row a cell.
    """
    style = Style({}, legend=False)
    alt, first = style.alt, rows[0]
    values = [float(row["value"]) for row in rows]
    log = _logarithmic(rows)
    reverse = first["robust"] == "lower"
    drawn: list[Row] = [
        {
            "beta": f"{row['beta']:g}",
            "layers": f"{row['layers']}",
            "value": row["value"],
            "words": number(row["value"], digits=2),
            "ink": INK if _brightness(float(row["value"]), values, reverse) > DARK else "#ffffff",
        }
        for row in rows
    ]
    orders = {
        "beta": sorted({str(row["beta"]) for row in drawn}, key=float),
        "layers": sorted({str(row["layers"]) for row in drawn}, key=int),
    }
    x = alt.X("beta:O", sort=orders["beta"], axis=alt.Axis(title="β", labelAngle=0))
    y = alt.Y(
        "layers:O",
        sort=orders["layers"][::-1],
        axis=alt.Axis(
            title=f"L   ·   {heading(first)}",
            titleAngle=0,
            titleAlign="left",
            titleAnchor="end",
            titleX=-10,
            titleY=-10,
        ),
    )
    scale = alt.Scale(type="log" if log else "linear", scheme=GREEN, reverse=reverse, nice=False)
    cells = (
        style.chart(drawn).mark_rect(aria=False).encode(x=x, y=y, color=alt.Color("value:Q", scale=scale, legend=None))
    )
    words = style.chart(drawn).mark_text(fontSize=13, aria=False)
    words = words.encode(x=x, y=y, text="words:N", color=alt.Color("ink:N", scale=None))
    chart = style.finish(alt.layer(cells, words).resolve_scale(color="independent"))
    return chart.properties(width=min(WIDTH, 64 * len(orders["beta"])), height=min(HEIGHT, 40 * len(orders["layers"])))


def heading(row: TidyRow) -> str:
    """A quantity with its unit."""
    return f"{row['title']} ({row['unit']})" if row["unit"] else str(row["title"])


def _logarithmic(rows: Sequence[TidyRow]) -> bool:
    ends = [row[key] for row in rows for key in ("value", "low") if row[key] is not None]
    return str(rows[0]["quantity"]).startswith("objective") and min(ends) > 0


def _brightness(value: float, values: Sequence[float], reverse: bool) -> float:
    low, high = min(values), max(values)
    share = (value - low) / (high - low) if high > low else 0.0
    return 1 - share if reverse else share
