import csv
import io
import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
import torch

from seatbelt_vae.report.formats import lambda_text
from seatbelt_vae.report.runs import Comparison
from seatbelt_vae.report.table_formats import cell_text, to_csv, to_html, to_latex, to_markdown
from seatbelt_vae.report.tables import Cell, Column, Line, Table, attack_table, objective_table


@pytest.fixture(scope="module")
def table(latent: Comparison) -> Table:
    return attack_table(latent)


def test_every_number_has_an_interval(table: Table) -> None:
    cells = [cell for line in table.lines for cell in line.cells if cell and not cell.words]
    assert cells
    assert all(cell.low <= cell.value <= cell.high for cell in cells)
    assert "[95 % interval over pairs]" in table.notes[0]


def test_the_first_model_is_the_reference_for_the_others(table: Table) -> None:
    place = [column.key for column in table.columns].index("auddc_difference")
    cells = [line.cells[place] for line in table.lines]
    assert cells[0] is not None
    assert cells[0].words == "reference"
    for line, cell in zip(table.lines[1:], cells[1:], strict=True):
        mine, reference = line.cells[place - 1], table.lines[0].cells[place - 1]
        assert cell is not None
        assert mine is not None
        assert reference is not None
        assert math.isclose(cell.value, mine.value - reference.value, abs_tol=1e-9)
        assert cell.note == "p = 0.5", "two pairs cannot give less"


def test_one_model_is_compared_with_nobody(latent: Comparison) -> None:
    alone = attack_table(replace(latent, trials=latent.trials[:1]))
    assert "auddc_difference" not in [column.key for column in alone.columns]


def test_notes_say_what_went_wrong(latent: Comparison) -> None:
    trial = latent.trials[0]
    status = torch.tensor([[0, 1, 2, 2, 0, 3, 0], [2, 0, 0, 0, 0, 0, 0]])
    cut = replace(latent, trials=(replace(trial, result=replace(trial.result, status=status)),))
    notes = " ".join(attack_table(cut).notes)
    where = lambda_text(float(trial.lambdas[3]))
    assert f"VAE: 3 of 14 attacks ran out of iterations, at λ = {where} and below." in notes
    assert "VAE: 1 of 14 attacks met values that are not finite." in notes


def test_delta_stands_in_a_table_of_its_own(latent: Comparison, table: Table) -> None:
    delta = objective_table(latent)
    keys = ["objective_clean", "objective_geometric_mean", "objective_mean", "objective_minimum"]
    assert [column.key for column in delta.columns] == keys
    assert not any(column.key.startswith("objective") for column in table.columns)
    assert not any(column.comparable for column in delta.columns)
    assert to_html(delta).count("class=apart") == 4 * (1 + len(delta.lines))
    assert delta.notes[1] == "† not comparable across models."
    for line, trial in zip(delta.lines, latent.trials, strict=True):
        cell = line.cells[2]
        assert cell is not None
        assert cell.value == pytest.approx(float(trial.objective.mean()), rel=1e-6)


def test_csv_keeps_every_digit(table: Table) -> None:
    head, *rows = csv.reader(io.StringIO(to_csv(table)))
    assert len({len(row) for row in [head, *rows]}) == 1
    for line, row in zip(table.lines, rows, strict=True):
        assert row[0] == line.label
        cell = line.cells[0]
        assert cell is not None
        assert [float(value) for value in row[1:4]] == [cell.value, cell.low, cell.high]
    assert head[1:4] == ["success_at_0.3", "success_at_0.3_low", "success_at_0.3_high"]


def test_markdown_has_as_many_bars_in_every_row(table: Table) -> None:
    rows = [row for row in to_markdown(table).splitlines() if row.startswith("|")]
    assert len(rows) == 2 + len(table.lines)
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {len(table.columns) + 2}


def test_latex_is_plain_characters_in_balance(table: Table) -> None:
    tex = to_latex(table)
    body = "\n".join(row for row in tex.splitlines() if not row.startswith("%"))
    assert body.isascii()
    assert body.count("{") == body.count("}")
    assert body.count("$") % 2 == 0
    rows = [row for row in body.splitlines() if row.endswith(r"\\")]
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {len(table.columns)}


class Reader(HTMLParser):
    """Cells and tags of a table."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_html_is_whole_and_escapes_what_users_named() -> None:
    nasty = Table("k", "<i>", (Column("a", "A & <b>", definition='say "x" <y>'),), (Line("<script>", 0, (Cell(1.0),)),))
    reader = Reader()
    reader.feed(to_html(nasty))
    assert reader.open == []
    assert "<script>" in "".join(reader.text)
    assert "<script>" not in to_html(nasty)


def test_html_says_value_and_interval_and_sorts_by_value(table: Table) -> None:
    html = to_html(table)
    cell = table.lines[0].cells[2]
    assert cell is not None
    value, interval = cell_text(cell).split(" [")
    assert f"<span class=value>{value}</span> <span class=interval>[{interval}</span>" in html
    assert f'data-value="{cell.value:.9g}"' in html
    assert "class=apart" not in html


def test_ratios_have_two_digits_at_each_end() -> None:
    assert cell_text(Cell(1234.5, 3.21, 45678.9, ratio=True)) == "1234 [3.2, 4.6×10⁴]"
    assert cell_text(Cell(1.0)) == "1.00"
