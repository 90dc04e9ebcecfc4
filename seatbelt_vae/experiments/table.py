"""One long table: a row a number, of every run, evaluation and attack. Everything that is shown is a query on it."""

import csv
import io
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError, missing
from seatbelt_vae.experiments.record import Cell, Record
from seatbelt_vae.experiments.spec import flat
from seatbelt_vae.measures import MEASURES, Measure, measures_of
from seatbelt_vae.metrics import Comparison, Interval, compare, interval
from seatbelt_vae.metrics.statistics import NOTHING
from seatbelt_vae.settings import shown
from seatbelt_vae.storage import write_bytes

FORMATS = (".csv", ".parquet")
COLUMNS = ("run", "label", "attack", "measure", "at", "pair", "value", "error", "unit")
"""Columns of the long table; the settings of the runs follow."""

EMPTY = torch.empty(0, dtype=torch.float64)


class LeftOut(UserWarning):
    """A file of a run is damaged: what stands in it is in no table."""


def leave_out(error: InputError) -> None:
    """Say what is in no table, and why."""
    warnings.warn(f"left out of the table: {error}", LeftOut, stacklevel=3)


class Table:
    """Numbers of runs by measure and attack, read once and kept.

    Args:
        records: the runs.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = tuple(records)
        self._known: dict[tuple[Record, str], dict[str, Tensor]] = {}

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
        return self._placed(cell, key, self._all(cell).get(name, EMPTY))

    def errors(self, cell: Cell, key: str) -> Tensor:
        """Standard errors of a measure of a run, one for each of its `values`; NaN where there is none."""
        name = key.partition("@")[0]
        found = _errors(cell, name, len(self.places(cell, name)))
        return self._placed(cell, key, torch.tensor(numbers(found), dtype=torch.float64))

    def _placed(self, cell: Cell, key: str, found: Tensor) -> Tensor:
        """The numbers at the place that a key names; all where it names none."""
        name, _, at = key.partition("@")
        if not at or not found.numel():
            return found
        place = _place_of(at, self.places(cell, name))
        if place is None:
            return EMPTY
        if cell.attack:
            return found[:, place]
        return found[place : place + 1]

    def places(self, cell: Cell, name: str) -> list[str]:
        """What the numbers of a measure are of, along its last axis: budgets, layers, scales of noise, parts.

        Args:
            cell: of what.
            name: the measure's key, without a place.

        Returns:
            Words; one empty one for a measure that has no such axis.
        """
        if cell.attack:
            if MEASURES[name].kind == "pair":
                return [""]
            budget = cell.record.attacks[cell.attack].result.budget
            return [f"{value:g}" for value in budget.values.tolist()]
        evaluation = cell.record.evaluation
        found = evaluation.get(name)
        if isinstance(found, Mapping):
            return list(found)
        if not isinstance(found, Sequence):
            return [""]
        if name.startswith("noise_"):
            return [f"{scale:g}" for scale in numbers(evaluation.get("noise_scales", []))]
        return [str(layer) for layer in range(len(found))]

    def stack(self, cells: Sequence[Cell], key: str) -> Tensor:
        """A measure of several trainings of a model on the same pairs, (S, P); empty where one of them lacks it."""
        found = [self.values(cell, key) for cell in cells]
        if not found or len({each.shape for each in found}) > 1 or not found[0].numel():
            return EMPTY
        return torch.stack(found)

    def interval(self, cells: Sequence[Cell], key: str) -> Interval:
        """The mean of a measure over trainings and pairs with its 95 % interval; NaN where it was not measured."""
        measure = measure_of(key)
        values = self.stack(cells, key)
        if not values.numel():
            return NOTHING
        return interval(values, ratio=measure.ratio, possible=measure.possible)

    def compare(self, first: Sequence[Cell], second: Sequence[Cell], key: str) -> Comparison | None:
        """The second model less the first (or their ratio) on the same trainings and pairs; None without two values."""
        before = self.stack(first, key)
        after = self.stack(second, key)
        if before.shape != after.shape or before.numel() < 2:
            return None
        return compare(before, after, ratio=measure_of(key).ratio)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every number as a row with the columns `COLUMNS` and the settings of its run.

        Attacks whose files are damaged are left out, with a warning.
        """
        for record in self.records:
            about = {"run": record.name, "label": record.label}
            settings = flat(record.settings)
            for attack in ("", *record.attacks):
                for row in self._readable(Cell(record, attack)):
                    yield {**about, "attack": attack, **row, **settings}

    def _readable(self, cell: Cell) -> list[dict[str, Any]]:
        try:
            return list(self._rows(cell))
        except InputError as error:
            leave_out(error)
            return []

    def _rows(self, cell: Cell) -> Iterator[dict[str, Any]]:
        for name, values in self._all(cell).items():
            places = self.places(cell, name)
            errors = _errors(cell, name, len(places))
            if len(places) != len(errors) or not places or values.numel() % len(places):
                raise InputError(f"{cell.record.name}: {name} has {values.numel()} numbers at {len(places)} places")
            for pair, numbers in enumerate(values.view(-1, len(places)).tolist()):
                for at, value, error in zip(places, numbers, errors, strict=True):
                    yield {
                        "measure": name,
                        "at": at,
                        "pair": pair if cell.attack else None,
                        "value": finite(value),
                        "error": error,
                        "unit": _unit(cell, MEASURES[name]),
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
        names = dict.fromkeys(COLUMNS)
        for row in rows:
            names |= dict.fromkeys(row)
        write = _csv
        if path.suffix == ".parquet":
            write = _parquet
        return write_bytes(path, write(rows, list(names)))

    def _all(self, cell: Cell) -> dict[str, Tensor]:
        key = (cell.record, cell.attack)
        if key not in self._known:
            measured = _evaluated
            if cell.attack:
                measured = _gained
            self._known[key] = measured(cell)
        return self._known[key]


def _place_of(at: str, places: Sequence[str]) -> int | None:
    """Where a place stands among others; ``bottom`` and ``top`` are the first and the last."""
    ends = {"bottom": 0, "top": len(places) - 1}
    if at in places:
        return places.index(at)
    return ends.get(at)


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


def _evaluated(cell: Cell) -> dict[str, Tensor]:
    """Every measure of a run."""
    found = {}
    for key, measure in MEASURES.items():
        value = cell.record.evaluation.get(key)
        if measure.kind == "run" and value is not None:
            found[key] = torch.tensor(numbers(value), dtype=torch.float64)
    return found


def numbers(value: Any) -> list[float]:
    """A measurement as a list: a number, a list by layer or scale, or a mapping by part; each may lack a number.

    Raises:
        InputError: it is something else.
    """
    if isinstance(value, Mapping):
        value = list(value.values())
    if not isinstance(value, list | tuple):
        value = [value]
    found = []
    for each in value:
        if each is None:
            each = math.nan
        if not isinstance(each, int | float):
            raise InputError(f"a measurement is {shown(each)}, must be a number")
        found.append(float(each))
    return found


def _errors(cell: Cell, name: str, count: int) -> list[float | None]:
    """The standard errors of a measure of a run, None where there is none."""
    error = None
    if not cell.attack:
        error = cell.record.evaluation.get(f"{name}_error")
    if isinstance(error, list):
        return error
    return [error] * count


def finite(value: float) -> float | None:
    """A number as JSON takes it: None where it is none.

    Example:
        >>> finite(0.5), finite(math.nan)
        (0.5, None)
    """
    if math.isfinite(value):
        return value
    return None


def _unit(cell: Cell, measure: Measure) -> str:
    if cell.attack:
        return measure.unit_in(cell.record.attacks[cell.attack].result)
    return measure.unit


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
    given = [value for value in values if value is not None]
    texts = [value for value in given if isinstance(value, str)]
    if len(texts) in (0, len(given)):
        return values
    found = []
    for value in values:
        if value is not None:
            value = str(value)
        found.append(value)
    return found


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise missing("a .parquet table", "pyarrow", "parquet") from error
    return pyarrow, parquet
