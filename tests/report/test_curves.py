import numpy as np
import torch

from seatbelt_vae.metrics import auddc, bootstrap_interval
from seatbelt_vae.report.curves import (
    LambdaAxis,
    distortion_curves,
    intervals,
    lambda_rows,
    log_ticks,
    monte_carlo_rows,
    objective_statistic,
    training_rows,
)
from seatbelt_vae.report.runs import Comparison, ReportRun

from .synthetic import paper_lambdas


def test_lambda_zero_stands_apart_at_the_left_of_the_papers_grid() -> None:
    axis = LambdaAxis.of([paper_lambdas(51).double().numpy()])
    assert (axis.low, axis.high) == (-20, 20)
    assert axis.zero < axis.low - 1
    assert axis.ticks == [axis.zero, -20, -10, 0, 10, 20]
    assert axis.place(8.0) == 3
    apart = [axis.place(0.0, slot) for slot in range(3)]
    assert len(set(apart)) == 3
    assert max(apart) < axis.low


def test_a_grid_of_zero_alone_has_an_axis() -> None:
    axis = LambdaAxis.of([np.zeros(1)])
    assert axis.zero < axis.low


def test_log_ticks_lie_inside_and_are_never_many() -> None:
    for low, high in ((1e-9, 1e12), (0.02, 3.0), (110.0, 140.0), (1.0, 10.0)):
        ticks = log_ticks(low, high)
        assert all(low <= tick <= high for tick in ticks)
        assert len(ticks) <= 8


def test_intervals_over_few_pairs_are_those_of_the_metrics() -> None:
    values = np.random.default_rng(0).lognormal(size=(4, 3))
    for statistic in ("mean", "geometric-mean"):
        for row, column in zip(intervals(values, statistic), values.T, strict=True):
            expected = bootstrap_interval(torch.from_numpy(column.copy()), statistic)
            assert np.allclose(row, [expected.value, expected.low, expected.high])


def test_expanded_percentile_intervals_cover_the_truth() -> None:
    """1000 experiments of ten pairs each, as the columns of one call: 95 %, give or take what 1000 allow."""
    values = np.random.default_rng(1).normal(3, 2, size=(10, 1000))
    _, low, high = intervals(values).T
    assert 0.93 <= np.mean((low <= 3) & (high >= 3)) <= 0.97


def test_curve_intervals_stay_inside_the_data_where_all_pairs_but_one_agree() -> None:
    values = np.zeros((10, 1))
    values[0] = 1.0
    ((mean, low, high),) = intervals(values)
    assert mean == 0.1
    assert 0 <= low < mean < high < 0.5


def test_geometric_curves_are_the_exponential_of_the_logarithms_curve() -> None:
    values = np.random.default_rng(2).lognormal(size=(10, 3))
    assert np.allclose(intervals(values, "geometric-mean"), np.exp(intervals(np.log(values))))


def test_values_that_are_not_finite_are_left_out() -> None:
    rows = intervals(np.array([[1.0, np.nan], [3.0, np.nan]]))
    assert rows[0, 0] == 2
    assert np.isnan(rows[1]).all()


def test_one_row_for_each_model_and_lambda(latent: Comparison) -> None:
    axis = LambdaAxis.of([trial.lambdas for trial in latent.trials])
    rows = lambda_rows(latent, {trial.label: trial.success for trial in latent.trials}, axis)
    assert len(rows) == 3 * 7
    first = latent.trials[0]
    assert [row["y"] for row in rows[:7]] == first.success.mean(0).tolist()
    assert [row["zero"] for row in rows[:7]] == [1, 0, 0, 0, 0, 0, 0]


def test_monte_carlo_error_of_a_mean_over_pairs(latent: Comparison) -> None:
    """Two independent errors of 9 nats: the mean has 9/√2."""
    axis = LambdaAxis.of([trial.lambdas for trial in latent.trials])
    row = monte_carlo_rows(latent, axis)[0]
    assert np.isclose(float(row["high"]) - float(row["low"]), 2 * 1.96 * 9 / np.sqrt(2))


def test_the_area_under_the_mean_distortion_curve_is_the_mean_auddc(latent: Comparison) -> None:
    at = np.linspace(0, 1, 20001)
    for trial in latent.trials:
        area = np.trapezoid(distortion_curves(trial, at).mean(0), at)
        apart = (trial.result.source - trial.result.target).flatten(1).norm(dim=1)
        published = auddc(trial.result.distortion, apart, trial.assessment.success, from_origin=True)
        assert np.isclose(area, float(published.mean()), atol=1e-4)


def test_delta_is_averaged_geometrically_only_if_it_is_positive(latent: Comparison) -> None:
    from dataclasses import replace

    assert objective_statistic(latent) == "geometric-mean"
    first = latent.trials[0]
    below = replace(first, result=replace(first.result, objective=first.result.objective - 1e6))
    assert objective_statistic(replace(latent, trials=(below,))) == "mean"


def test_training_curves_are_thinned_without_losing_their_mean(runs: list[ReportRun]) -> None:
    from dataclasses import replace

    history = [{"step": step, "elbo": float(step % 7), "kl_1": 1.0, "kl_2": 2.0, "lr": None} for step in range(1000)]
    run = replace(runs[0], history=history)
    rows = training_rows(run, "elbo")
    assert len(rows) == 200
    assert np.isclose(np.mean([row["y"] for row in rows]), np.mean([row["elbo"] for row in history]))
    assert {row["y"] for row in training_rows(run, "kl")} == {3.0}
    assert training_rows(run, "lr") == []
