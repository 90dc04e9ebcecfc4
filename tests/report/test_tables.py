import csv
import io
import math
import re
from dataclasses import astuple, replace
from html.parser import HTMLParser

import pytest
import torch

from seatbelt_vae.experiments import Record
from seatbelt_vae.metrics import Reference, compare, interval
from seatbelt_vae.report.compare import groups
from seatbelt_vae.report.formats import budget_text
from seatbelt_vae.report.group import Group
from seatbelt_vae.report.table import Cell, Column, Line, Table, to_csv, to_latex, to_markdown
from seatbelt_vae.report.tables import amplification_table, attack_table, damage_table, objective_table
from seatbelt_vae.report.templating import rendered

from .synthetic import changed, damaged, inside_balls


@pytest.fixture(scope="module")
def table(latent: Group) -> Table:
    return attack_table(latent)


def to_html(table: Table) -> str:
    return rendered("table.html.j2", table=table)


def place_of(table: Table, key: str) -> int:
    return [column.key for column in table.columns].index(key)


def of(attacked) -> Group:
    (group,) = groups([Record("VAE", "VAE", attacks={"attack": attacked})])
    return group


def test_every_number_has_an_interval(table: Table) -> None:
    cells = [cell for line in table.lines for cell in line.cells if cell and not cell.words]
    assert cells
    assert all(cell.low <= cell.value <= cell.high for cell in cells)
    assert "[95 % interval over pairs]" in table.notes[0]


def test_what_can_be_compared_comes_first(table: Table) -> None:
    assert [column.key for column in table.columns] == [
        "success_at_0.3", "success_at_0.5", "auddc", "auddc_difference", "f50", "target_nll_at_0.5",
        "to_target_at_0.5", "from_clean_at_0.5",
    ]  # fmt: skip
    assert [column.better for column in table.columns[:3]] == ["lower", "lower", "higher"]
    assert all(column.definition.endswith(".") for column in table.columns)


def test_the_first_model_is_the_reference_for_the_others(table: Table) -> None:
    place = place_of(table, "auddc_difference")
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


def test_one_model_is_compared_with_nobody(latent: Group) -> None:
    alone = attack_table(replace(latent, trials=latent.trials[:1]))
    assert "auddc_difference" not in [column.key for column in alone.columns]


def test_notes_say_what_went_wrong(latent: Group) -> None:
    status = torch.tensor([[0, 1, 2, 2, 0, 3, 0], [2, 0, 0, 0, 0, 0, 0]])
    notes = " ".join(attack_table(of(changed(latent.trials[0].attacked, status=status))).notes)
    where = budget_text("λ", latent.budgets[3])
    assert f"VAE: 3 of 14 attacks ran out of iterations, at λ = {where} and below." in notes
    assert "VAE: 1 of 14 attacks met values that are not finite." in notes


def test_pairs_that_are_left_out_are_counted(latent: Group) -> None:
    attacked = latent.trials[0].attacked
    far = attacked.assessment.adversarial_reconstruction.clone()
    far[1] = attacked.assessment.source_reconstruction[1]
    same = attacked.assessment.target_reconstruction.clone()
    same[0] = attacked.assessment.source_reconstruction[0]
    seen = {"adversarial_reconstruction": far, "target_reconstruction": same}
    notes = " ".join(attack_table(of(changed(attacked, assessment=seen))).notes)
    assert "VAE: success is not defined on 1 of 2 pairs" in notes
    assert "VAE: success one half is not reached on 1 of 2 pairs; they are left out of f50." in notes


def test_delta_stands_in_a_table_of_its_own(latent: Group, table: Table) -> None:
    delta = objective_table(latent)
    keys = ["objective_clean", "objective", "objective_mean", "objective_minimum"]
    assert [column.key for column in delta.columns] == keys
    assert not any(column.key.startswith("objective") for column in table.columns)
    assert not any(column.comparable for column in delta.columns)
    assert to_html(delta).count("class=apart") == 4 * (1 + len(delta.lines))
    assert delta.notes[1] == "† not comparable across models."
    for line, trial in zip(delta.lines, latent.trials, strict=True):
        cell = line.cells[2]
        assert cell is not None
        assert cell.value == pytest.approx(float(trial.result.objective.mean()), rel=1e-6)


def test_delta_is_that_of_the_metrics(latent: Group) -> None:
    delta = objective_table(latent)
    objective = latent.trials[1].result.objective.double()
    _, mean, _, least = delta.lines[1].cells
    assert mean is not None
    assert least is not None
    expected = interval(objective.log().mean(1).exp(), ratio=True)
    assert (mean.value, mean.low, mean.high) == pytest.approx(astuple(expected), rel=1e-6)
    expected = interval(objective.amin(1), ratio=True)
    assert (least.value, least.low, least.high) == pytest.approx(astuple(expected), rel=1e-6)


