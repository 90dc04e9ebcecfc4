"""Tables of what the models are without an attack: a table for each group of measurements."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from seatbelt_vae.experiments.evaluation import MEASUREMENTS, Group, Quantity
from seatbelt_vae.report.formats import number
from seatbelt_vae.report.runs import ReportRun
from seatbelt_vae.report.tables import Cell, Column, Line, Table

TITLES: dict[Group, str] = {
    "evidence": "How well the models explain images",
    "disentanglement": "Disentanglement of the top layer",
    "images": "Reconstructions, not attacked",
    "weights": "Weights and training",
    "noise": "Under noise",
}
"""The groups that have a table, in their order."""


def clean_tables(runs: Sequence[ReportRun]) -> tuple[Table, ...]:
    """What the models are without an attack; columns and tables of which no run has a number are left out."""
    made = (_noise(runs) if group == "noise" else _table(runs, group) for group in TITLES)
    return tuple(table for table in made if table.columns)


def clean_columns() -> tuple[Column, ...]:
    """Every column that these tables can have."""
    return tuple(_column(quantity) for group in TITLES for quantity in _quantities(group))


def _quantities(group: Group) -> tuple[Quantity, ...]:
    measured = (each for each in MEASUREMENTS.values() if each.group == group)
    return tuple(quantity for each in measured for quantity in each.quantities if quantity.listed)


def _column(quantity: Quantity) -> Column:
    return Column(quantity.key, quantity.title, quantity.unit, quantity.better, definition=quantity.definition)


def _table(runs: Sequence[ReportRun], group: Group) -> Table:
    asked = _quantities(group)
    cells = [[_cell(run.evaluation, quantity.key) for quantity in asked] for run in runs]
    kept = [place for place in range(len(asked)) if any(row[place] for row in cells)]
    rows = [tuple(row[place] for place in kept) for row in cells]
    columns = tuple(_column(asked[place]) for place in kept)
    return Table(f"clean-{group}", TITLES[group], columns, _lines(runs, rows), (_NOTES[group],))


_ENDS = "[± 1.96 standard errors]; ↑ higher, ↓ lower is better."
_NOTES: dict[Group, str] = {
    "evidence": f"Means over held-out images {_ENDS} Layers are listed bottom first.",
    "disentanglement": f"Of the top layer, over all training images {_ENDS}",
    "images": f"Means over held-out images {_ENDS}",
    "weights": "Encoder, then decoder. Neither way is better.",
}


def _noise(runs: Sequence[ReportRun]) -> Table:
    """What noise costs, a column for each scale."""
    scales = sorted({scale for run in runs for scale in run.evaluation.get("noise_scales", ())})
    columns = tuple(
        Column(
            f"noise_drop_{scale:g}", f"scale {scale:g}", "nats", "lower",
            definition="What noise of this standard deviation, for data in [−1, 1], takes from log p(x|z*).",
        )
        for scale in scales
    )  # fmt: skip
    rows = [tuple(_drop(run.evaluation, scale) for scale in scales) for run in runs]
    note = "log p(x|z) less log p(x|z*), z* drawn from q(z|x + noise) [1.96 standard errors over images]; ↓ lower is "
    return Table("clean-noise", "What noise costs", columns, _lines(runs, rows), (note + "more robust.",))


def _drop(evaluation: Mapping[str, Any], scale: float) -> Cell | None:
    scales = list(evaluation.get("noise_scales", ()))
    if scale not in scales:
        return None
    place = scales.index(scale)
    drop, errors = evaluation["noise_drop"][place], evaluation.get("noise_drop_error")
    return None if drop is None else _bounded(drop, errors[place] if errors else None)


def _lines(runs: Sequence[ReportRun], rows: Sequence[tuple[Cell | None, ...]]) -> tuple[Line, ...]:
    return tuple(Line(run.label, slot, row) for slot, (run, row) in enumerate(zip(runs, rows, strict=True)))


def _cell(evaluation: Mapping[str, Any], key: str) -> Cell | None:
    """A measurement: a list per layer, a mapping, or a number beside its ``_error``; each may lack a number."""
    found = evaluation.get(key)
    if found is None:
        return None
    if isinstance(found, Mapping):
        if "value" in found:
            value, low, high = (float(found.get(end, math.nan)) for end in ("value", "low", "high"))
            return Cell(value, low, high)
        return Cell(words=", ".join(map(_plain, found.values())))
    if isinstance(found, Sequence):
        return Cell(words=", ".join(map(_plain, found)))
    return _bounded(found, evaluation.get(f"{key}_error"))


def _plain(value: float | None) -> str:
    if isinstance(value, int):
        return str(value)
    return "–" if value is None else number(value)


def _bounded(value: float, error: float | None) -> Cell:
    half = math.nan if error is None else 1.96 * float(error)
    return Cell(float(value), float(value) - half, float(value) + half)
