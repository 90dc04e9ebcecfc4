"""The long table: numbers by run, attack, measure and place; its intervals; its file."""

import csv
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments import Cell, Record, Table, check_format
from seatbelt_vae.experiments.spec import flat
from seatbelt_vae.experiments.table import COLUMNS, LeftOut, measure_of
from seatbelt_vae.measures import MEASURES
from seatbelt_vae.metrics import compare, interval
from tests.measures.test_catalogue import attacked, damaged

EVALUATION: dict[str, Any] = {
    "elbo": -80.0,
    "elbo_error": 0.5,
    "layer_kl": [3.0, 1.0],
    "layer_kl_error": [0.1, 0.2],
    "noise_scales": [0.1, 0.2],
    "noise_drop": [5.0, 9.0],
    "weight_norms": {"encoder": 2.0, "decoder": 3.0},
    "mig": None,
    "settings": {"split": "test"},
}


@pytest.fixture
def record() -> Record:
    settings = {"model": {"name": "vae", "latent_sizes": [8]}, "training": {"seed": 0}}
    return Record("a", "VAE", settings, EVALUATION, {"latent": attacked(), "damage": damaged()})


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("elbo", [-80.0]),
        ("layer_kl", [3.0, 1.0]),
        ("layer_kl@bottom", [3.0]),
        ("layer_kl@top", [1.0]),
        ("layer_kl@1", [1.0]),
        ("noise_drop@0.2", [9.0]),
        ("weight_norms@encoder", [2.0]),
        ("mig", []),
        ("iwae", []),
        ("noise_drop@0.7", []),
        ("elbo@top", [-80.0]),
    ],
)
def test_numbers_of_a_run(record: Record, key: str, expected: list[float]) -> None:
    assert Table([record]).values(Cell(record), key).tolist() == pytest.approx(expected, nan_ok=True)


def test_numbers_of_an_attack(record: Record) -> None:
    table = Table([record])
    assert table.values(Cell(record, "latent"), "distortion").shape == (2, 3)
    assert table.values(Cell(record, "latent"), "distortion@1").tolist() == pytest.approx([0.8, 0.8])
    assert table.values(Cell(record, "damage"), "damage@0.5").tolist() == [2.0, 2.0]
    assert table.values(Cell(record, "damage"), "auddc").numel() == 0
    assert table.values(Cell(record, "latent"), "objective").tolist() == pytest.approx([10.0, 10.0])


def seeds(*evaluations: dict[str, Any]) -> tuple[Table, list[Cell]]:
    records = [Record(f"run-{place}", "VAE", evaluation=each) for place, each in enumerate(evaluations)]
    return Table(records), [Cell(record) for record in records]


def test_an_interval_is_that_of_the_one_way_to_make_it(record: Record) -> None:
    table = Table([record])
    cells = [Cell(record, "latent")]
    values = table.values(cells[0], "objective")
    assert table.interval(cells, "objective") == interval(values, ratio=True)
    twice = [Cell(record, "latent"), Cell(record, "latent")]
    assert table.stack(twice, "objective").shape == (2, 2)
    assert table.interval(twice, "success_at_0.5").low >= 0.0


def test_an_interval_over_seeds() -> None:
    table, cells = seeds({"elbo": 1.0}, {"elbo": 2.0}, {"elbo": 4.0})
    assert table.interval(cells, "elbo") == interval([[1.0], [2.0], [4.0]])
    assert table.stack(cells, "elbo").tolist() == [[1.0], [2.0], [4.0]]


def test_what_was_not_measured_everywhere_has_no_interval() -> None:
    table, cells = seeds({"elbo": 1.0}, {})
    assert math.isnan(table.interval(cells, "elbo").value)
    assert table.compare(cells, cells, "elbo") is None


def test_a_comparison_is_that_of_the_one_way_to_make_it() -> None:
    table, cells = seeds({"elbo": 1.0}, {"elbo": 2.0}, {"elbo": 5.0}, {"elbo": 3.0})
    assert table.compare(cells[:2], cells[2:], "elbo") == compare([[1.0], [2.0]], [[5.0], [3.0]])
    ratio = table.compare(cells[:2], cells[2:], "weight_norms@encoder")
    assert ratio is None


