"""The results of a sweep as one table: a row for each run, what varies first."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.attacking import summarise_attack
from seatbelt_vae.experiments.spec import ExperimentSpec
from seatbelt_vae.experiments.standing import Standing, standing
from seatbelt_vae.experiments.store import RunFolder
from seatbelt_vae.experiments.sweep import Sweep
from seatbelt_vae.storage import write_bytes

Cell = str | int | float | bool | None
Row = dict[str, Cell]

FORMATS = (".csv", ".parquet")
_NOTES = ("settings", "measurements", "quantities")  # of ``evaluation.json``: how its numbers came about


def results(sweep: Sweep, standings: Sequence[Standing] | None = None) -> list[Row]:
    """Gather what is known of each run.

    Args:
        sweep: the runs.
        standings: where they stand, if that is known already.

    Returns:
        For each run, in the sweep's order: ``run``; the settings that differ between the runs, such as
        ``objective.beta``; ``state``, ``step`` and ``error``; what was measured, by the names of ``evaluation.json``;
        of each attack ``<attack>.pairs``, those for which success means something, ``<attack>.auddc`` and
        ``<attack>.success_at_0.5``, or ``<attack>.damage_at_<radius>``, and the ends of their 95 % intervals; the other
        settings; ``path``. Lists are JSON text. All rows have the same columns.
    """
    found = standings or [standing(run, sweep.work) for run in sweep.runs]
    settings = [flat(run.spec.model_dump(mode="json")) for run in sweep.runs]
    first = varying([run.spec for run in sweep.runs])
    rows = [
        {
            "run": run.name,
            **{name: spec[name] for name in first},
            "state": now.state.value,
            "step": now.step,
            "error": now.error or None,
            **flat({name: value for name, value in run.evaluation.items() if name not in _NOTES}),
            **_attacks(run, [attack.name for attack in sweep.work.attacks]),
            **{name: value for name, value in spec.items() if name not in first},
            "path": str(run.path),
        }
        for run, now, spec in zip(sweep.runs, found, settings, strict=True)
    ]
    return _same_columns(rows)


def varying(specs: Sequence[ExperimentSpec]) -> list[str]:
    """Name the settings in which specs differ, such as ``objective.beta``.

    Example:
        >>> varying([ExperimentSpec(), ExperimentSpec().changed(training={"seed": 1})])
        ['training.seed']
    """
    tables = [flat(spec.model_dump(mode="json")) for spec in specs]
    return [name for name in tables[0] if len({json.dumps(table[name]) for table in tables}) > 1]


def flat(tables: Mapping[str, Any], above: str = "") -> Row:
    """Bring tables within tables to one, and lists to JSON text.

    Example:
        >>> flat({"elbo": -1.5, "weight_norms": {"encoder": 2.0}, "layer_kl": [1.0, 2.0]})
        {'elbo': -1.5, 'weight_norms.encoder': 2.0, 'layer_kl': '[1.0, 2.0]'}
    """
    row: Row = {}
    for name, value in tables.items():
        if isinstance(value, Mapping):
            row |= flat(value, f"{above}{name}.")
        else:
            row[above + name] = json.dumps(value) if isinstance(value, list | tuple) else value
    return row


def write_table(rows: Sequence[Row], path: str | Path) -> Path:
    """Write rows as CSV or Parquet, by the file's suffix.

    Raises:
        InputError: another suffix, or Parquet without pyarrow.
        RunError: the file cannot be written.
    """
    path = Path(path)
    check_table(path)
    return write_bytes(path, _parquet(rows) if path.suffix == ".parquet" else _csv(rows))


def check_table(path: Path) -> None:
    """Refuse a table that could not be written, before the work that it is to show.

    Raises:
        InputError: the suffix is not one of `FORMATS`, or it is Parquet's and pyarrow is missing.
    """
    if path.suffix not in FORMATS:
        raise InputError(f"{path}: the table's format is not known, use a name that ends in {' or '.join(FORMATS)}")
    if path.suffix == ".parquet":
        _pyarrow()


def _attacks(run: RunFolder, names: Sequence[str]) -> Row:
    row: Row = {}
    for name in (name for name in names if name in run.attacks):
        summary = summarise_attack(*run.attack(name))
        measures: dict[str, Any] = {key: summary[key] for key in ("auddc", "success_at_0.5") if key in summary}
        radii = zip(summary["lambdas"], summary.get("damage", ()), strict=False)
        measures |= {f"damage_at_{radius:g}": damage for radius, damage in radii}
        row[f"{name}.pairs"] = summary.get("pairs_defined", summary["pairs"])
        for measure, interval in measures.items():
            ends = interval or dict.fromkeys(("value", "low", "high"))
            row[f"{name}.{measure}"] = ends["value"]
            row |= {f"{name}.{measure}.{end}": ends[end] for end in ("low", "high")}
    return row


def _same_columns(rows: Sequence[Row]) -> list[Row]:
    """Give all rows all columns: those of the longest row first."""
    names = dict.fromkeys(name for row in sorted(rows, key=len, reverse=True) for name in row)
    return [{name: row.get(name) for name in names} for row in rows]


def _csv(rows: Sequence[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(dict(row) for row in rows)
    return text.getvalue().encode()


def _parquet(rows: Sequence[Row]) -> bytes:
    pyarrow, parquet = _pyarrow()
    columns = {name: _alike([row[name] for row in rows]) for name in rows[0]}
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), buffer)
    return buffer.getvalue()


def _alike(values: list[Cell]) -> list[Cell]:
    """A column of text where texts and numbers are mixed: Parquet has one type a column."""
    texts = [isinstance(value, str) for value in values if value is not None]
    mixed = any(texts) and not all(texts)
    return [None if value is None else str(value) for value in values] if mixed else values


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise InputError("a .parquet table needs pyarrow: pip install 'seatbelt-vae[parquet]'") from error
    return pyarrow, parquet
