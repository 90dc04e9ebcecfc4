from dataclasses import replace

import pytest
import torch

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics import bootstrap_interval, paired_test
from seatbelt_vae.report.curves import LambdaAxis
from seatbelt_vae.report.damage import DamageComparison, damage_comparisons, damage_table
from seatbelt_vae.report.damage_charts import damage_chart, damage_rows, source_nll_chart
from seatbelt_vae.report.export import chart_svg
from seatbelt_vae.report.runs import ReportRun
from seatbelt_vae.report.tables import Cell

from .synthetic import damaged


@pytest.fixture(scope="module")
def compared(full: list[ReportRun]) -> DamageComparison:
    (comparison,) = damage_comparisons(full)
    return comparison


def test_the_same_attack_on_the_same_images_stands_together(compared: DamageComparison) -> None:
    assert (compared.key, compared.title) == ("damage-reconstruction-l2-ball", "Maximum damage, L2 balls")
    assert [trial.slot for trial in compared.trials] == [0, 1, 2]


def test_other_images_stand_apart(full: list[ReportRun]) -> None:
    result, assessment = full[1].damages[0]
    other = replace(full[1], damages=[(replace(result, source=result.source.flip(0)), assessment)])
    found = damage_comparisons([full[0], other])
    assert [len(comparison.trials) for comparison in found] == [1, 1]
    assert len({comparison.key for comparison in found}) == 2


def test_the_table_holds_means_with_intervals_and_a_paired_test(compared: DamageComparison) -> None:
    table = damage_table(compared)
    assert [column.title for column in table.columns] == ["ε = 0.5", "ε = 1", "ε = 4", "at 4, less that of VAE"]
    cell = table.lines[1].cells[2]
    damage = compared.trials[1].assessment.damage
    assert cell == Cell.of(bootstrap_interval(damage[:, 2].double()))
    test = paired_test(compared.trials[0].assessment.damage[:, 2], damage[:, 2])
    assert table.lines[1].cells[3] == Cell.of(test.difference, note=f"p = {test.p_value:.2g}")
    assert table.lines[0].cells[3] == Cell(words="reference")


def test_models_attacked_at_other_radii_stand_apart(full: list[ReportRun]) -> None:
    source = full[0].damages[0][0].source
    other = replace(full[1], damages=[damaged(source, 1, radii=(1.0, 2.0))])
    found = damage_comparisons([full[0], other])
    assert [c.title for c in found] == ["Maximum damage, L2 balls", "Maximum damage, L2 balls, ε 1, 2"]
    assert [[trial.slot for trial in c.trials] for c in found] == [[0], [1]]


def test_the_same_attack_twice_is_refused(full: list[ReportRun]) -> None:
    with pytest.raises(InputError, match="holds two attacks that are both “Maximum damage, L2 balls”"):
        damage_comparisons([replace(full[0], damages=[*full[0].damages, *full[0].damages])])


def test_many_radii_are_thinned(full: list[ReportRun]) -> None:
    source = full[0].damages[0][0].source
    radii = tuple(float(radius) for radius in range(1, 21))
    (comparison,) = damage_comparisons([replace(full[0], damages=[damaged(source, 0, radii=radii)])])
    titles = [column.title for column in damage_table(comparison).columns]
    assert (len(titles), titles[0], titles[-1]) == (6, "ε = 1", "ε = 20")


def test_curves_run_through_the_means(compared: DamageComparison) -> None:
    axis = LambdaAxis.of([trial.radii for trial in compared.trials])
    rows = damage_rows(compared, [trial.damage for trial in compared.trials], axis)
    mean = compared.trials[0].assessment.damage.mean(0)
    assert [row["y"] for row in rows[:3]] == pytest.approx(mean.tolist(), rel=1e-5)
    assert [row["x"] for row in rows[:3]] == pytest.approx(torch.tensor([0.5, 1.0, 4.0]).log2().tolist())


def test_radii_are_written_as_they_are(compared: DamageComparison) -> None:
    for draw in (damage_chart, source_nll_chart):
        svg = chart_svg(draw(compared))
        assert "radius ε of the ball" in svg
        assert ">0.5<" in svg
        assert 'tspan dy="-0.35em"' not in svg, "no powers of two"
