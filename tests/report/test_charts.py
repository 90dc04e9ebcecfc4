import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
import torch

from seatbelt_vae.report import charts
from seatbelt_vae.report.export import chart_svg, typeset
from seatbelt_vae.report.palette import MODELS
from seatbelt_vae.report.runs import Comparison, ReportRun

UNITS = {
    charts.objective_chart: "Δ (nats), geometric mean over pairs",
    charts.target_nll_chart: "−log p(xt | z*) (nats), mean over pairs",
    charts.success_chart: "Success s, mean over pairs",
    charts.distortion_chart: "||d|| / ||x − xt||, mean over pairs",
    charts.distortion_distortion_chart: "1 − success (higher: more robust)",
}


def words(svg: str) -> list[str]:
    root = ElementTree.fromstring(svg)
    return ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize("draw", UNITS)
def test_axes_are_named_models_are_named_and_coloured_in_order(draw, latent: Comparison) -> None:
    svg = chart_svg(draw(latent))
    assert UNITS[draw] in words(svg)
    assert [word for word in words(svg) if word in {t.label for t in latent.trials}] == [t.label for t in latent.trials]
    assert [colour for colour in dict.fromkeys(re.findall(r"#[0-9a-f]{6}", svg)) if colour in MODELS] == list(
        MODELS[:3]
    )
    assert chart_svg(draw(latent)) == svg, "the same numbers, the same picture"


def test_the_page_has_its_own_legend(latent: Comparison) -> None:
    assert latent.trials[0].label not in words(chart_svg(charts.success_chart(latent, legend=False)))


def test_a_model_keeps_its_colour_where_another_is_absent(latent: Comparison) -> None:
    svg = chart_svg(charts.success_chart(replace(latent, trials=latent.trials[2:])))
    assert MODELS[2] in svg
    assert MODELS[0] not in svg


def test_lambda_axis_has_zero_and_powers_of_two(latent: Comparison) -> None:
    found = words(chart_svg(charts.success_chart(latent, legend=False)))
    assert {"0", "2−20", "2−10", "20", "210", "220", "λ"} <= set(found)


def test_a_radius_has_an_axis_of_plain_numbers(latent: Comparison) -> None:
    trial = latent.trials[0]
    radii = torch.linspace(0.5, 3.5, len(trial.lambdas))
    settings = {**trial.result.settings, "ball": "l2", "penalty": None}
    inside = replace(trial, result=replace(trial.result, lambdas=radii, settings=settings))
    found = words(chart_svg(charts.success_chart(replace(latent, trials=(inside,)), legend=False)))
    assert {"0.5", "1", "2", "ε"} <= set(found)
    assert "λ" not in found


def test_a_single_pair_and_a_single_lambda_can_be_drawn(latent: Comparison) -> None:
    trial = latent.trials[0]
    result, assessment = trial.result, trial.assessment
    cut = {name: getattr(result, name)[:1, :1] for name in ("objective", "discrepancy", "distortion", "status")}
    one = replace(result, source=result.source[:1], target=result.target[:1], lambdas=result.lambdas[:1], **cut)
    some = replace(
        assessment,
        source_reconstruction=assessment.source_reconstruction[:1],
        target_reconstruction=assessment.target_reconstruction[:1],
        **{name: getattr(assessment, name)[:1, :1] for name in ("target_nll", "success", "relative_distortion")},
        target_nll_error=assessment.target_nll_error[:1, :1] * float("nan"),
    )
    alone = replace(latent, trials=(replace(trial, result=one, assessment=some),))
    for draw in UNITS:
        assert "<svg" in chart_svg(draw(alone))


def test_training_is_drawn_only_where_it_was_recorded(runs: list[ReportRun]) -> None:
    assert charts.training_chart(runs, "never", "Never") is None
    chart = charts.training_chart(runs, "elbo", "ELBO (nats)")
    assert chart is not None
    assert "ELBO (nats)" in words(chart_svg(chart))


def test_typesetting_keeps_every_word() -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><text x="1">2⁻⁰·⁴ ‖x − xₜ‖ 10^{−3} end</text></svg>'
    assert words(typeset(svg)) == ["2−0.4 ||x − xt|| 10−3 end"]
    shifts = [float(shift) for shift in re.findall(r'dy="([-.0-9]+)em"', typeset(svg))]
    sizes = [0.75, 1.0] * (len(shifts) // 2)
    assert abs(sum(shift * size for shift, size in zip(shifts, sizes, strict=True))) < 1e-9, "back on the line"
