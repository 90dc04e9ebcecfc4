from dataclasses import replace

import pytest

from seatbelt_vae.metrics import paired_test
from seatbelt_vae.report.export import chart_svg
from seatbelt_vae.report.layer_charts import layer_chart, layer_rows
from seatbelt_vae.report.layers import LayerComparison, layer_comparisons, layer_table
from seatbelt_vae.report.matching import comparisons
from seatbelt_vae.report.runs import ReportRun
from seatbelt_vae.report.scope import Scope
from seatbelt_vae.report.tables import Cell


@pytest.fixture(scope="module")
def layers(full: list[ReportRun]) -> LayerComparison:
    (comparison,) = layer_comparisons(full)
    return comparison


def test_attacks_that_differ_in_layers_stand_together(layers: LayerComparison) -> None:
    assert (layers.key, layers.title) == ("latent-kl-layers", "Latent attack (KL) by layer")
    (group,) = layers.groups
    assert {trial.label for trial in group} == {"Seatbelt-VAE, L=3, β=4"}
    assert [trial.scope.words for trial in group] == ["all layers", "z₁ (bottom)", "z₂", "z₃ (top)"]
    assert layers.scopes == ("all layers", "z₁ (bottom)", "z₂", "z₃ (top)")


def test_they_do_not_crowd_the_comparison_of_models(full: list[ReportRun], runs: list[ReportRun]) -> None:
    assert [c.key for c in comparisons(full)] == [c.key for c in comparisons(runs)]


def test_other_pairs_other_solvers_and_other_weights_do_not_mix(full: list[ReportRun]) -> None:
    run = full[2]
    usual, _, *alone = run.attacks
    result, assessment = alone[0]
    for other in (
        replace(result, source=result.source.flip(0)),
        replace(result, settings={**result.settings, "solver": "adam"}),
        replace(result, lambdas=result.lambdas * 2),
    ):
        assert layer_comparisons([replace(run, attacks=[usual, (other, assessment)])]) == ()


def test_models_with_one_set_of_layers_have_none(runs: list[ReportRun]) -> None:
    assert layer_comparisons(runs) == ()


def test_the_table_tests_each_row_against_the_first(layers: LayerComparison) -> None:
    table = layer_table(layers)
    (group,) = layers.groups
    place = [column.key for column in table.columns].index("auddc_difference")
    assert [line.label for line in table.lines] == [f"{t.label}: {t.scope.words}" for t in group]
    assert table.lines[0].cells[place] == Cell(words="reference")
    test = paired_test(group[0].assessment.auddc, group[3].assessment.auddc)
    found = table.lines[3].cells[place]
    assert found is not None
    assert (found.value, found.note) == (pytest.approx(test.difference.value), f"p = {test.p_value:.2g}")


def test_dots_stand_at_the_means(layers: LayerComparison) -> None:
    auddc = next(measure for measure in layers.measures if measure.key == "auddc")
    rows = layer_rows(layers, auddc)
    for row, trial in zip(rows, layers.trials, strict=True):
        assert row["scope"] == trial.scope.words
        assert row["x"] == pytest.approx(float(trial.assessment.auddc.mean()), rel=1e-5)
        assert row["low"] <= row["x"] <= row["high"]
    svg = chart_svg(layer_chart(layers, auddc))
    assert "all layers" in svg
    assert "(bottom)" in svg


@pytest.mark.parametrize(
    ("layers", "total", "sees", "words", "usual"),
    [
        ([0, 1, 2], 3, "all", "all layers", True),
        ([0], 3, "bottom", "z₁ (bottom)", True),
        ([0, 1, 2], 3, "bottom", "all layers", False),
        ([2], 3, "all", "z₃ (top)", False),
        ([0, 2], 3, "all", "z₁ (bottom), z₃ (top)", False),
        ([0], 1, "all", "the one layer", True),
        (None, 3, "all", "", True),
    ],
)
def test_scopes(layers: list[int] | None, total: int, sees: str, words: str, usual: bool) -> None:
    scope = Scope.of({"layers": layers, "model_layers": total, "decoder_sees": sees}, {})
    assert scope.words == words
    assert scope.usual is usual
