"""A recipe's tidy rows as tables for readers: models down, quantities across, the paper's own beside ours."""

from __future__ import annotations

import math
from collections.abc import Sequence

from seatbelt_vae.report.matching import slug
from seatbelt_vae.report.reproduction.charts import TidyRow
from seatbelt_vae.report.tables import Cell, Column, Line, Table


def tables(name: str, title: str, rows: Sequence[TidyRow]) -> list[Table]:
    """One table for each set of data and attack.

    Args:
        name: the recipe's, for files.
        title: its heading.
        rows: tidy rows.
    """
    groups: dict[tuple[str, str], list[TidyRow]] = {}
    for row in rows:
        groups.setdefault((row["data"], row["attack"]), []).append(row)
    return [_table(name, title, data, attack, mine) for (data, attack), mine in groups.items()]


def _table(name: str, title: str, data: str, attack: str, rows: Sequence[TidyRow]) -> Table:
    keys = list(dict.fromkeys(row["quantity"] for row in rows))
    first = {key: next(row for row in rows if row["quantity"] == key) for key in keys}
    printed = {key: any(row["paper"] is not None for row in rows if row["quantity"] == key) for key in keys}
    columns: list[Column] = []
    for key in keys:
        row = first[key]
        columns.append(Column(key, row["title"], row["unit"], row["robust"], comparable=not _inflated(key, attack)))
        if printed[key]:
            columns.append(Column(f"{key}_paper", f"the paper’s {row['title']}", row["unit"]))
    lines = []
    for slot, label in enumerate(dict.fromkeys(row["label"] for row in rows)):
        mine = {row["quantity"]: row for row in rows if row["label"] == label}
        cells: list[Cell | None] = []
        for key in keys:
            cells.append(_cell(mine.get(key)))
            if printed[key]:
                paper = mine[key]["paper"] if key in mine else None
                cells.append(None if paper is None else Cell(float(paper)))
        lines.append(Line(label, slot, tuple(cells)))
    words = ", ".join(part for part in (data, attack) if part)
    return Table(slug(f"{name}-{words}"), f"{title}: {words}", tuple(columns), tuple(lines), _notes(rows, columns))


def _cell(row: TidyRow | None) -> Cell | None:
    if row is None:
        return None
    low, high = (math.nan if row[key] is None else float(row[key]) for key in ("low", "high"))
    return Cell(float(row["value"]), low, high, ratio=bool(row["ratio"]))


def _inflated(key: str, attack: str) -> bool:
    return key.startswith("objective") and attack.startswith("latent")


def _notes(rows: Sequence[TidyRow], columns: Sequence[Column]) -> tuple[str, ...]:
    seeds = sorted({row["seeds"] for row in rows})
    pairs = sorted({row["pairs"] for row in rows})
    paired = pairs[-1] > 1
    of = f" and {_span(pairs)} pairs [95 % interval over both]" if paired else " [95 % interval over these]"
    notes = [f"Mean over {_span(seeds)} seeds{of}; ↑ higher, ↓ lower is better."]
    if any(not column.comparable for column in columns):
        notes.append("† grows with 1/σ² alone; not comparable across models.")
    return tuple(notes)


def _span(numbers: Sequence[int]) -> str:
    return f"{numbers[0]}" if numbers[0] == numbers[-1] else f"{numbers[0]} to {numbers[-1]}"