def test_rows_hold_every_number_once(record: Record) -> None:
    rows = list(Table([record]).rows())
    keys = {(row["attack"], row["measure"], row["at"], row["pair"]) for row in rows}
    assert len(keys) == len(rows)
    assert {row["unit"] for row in rows if row["measure"] == "elbo"} == {"nats"}
    (elbo,) = [row for row in rows if row["measure"] == "elbo"]
    assert (elbo["value"], elbo["error"], elbo["at"], elbo["pair"], elbo["model.name"]) == (-80.0, 0.5, "", None, "vae")
    layers = [(row["at"], row["value"], row["error"]) for row in rows if row["measure"] == "layer_kl"]
    assert layers == [("0", 3.0, 0.1), ("1", 1.0, 0.2)]
    curve = [(row["pair"], row["at"]) for row in rows if row["attack"] == "latent" and row["measure"] == "distortion"]
    assert curve == [(pair, at) for pair in (0, 1) for at in ("0", "1", "10")]
    table = Table([record])
    for row in rows:
        cell = Cell(record, row["attack"])
        key = row["measure"] + (f"@{row['at']}" if row["at"] else "")
        found = table.values(cell, key)[row["pair"] or 0].item()
        assert found == row["value"] or (math.isnan(found) and row["value"] is None)


def test_its_files(record: Record, tmp_path: Path) -> None:
    import pyarrow.parquet

    table = Table([record])
    rows = list(table.rows())
    with table.write(tmp_path / "t.csv").open(newline="", encoding="utf-8") as file:
        read = list(csv.DictReader(file))
    assert list(read[0])[: len(COLUMNS)] == list(COLUMNS)
    assert [row["value"] for row in read] == ["" if row["value"] is None else str(row["value"]) for row in rows]
    columns = pyarrow.parquet.read_table(table.write(tmp_path / "t.parquet")).to_pydict()
    assert columns["value"] == [row["value"] for row in rows]
    assert columns["pair"] == [row["pair"] for row in rows]
    for refuse in (table.write, check_format):
        with pytest.raises(InputError, match=r"t\.xlsx: the table's format is not known, use .* in \.csv"):
            refuse(tmp_path / "t.xlsx")


def test_a_column_of_numbers_and_words_is_one_of_words(tmp_path: Path) -> None:
    import pyarrow.parquet

    records = [
        Record("a", "A", {"layers": "all", "n": 1}, {"elbo": 1.0}),
        Record("b", "B", {"layers": 2, "n": 2.5}, {"elbo": 1.0}),
    ]
    read = pyarrow.parquet.read_table(Table(records).write(tmp_path / "t.parquet")).to_pydict()
    assert read["layers"] == ["all", "2"]
    assert read["n"] == [1.0, 2.5]


def test_an_unknown_measure() -> None:
    with pytest.raises(InputError, match="measure 'elbow': is unknown"):
        measure_of("elbow@top")


def test_flat() -> None:
    assert flat({"a": {"b": {"c": 1}}, "d": (1, 2)}) == {"a.b.c": 1, "d": json.dumps([1, 2])}


def test_every_measure_of_a_run_is_read() -> None:
    evaluation = {key: 1.0 for key, measure in MEASURES.items() if measure.kind == "run"}
    record = Record("a", "A", evaluation=evaluation)
    table = Table([record])
    assert torch.cat([table.values(Cell(record), key) for key in evaluation]).tolist() == [1.0] * len(evaluation)


@pytest.mark.parametrize("value", ["much", [1.0, "much"], {"encoder": {}}])
def test_a_measurement_that_is_no_number_is_one_line(record: Record, value: Any) -> None:
    spoilt = Record("b", "VAE", {}, {**EVALUATION, "elbo": value})
    with pytest.raises(InputError, match="must be a number"):
        Table([spoilt]).values(Cell(spoilt), "elbo")
    with pytest.warns(LeftOut, match="must be a number"):
        assert {row["run"] for row in Table([record, spoilt]).rows()} == {"a"}
