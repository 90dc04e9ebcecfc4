import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from seatbelt_vae.experiments import Record
from seatbelt_vae.metrics import Reference, auddc, band
from seatbelt_vae.metrics.references import identity
from seatbelt_vae.report.axes import BudgetAxis
from seatbelt_vae.report.chart_style import ends, span
from seatbelt_vae.report.charts import (
    budget_chart,
    budget_rows,
    distortion_curves,
    distortion_distortion_chart,
    noise_chart,
)
from seatbelt_vae.report.compare import groups
from seatbelt_vae.report.export import chart_svg, typeset
from seatbelt_vae.report.group import Group
from seatbelt_vae.report.palette import MODELS

from .synthetic import changed, damaged, inside_balls, synthetic_runs

TITLES = {
    "delta": "Δ (nats), geometric mean over pairs",
    "nll": "−log p(xt | z*) (nats), mean over pairs",
    "success": "Success s, mean over pairs",
    "relative_distortion": "||d|| / ||x − xt||, mean over pairs",
}
DRAWN: dict[str, Callable[..., Any]] = {
    **{title: partial(budget_chart, key=key) for key, title in TITLES.items()},
    "1 − success (higher: more robust)": distortion_distortion_chart,
}


def words(svg: str) -> list[str]:
    root = ElementTree.fromstring(svg)
    return ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]


def alone(latent: Group, *places: int) -> Group:
    return replace(latent, trials=tuple(latent.trials[place] for place in places))


def of(attacked: Any, label: str = "VAE") -> Group:
    (group,) = groups([Record(label, label, attacks={"attack": attacked})])
    return group


@pytest.mark.parametrize("title", DRAWN)
def test_axes_are_named_models_are_named_and_coloured_in_order(title: str, latent: Group) -> None:
    draw = DRAWN[title]
    svg = chart_svg(draw(latent))
    assert title in words(svg)
    labels = [trial.label for trial in latent.trials]
    assert [word for word in words(svg) if word in labels] == labels
    assert [colour for colour in dict.fromkeys(re.findall(r"#[0-9a-f]{6}", svg)) if colour in MODELS] == list(
        MODELS[:3]
    )
    assert chart_svg(draw(latent)) == svg, "the same numbers, the same picture"


def test_the_page_has_its_own_legend(latent: Group) -> None:
    assert latent.trials[0].label not in words(chart_svg(budget_chart(latent, "success", legend=False)))


def test_a_model_keeps_its_colour_where_another_is_absent(latent: Group) -> None:
    svg = chart_svg(budget_chart(alone(latent, 2), "success"))
    assert MODELS[2] in svg
    assert MODELS[0] not in svg


def test_lambda_axis_has_zero_and_powers_of_two(latent: Group) -> None:
    found = words(chart_svg(budget_chart(latent, "success", legend=False)))
    assert {"0", "2−20", "2−10", "20", "210", "220", "λ"} <= set(found)


def test_a_radius_has_an_axis_of_plain_numbers(latent: Group) -> None:
    inside = of(inside_balls(latent.trials[0].attacked))
    found = words(chart_svg(budget_chart(inside, "success", legend=False)))
    assert {"0.5", "1", "2", "ε"} <= set(found)
    assert "λ" not in found


def test_a_single_pair_and_a_single_lambda_can_be_drawn(latent: Group) -> None:
    attacked = latent.trials[0].attacked
    result, seen = attacked.result, attacked.assessment
    cut = {name: getattr(result, name)[:1, :1] for name in ("objective", "discrepancy", "distortion", "status")}
    one = changed(
        attacked,
        source=result.source[:1],
        target=result.target[:1],
        adversarial=result.adversarial[:1, :1],
        budget=result.budget.values[:1],
        **cut,
        assessment={
            "source_reconstruction": seen.source_reconstruction[:1],
            "target_reconstruction": seen.target_reconstruction[:1],
            "adversarial_reconstruction": seen.adversarial_reconstruction[:1, :1],
            "nll": seen.nll[:1, :1],
            "nll_error": seen.nll_error[:1, :1] * float("nan"),
        },
    )
    for draw in DRAWN.values():
        assert "<svg" in chart_svg(draw(of(one)))


