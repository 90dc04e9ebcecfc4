"""One long table: a row a number, of every run, evaluation and attack. Everything that is shown is a query on it."""

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.measures import MEASURES, Attacked, Measure, measures_of
from seatbelt_vae.metrics import Comparison, Interval, compare, interval
from seatbelt_vae.storage import write_bytes

FORMATS = (".csv", ".parquet")
COLUMNS = ("run", "label", "attack", "measure", "at", "pair", "value", "error", "unit")
"""Columns of the long table; the settings of the runs follow."""


@dataclass(frozen=True)
class Record:
    """What is known of one trained model.

    Args:
        name: the run's name.
        label: the model's short name in tables and legends.
        settings: what was asked for, as tables of the spec: ``data``, ``model``, ``objective``, ``training``.
        evaluation: measures of the run by key: numbers, or lists by layer (bottom first) or by scale of noise.
        attacks: attacks by name; they may be read when they are asked for.
        history: records of the training.
        measured: tensors of measurements by name: ``noise``, ``traversals``.
        environment: where it was trained, a record for each sitting.
    """

    name: str
    label: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    attacks: Mapping[str, Attacked] = field(default_factory=dict)
    history: Sequence[Mapping[str, Any]] = ()
    measured: Mapping[str, Mapping[str, Tensor]] = field(default_factory=dict)
    environment: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Cell:
    """A place in the table: a run, and an attack on it by name; empty for what was measured without one."""

    record: Record
    attack: str = ""


class Table:
    """Numbers of runs by measure and attack, read once and kept.

    Args:
        records: the runs.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = tuple(records)
        self._known: dict[tuple[int, str], dict[str, Tensor]] = {}

    def values(self, cell: Cell, key: str) -> Tensor:
        """A measure, float64.

        Args:
            cell: of what.
            key: the measure's, with ``@`` and a place for one number of a list: ``layer_kl@top``, ``noise_drop@0.2``,
                ``weight_norms@encoder``, or ``damage@1`` for one radius.

        Returns:
            (P,) or (P, K) under an attack, (1,) or (N,) without one; empty where it was not measured.
        """
        name = key.partition("@")[0]
        found = self._all(cell).get(name, torch.empty(0, dtype=torch.float64))
        return self._placed(cell, key, found)

    def errors(self, cell: Cell, key: str) -> Tensor:
        """Standard errors of a measure of a run, one for each of its values; NaN where none was measured."""
        name = key.partition("@")[0]
        values = self._all(cell).get(name, torch.empty(0, dtype=torch.float64))
        found = _errors(cell.record.evaluation, name, values)
        if found is None:
            found = [math.nan] * len(values)
        return self._placed(cell, key, torch.tensor(_numbers(found), dtype=torch.float64))

    def _placed(self, cell: Cell, key: str, found: Tensor) -> Tensor:
        """The numbers at the place that a key names, or all."""
        name, _, at = key.partition("@")
        if not at or not found.numel():
            return found
        places = self.places(cell, name)
        for place, word in enumerate(places):
            if _is_place(word, place, len(places), at) and cell.attack:
                return found[:, place]
            if _is_place(word, place, len(places), at):
                return found[place : place + 1]
        return torch.empty(0, dtype=torch.float64)

    def places(self, cell: Cell, name: str) -> Sequence[str]:
        """What the numbers of a measure's last axis are of: budgets, layers, scales of noise, parts of a model."""
        if cell.attack:
            return [f"{value:g}" for value in cell.record.attacks[cell.attack].result.budget.values.tolist()]
        found = cell.record.evaluation.get(name)
        if isinstance(found, Mapping):
            return list(found)
        if name.startswith("noise_"):
            return [f"{scale:g}" for scale in cell.record.evaluation.get("noise_scales", [])]
        return [str(layer) for layer in range(len(found or []))]

    def stack(self, cells: Sequence[Cell], key: str) -> Tensor:
        """A measure of several trainings of a model on the same pairs, (S, P); empty where one of them lacks it."""
        found = [self.values(cell, key) for cell in cells]
        if not found or len({each.shape for each in found}) > 1 or not found[0].numel():
            return torch.empty(0, 0, dtype=torch.float64)
        return torch.stack(found)

    def interval(self, cells: Sequence[Cell], key: str) -> Interval:
        """The mean of a measure over trainings and pairs with its 95 % interval; NaN where it was not measured."""
        measure = measure_of(key)
        values = self.stack(cells, key)
        if not values.numel():
            return Interval(math.nan, math.nan, math.nan)
        return interval(values, ratio=measure.ratio, possible=measure.possible)

    def compare(self, first: Sequence[Cell], second: Sequence[Cell], key: str) -> Comparison | None:
        """The second model less the first (or their ratio) on the same trainings and pairs; None without two values."""
        before = self.stack(first, key)
        after = self.stack(second, key)
        if before.shape != after.shape or before.numel() < 2:
            return None
        return compare(before, after, ratio=measure_of(key).ratio)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every number as a row with the columns `COLUMNS` and the settings of its run."""
        for record in self.records:
            settings = flat(record.settings)
            for attack in ("", *record.attacks):
                for row in self._rows(Cell(record, attack)):
                    yield {"run": record.name, "label": record.label, "attack": attack, **row, **settings}

    def _rows(self, cell: Cell) -> Iterator[dict[str, Any]]:
        for name, values in self._all(cell).items():
            measure = MEASURES[name]
            errors = _errors(cell.record.evaluation, name, values) if not cell.attack else None
            grid = values.view(len(values), -1) if cell.attack else values.view(1, -1)
            places = self.places(cell, name) if grid.shape[1] > 1 or measure.kind == "curve" else [""]
            for pair, numbers in enumerate(grid.tolist()):
                for place, (at, value) in enumerate(zip(places, numbers, strict=True)):
                    yield {
                        "measure": name,
                        "at": at,
                        "pair": pair if cell.attack else None,
                        "value": value if math.isfinite(value) else None,
                        "error": errors[place] if errors else None,
                        "unit": measure.unit,
                    }

    def write(self, path: str | Path) -> Path:
        """Write the long table as CSV or Parquet, by the file's suffix.

        Raises:
            InputError: another suffix, or Parquet without pyarrow.
            RunError: the file cannot be written.
        """
        path = Path(path)
        check_format(path)
        rows = list(self.rows())
        names = list(dict.fromkeys([*COLUMNS, *(name for row in rows for name in row)]))
        content = _parquet(rows, names) if path.suffix == ".parquet" else _csv(rows, names)
        return write_bytes(path, content)

    def _all(self, cell: Cell) -> dict[str, Tensor]:
        key = id(cell.record), cell.attack
        if key not in self._known:
            self._known[key] = _gained(cell) if cell.attack else _evaluated(cell.record.evaluation)
        return self._known[key]


def _is_place(word: str, place: int, count: int, at: str) -> bool:
    if at in ("bottom", "top"):
        return place == {"bottom": 0, "top": count - 1}[at]
    return word == at


def measure_of(key: str) -> Measure:
    """The measure that a key names, with or without a place.

    Raises:
        InputError: there is none.

    Example:
        >>> measure_of("layer_kl@top").unit
        'nats'
    """
    name = key.partition("@")[0]
    if name not in MEASURES:
        raise InputError(f"measure {name!r}: is unknown, use one of {', '.join(MEASURES)}")
    return MEASURES[name]


def _gained(cell: Cell) -> dict[str, Tensor]:
    """Every measure of an attack."""
    attacked = cell.record.attacks[cell.attack]
    found = {}
    for measure in (*measures_of(attacked.result, "pair"), *measures_of(attacked.result, "curve")):
        if measure.of is not None:
            found[measure.key] = measure.of(attacked).detach().double().cpu()
    return found


def _evaluated(evaluation: Mapping[str, Any]) -> dict[str, Tensor]:
    """Every measure of a run."""
    found = {}
    for key, measure in MEASURES.items():
        value = evaluation.get(key)
        if measure.kind == "run" and value is not None:
            found[key] = torch.tensor(_numbers(value), dtype=torch.float64)
    return found


def _numbers(value: Any) -> list[float]:
    """A measurement as a list: a number, a list by layer or scale, or a mapping by part; each may lack a number."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if not isinstance(value, Sequence):
        value = [value]
    return [math.nan if each is None else float(each) for each in value]


