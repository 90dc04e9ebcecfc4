import math
from dataclasses import astuple, replace

import numpy as np
import pytest
import torch

from seatbelt_vae.metrics import Interval, bootstrap_interval, paired_test, success_at
from seatbelt_vae.report.matching import comparisons
from seatbelt_vae.report.measures import (
    against,
    clean_objective,
    estimate,
    holm,
    matched_distances,
    matched_place,
    matched_target_nll,
    measures,
)
from seatbelt_vae.report.runs import Comparison, Trial

from .synthetic import synthetic_runs


def blind(trial: Trial) -> Trial:
    """The same trial of a model whose posterior is collapsed on the first pair: encoding the target changes nothing."""
    same = trial.assessment.target_reconstruction.clone()
    same[0] = trial.assessment.source_reconstruction[0]
    return replace(trial, assessment=replace(trial.assessment, target_reconstruction=same))


def near(one: Interval | None, other: Interval) -> bool:
    return one is not None and astuple(one) == pytest.approx(astuple(other), rel=1e-6)


def test_what_can_be_compared_comes_first_and_delta_of_latent_attacks_cannot(latent: Comparison) -> None:
    columns = measures(latent)
    assert [measure.key for measure in columns[:3]] == ["success_at_0.3", "success_at_0.5", "auddc"]
    assert [measure.comparable for measure in columns] == [True] * 6 + [False] * 4
    assert [measure.more_robust for measure in columns[:3]] == ["lower", "lower", "higher"]
    assert all(measure.definition.endswith(".") for measure in columns)


def test_delta_of_output_attacks_can_be_compared(runs: list) -> None:
    output = comparisons(runs)[1]
    assert all(measure.comparable for measure in measures(output))


def test_numbers_are_those_of_the_metrics(latent: Comparison) -> None:
    trial = latent.trials[1]
    by_key = {measure.key: estimate(measure, trial) for measure in measures(latent)}
    success = success_at(trial.assessment.relative_distortion, trial.assessment.success, 0.3)
    assert near(by_key["success_at_0.3"], bootstrap_interval(success, possible=(0.0, math.inf)))
    assert near(by_key["auddc"], bootstrap_interval(trial.assessment.auddc, possible=(0.0, 1.0)))
    assert near(by_key["objective_minimum"], bootstrap_interval(trial.result.objective.amin(1), "geometric-mean"))
    delta = trial.result.objective.double().log().mean(1).exp()
    assert near(by_key["objective_geometric_mean"], bootstrap_interval(delta, "geometric-mean"))


def test_the_matched_attack_is_the_best_within_the_budget(latent: Comparison) -> None:
    trial = latent.trials[0]
    for pair, place in enumerate(matched_place(trial, 0.4)):
        inside = trial.relative_distortion[pair] <= 0.4
        assert inside[place]
        assert trial.success[pair, place] == trial.success[pair, inside].max()
        assert matched_target_nll(trial, 0.4)[pair] == trial.target_nll[pair, place]


def test_distances_are_those_of_the_matched_attack(latent: Comparison) -> None:
    trial = latent.trials[1]
    to_target, from_clean = matched_distances(trial, 0.5)
    for pair, place in enumerate(matched_place(trial, 0.5)):
        reached = trial.assessment.adversarial_reconstruction[pair, place]
        assert to_target[pair] == pytest.approx((reached - trial.result.target[pair]).norm().item(), rel=1e-5)
        moved = (reached - trial.assessment.source_reconstruction[pair]).norm().item()
        assert from_clean[pair] == pytest.approx(moved, rel=1e-5, abs=1e-6)


def test_delta_without_an_attack_is_that_of_the_untouched_image(latent: Comparison) -> None:
    trial = latent.trials[0]
    untouched = clean_objective(trial)
    assert untouched.tolist() == pytest.approx(trial.result.discrepancy[:, -1].tolist())
    relative = trial.assessment.relative_distortion + 0.01
    moved = replace(trial, assessment=replace(trial.assessment, relative_distortion=relative))
    assert np.isnan(clean_objective(moved)).all()


def test_inside_balls_delta_is_told_over_radii(latent: Comparison) -> None:
    trial = latent.trials[0]
    settings = {**trial.result.settings, "ball": "l2", "penalty": None}
    balls = replace(latent, trials=(replace(trial, result=replace(trial.result, settings=settings)),))
    assert [m.title for m in measures(balls)[-2:]] == ["Δ, mean over ε", "Δ, smallest over ε"]
    assert all("λ" not in m.definition for m in measures(balls))


def test_without_an_attack_in_the_budget_the_smallest_distortion_is_taken(latent: Comparison) -> None:
    trial = latent.trials[0]
    assert matched_place(trial, -1.0) == trial.relative_distortion.argmin(1).tolist()


def test_pairs_on_which_success_is_not_defined_are_left_out(latent: Comparison) -> None:
    trial = blind(latent.trials[0])
    assert trial.defined.tolist() == [False, True]
    by_key = {measure.key: measure for measure in measures(latent)}
    interval = estimate(by_key["auddc"], trial)
    assert interval is not None
    assert interval.value == pytest.approx(float(trial.assessment.auddc[1]))
    assert np.isnan(interval.low)
    assert against(by_key["auddc"], trial, latent.trials[1]) is None, "one pair is no paired test"


def test_models_are_tested_on_the_pairs_they_share() -> None:
    latent = comparisons(synthetic_runs(pairs=6, count=5, models=2, modes=("latent",)))[0]
    auddc = next(measure for measure in measures(latent) if measure.key == "auddc")
    first, second = latent.trials
    expected = paired_test(first.assessment.auddc[1:], second.assessment.auddc[1:])
    assert against(auddc, blind(first), second) == expected
    assert expected.pairs == 5


def test_holm_is_bonferroni_for_the_smallest_and_never_above_one() -> None:
    p_values = [0.2, 0.011, 0.5, 0.9]
    adjusted = holm(p_values)
    assert adjusted[1] == pytest.approx(4 * 0.011)
    assert max(adjusted) <= 1
    assert sorted(adjusted) == [adjusted[place] for place in np.argsort(p_values)]
    assert holm([0.03]) == [0.03]


def test_a_delta_that_is_not_positive_is_averaged_as_it_is(latent: Comparison) -> None:
    trial = latent.trials[0]
    shifted = replace(trial, result=replace(trial.result, objective=trial.result.objective - 1e3))
    other = replace(latent, trials=(shifted,))
    delta = next(measure for measure in measures(other) if measure.key == "objective_mean")
    interval = estimate(delta, shifted)
    assert interval is not None
    assert interval.value == pytest.approx(float(torch.as_tensor(shifted.objective).mean()))


@pytest.mark.parametrize(
    ("mode", "divergence", "unit"),
    [("latent", "skl", "nats"), ("output", "elbo", "nats"), ("latent", "w2", "latent units"),
     ("output", "l2", "units of the data")],
)  # fmt: skip
def test_delta_has_the_unit_of_what_was_minimised(mode: str, divergence: str, unit: str, latent: Comparison) -> None:
    trial = latent.trials[0]
    settings = {**trial.result.settings, "mode": mode, "divergence": divergence}
    other = replace(latent, trials=(replace(trial, result=replace(trial.result, settings=settings)),))
    assert measures(other)[-1].unit == unit