def test_typesetting_keeps_every_word() -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><text x="1">2⁻⁰·⁴ ‖x − xₜ‖ 10^{−3} end</text></svg>'
    assert words(typeset(svg)) == ["2−0.4 ||x − xt|| 10−3 end"]
    shifts = [float(shift) for shift in re.findall(r'dy="([-.0-9]+)em"', typeset(svg))]
    sizes = [0.75, 1.0] * (len(shifts) // 2)
    assert abs(sum(shift * size for shift, size in zip(shifts, sizes, strict=True))) < 1e-9, "back on the line"


def test_one_row_for_each_model_and_lambda(latent: Group) -> None:
    axis = BudgetAxis.of(latent.budgets)
    rows = budget_rows(latent, "success", axis)
    assert len(rows) == 3 * 7
    assert [row["y"] for row in rows[:7]] == latent.trials[0].attacked.success.double().mean(0).tolist()
    assert [row["zero"] for row in rows[:7]] == [1, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("grid", [slice(None), slice(2, 4)])
def test_the_area_under_the_drawn_curve_is_the_auddc_of_the_table(grid: slice) -> None:
    """On the paper's grid, and on one of two λ that begins far from the origin."""
    group = groups(synthetic_runs(pairs=6, count=7, models=2, modes=("latent",)))[0]
    at = torch.linspace(0, 1, 20001, dtype=torch.float64)
    for trial in group.trials:
        result, seen = trial.result, trial.attacked.assessment
        cut = {name: getattr(result, name)[:, grid] for name in ("objective", "discrepancy", "distortion", "status")}
        few = of(
            changed(
                trial.attacked,
                adversarial=result.adversarial[:, grid],
                budget=result.budget.values[grid],
                **cut,
                assessment={
                    "adversarial_reconstruction": seen.adversarial_reconstruction[:, grid],
                    "nll": seen.nll[:, grid],
                    "nll_error": seen.nll_error[:, grid],
                },
            )
        )
        area = np.trapezoid(distortion_curves(few, few.trials[0], at).mean(0), at)
        assert np.isclose(area, few.interval(few.trials[0], "auddc").value, atol=1e-4)
        own = few.trials[0].attacked
        published = auddc(own.relative_distortion, own.success)
        assert np.isclose(area, float(published.mean()), atol=1e-4)


def test_delta_is_averaged_geometrically_only_if_it_is_positive(latent: Group) -> None:
    assert "geometric mean" in " ".join(words(chart_svg(budget_chart(latent, "delta"))))
    attacked = latent.trials[0].attacked
    below = of(changed(attacked, objective=attacked.result.objective - 1e6))
    assert "Δ (nats), mean over pairs" in words(chart_svg(budget_chart(below, "delta")))


def test_what_no_model_sets_is_drawn_thin_and_named(latent: Group) -> None:
    radii = latent.result.budget.values
    half = torch.full((2,), 0.42)
    blend = Reference("blend", half, half, torch.ones(2, len(radii)))
    svg = chart_svg(distortion_distortion_chart(replace(latent, references=(blend,))))
    assert "blend" in words(svg)
    assert "blend" not in words(chart_svg(distortion_distortion_chart(latent)))


def test_damage_runs_through_the_means_and_is_told_over_images(full: list[Record]) -> None:
    group = groups(full)[2]
    rows = budget_rows(group, "damage", BudgetAxis.of(group.budgets))
    mean = group.trials[0].attacked.damage.mean(0)
    assert [row["y"] for row in rows[:3]] == pytest.approx(mean.tolist(), rel=1e-5)
    assert [row["x"] for row in rows[:3]] == pytest.approx(torch.tensor([0.5, 1.0, 4.0]).log2().tolist())
    assert "||rec(x*) − rec(x)||, mean over images" in words(chart_svg(budget_chart(group, "damage")))


def test_radii_are_written_as_they_are(full: list[Record]) -> None:
    group = groups(full)[2]
    for key in ("damage", "amplification", "source_nll"):
        svg = chart_svg(budget_chart(group, key))
        assert "radius ε of the ball" in svg
        assert ">0.5<" in svg
        assert 'tspan dy="-0.35em"' not in svg, "no powers of two"


def test_the_identity_amplifies_nothing(full: list[Record]) -> None:
    group = groups(full)[2]
    known = identity(2, torch.tensor(group.budgets))
    svg = chart_svg(budget_chart(replace(group, references=(known,)), "amplification"))
    assert "identity" in words(svg)
    assert "identity" not in words(chart_svg(budget_chart(replace(group, references=(known,)), "damage")))


def test_one_radius_can_be_drawn() -> None:
    source = torch.rand(3, 1, 8, 8)
    assert "<svg" in chart_svg(budget_chart(of(damaged(source, 0, radii=(2.0,))), "damage"))


def test_a_spot_without_an_interval_has_its_ends_at_the_value() -> None:
    row = ends(2.0, float("nan"), None)
    assert row == {"low": 2.0, "high": 2.0}
    assert span([row]) == pytest.approx((1.94, 2.06))


def test_bands_are_those_of_the_metrics(latent: Group) -> None:
    trial = latent.trials[1]
    assert torch.equal(latent.band(trial, "success"), band(trial.attacked.success.double()))


def test_what_noise_costs_is_that_of_the_evaluation(full: list[Record], runs: list[Record]) -> None:
    chart = noise_chart([runs[0], *full[1:]])
    rows = chart["layer"][0]["data"]["values"]
    assert {row["model"] for row in rows} == {run.label for run in full[1:]}, "the others were not measured"
    assert [row["y"] for row in rows[:3]] == [2.0, 20.0, 90.0]
    assert rows[1]["high"] - rows[1]["low"] == pytest.approx(2 * 1.96)
    svg = chart_svg(chart)
    assert "Cost of noise (nats)" in svg
    assert ">0.1<" in svg


def test_where_success_is_never_defined_axes_and_legend_are_drawn(latent: Group) -> None:
    attacked = latent.trials[0].attacked
    same = {"target_reconstruction": attacked.assessment.source_reconstruction}
    blind = of(changed(attacked, assessment=same))
    for draw in (distortion_distortion_chart, partial(budget_chart, key="success")):
        assert "VAE" in words(chart_svg(draw(blind)))
