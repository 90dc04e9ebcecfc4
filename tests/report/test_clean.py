from dataclasses import replace

import pytest

from seatbelt_vae.experiments import Record
from seatbelt_vae.measures import MEASURES
from seatbelt_vae.report.table import Cell
from seatbelt_vae.report.tables import clean_tables


def test_numbers_come_with_their_error(runs: list[Record]) -> None:
    (table,) = clean_tables(runs)
    assert [column.key for column in table.columns] == ["elbo", "log_likelihood", "kl", "layer_kl"]
    elbo, _, _, layers = table.lines[2].cells
    assert elbo is not None
    assert (elbo.value, elbo.high - elbo.low) == (-176, pytest.approx(2 * 1.96 * 1.6))
    assert layers == Cell(words="9.50, 3.90, 1.40")


def test_runs_without_any_have_empty_cells(runs: list[Record]) -> None:
    one = replace(runs[0], evaluation={"elbo": -1.0})
    none = replace(runs[1], evaluation={})
    (table,) = clean_tables([one, none])
    assert [line.cells for line in table.lines][1] == (None,)


def test_each_group_has_its_table_and_what_was_not_measured_no_column(full: list[Record]) -> None:
    tables = {table.key: table for table in clean_tables(full)}
    assert list(tables) == ["clean-evidence", "clean-images", "clean-weights", "clean-noise"]
    assert [column.heading for column in tables["clean-images"].columns] == ["MSE ↓"]
    assert tables["clean-weights"].lines[0].cells == (Cell(words="25.0, 24.5"),)
    assert tables["clean-evidence"].lines[2].cells[-1] == Cell(words="8, 8, 8")


def test_noise_has_a_column_for_each_scale(full: list[Record]) -> None:
    other = replace(full[1], evaluation={**full[1].evaluation, "noise_scales": [0.03], "noise_drop": [2.5]})
    table = clean_tables([full[0], other])[-1]
    assert [column.title for column in table.columns] == ["scale 0.03", "scale 0.3", "scale 1"]
    first, second = table.lines
    assert first.cells[1] == Cell(20.0, pytest.approx(20 - 1.96), pytest.approx(20 + 1.96))
    assert second.cells[0] is not None
    assert second.cells[0].value == 2.5
    assert second.cells[1:] == (None, None)


def test_a_number_without_an_error_and_none_at_all(runs: list[Record]) -> None:
    run = replace(runs[0], evaluation={"elbo": -3.0, "elbo_error": None, "layer_kl": [1.0, None]})
    (table,) = clean_tables([run])
    elbo, layers = table.lines[0].cells
    assert elbo is not None
    assert not elbo.bounded
    assert layers == Cell(words="1.00, –")


def test_every_column_is_a_measure_that_says_what_it_is(full: list[Record]) -> None:
    for table in clean_tables(full)[:-1]:
        for column in table.columns:
            assert column.key in MEASURES
            assert column.definition.endswith(".")