def _errors(evaluation: Mapping[str, Any], name: str, values: Tensor) -> list[float | None] | None:
    error = evaluation.get(f"{name}_error")
    if error is None:
        return None
    if isinstance(error, Sequence):
        return list(error)
    return [error] * values.numel()


def flat(tables: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Bring tables within tables to one, and lists to JSON text.

    Example:
        >>> flat({"elbo": -1.5, "model": {"layers": 2, "latent_sizes": [8, 4]}})
        {'elbo': -1.5, 'model.layers': 2, 'model.latent_sizes': '[8, 4]'}
    """
    row: dict[str, Any] = {}
    for name, value in tables.items():
        if isinstance(value, Mapping):
            row |= flat(value, f"{above}{name}.")
        elif isinstance(value, list | tuple):
            row[above + name] = json.dumps(value)
        else:
            row[above + name] = value
    return row


def check_format(path: Path) -> None:
    """Refuse a table that could not be written, before the work that it is to show.

    Raises:
        InputError: the suffix is not one of `FORMATS`, or it is Parquet's and pyarrow is missing.
    """
    if path.suffix not in FORMATS:
        raise InputError(f"{path}: the table's format is not known, use a name that ends in {' or '.join(FORMATS)}")
    if path.suffix == ".parquet":
        _pyarrow()


def _csv(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _parquet(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> bytes:
    pyarrow, parquet = _pyarrow()
    columns = {name: _of_one_type([row.get(name) for row in rows]) for name in names}
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), buffer)
    return buffer.getvalue()


def _of_one_type(values: list[Any]) -> list[Any]:
    """A column of text where texts and numbers are mixed: Parquet has one type a column."""
    texts = {isinstance(value, str) for value in values if value is not None}
    if texts != {True, False}:
        return values
    return [None if value is None else str(value) for value in values]


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise InputError("a .parquet table needs pyarrow: pip install pyarrow") from error
    return pyarrow, parquet