def test_delta_of_output_attacks_can_be_compared(runs: list[Record]) -> None:
    assert all(column.comparable for column in objective_table(groups(runs)[1]).columns)


def test_a_delta_that_is_negative_has_no_geometric_mean(latent: Group) -> None:
    attacked = latent.trials[0].attacked
    shifted = changed(attacked, objective=attacked.result.objective - 1e3)
    columns = [column.key for column in objective_table(of(shifted)).columns]
    assert "objective" not in columns
    assert "objective_mean" in columns


def test_inside_balls_delta_is_told_over_radii(latent: Group) -> None:
    columns = objective_table(of(inside_balls(latent.trials[0].attacked))).columns
    assert [column.title for column in columns[-2:]] == ["Δ, mean over ε", "Δ, smallest over ε"]
    assert all("λ" not in column.definition for column in columns)


def test_what_no_model_sets_stands_below_in_italics(latent: Group) -> None:
    half = torch.tensor([0.4, 0.5])
    blend = Reference("blend", half, half + 0.1, torch.ones(2, 7))
    same = Reference("identity", torch.full((2,), 0.5), torch.full((2,), 0.5), torch.ones(2, 7))
    table = attack_table(replace(latent, references=(blend, same)))
    assert [(line.label, line.slot) for line in table.lines[3:]] == [("blend", None), ("identity", None)]
    f50 = place_of(table, "f50")
    cell = table.lines[3].cells[f50]
    assert cell is not None
    assert cell.value == pytest.approx(0.45)
    assert cell.bounded
    assert table.lines[4].cells[f50] == Cell(0.5)
    assert table.lines[3].cells[0] is None
    assert "| *blend* |" in to_markdown(table)
    assert r"\emph{blend}" in to_latex(table)
    assert "class=reference><th role=rowheader scope=row>blend" in to_html(table)


# --- without a target ------------------------------------------------------------------------------------------


def test_the_damage_table_holds_means_with_intervals_and_a_paired_test(full: list[Record]) -> None:
    group = groups(full)[2]
    table = damage_table(group)
    assert [column.title for column in table.columns] == ["ε = 0.5", "ε = 1", "ε = 4", "at 4, less that of VAE"]
    first, second = (trial.attacked.damage[:, 2].double() for trial in group.trials[:2])
    assert table.lines[1].cells[2] == Cell.of(interval(second, possible=(0.0, math.inf)))
    test = compare(first, second)
    assert table.lines[1].cells[3] == Cell.of(test.difference, note=f"p = {test.p_value:.2g}")
    assert table.lines[0].cells[3] == Cell(words="reference")


def test_amplification_is_damage_over_the_radius(full: list[Record]) -> None:
    group = groups(full)[2]
    damage, times = damage_table(group), amplification_table(group)
    assert times.key == f"{damage.key}-amplification"
    for place, radius in enumerate(group.budgets):
        place_of_cell = place + (place > 0)  # behind the smallest radius stands the comparison
        one, other = damage.lines[0].cells[place], times.lines[0].cells[place_of_cell]
        assert one is not None
        assert other is not None
        assert other.value == pytest.approx(one.value / radius)


def test_many_radii_are_thinned() -> None:
    radii = tuple(float(radius) for radius in range(1, 21))
    titles = [column.title for column in damage_table(of(damaged(torch.rand(2, 1, 8, 8), 0, radii=radii))).columns]
    assert (len(titles), titles[0], titles[-1]) == (6, "ε = 1", "ε = 20")


# --- formats ---------------------------------------------------------------------------------------------------


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


def test_a_bar_in_a_name_or_a_cell_ends_no_cell() -> None:
    table = Table(
        "k", "t", (Column("a", "p(x|z)"),), (Line("a|b", 0, (Cell(words="c|d"),)), Line("e|f", None, (None,)))
    )
    rows = [row for row in to_markdown(table).splitlines() if row.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3}
    assert "c\\|d" in rows[2]


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
    value, interval = str(cell).split(" [")
    assert f"<span class=value>{value}</span> <span class=interval>[{interval}</span>" in html
    assert f'data-value="{cell.value:.9g}"' in html
    assert "class=apart" not in html


def test_ratios_have_two_digits_at_each_end() -> None:
    assert str(Cell(1234.5, 3.21, 45678.9, ratio=True)) == "1234 [3.2, 4.6×10⁴]"
    assert str(Cell(1.0)) == "1.00"
