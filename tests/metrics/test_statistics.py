import math

import pytest
import torch
from scipy import stats

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.statistics import (
    Estimate,
    Interval,
    bootstrap_interval,
    geometric_mean,
    paired_test,
    percentile_t,
)

CASES = 1000


def normal(generator, n):
    return torch.randn(CASES, n, generator=generator, dtype=torch.float64), 0.0


def success_like(generator, n):  # Beta(2, 5): skewed and bounded
    gamma = -torch.rand(CASES, n, 7, generator=generator, dtype=torch.float64).log()
    return gamma[..., :2].sum(-1) / gamma.sum(-1), 2 / 7


def exponential(generator, n):
    return -torch.rand(CASES, n, generator=generator, dtype=torch.float64).log(), 1.0


@pytest.mark.parametrize("n", [10, 20, 40])
@pytest.mark.parametrize("draw", [normal, success_like, exponential])
def test_mean_interval_covers_the_truth(draw, n):
    values, truth = draw(torch.Generator().manual_seed(n), n)
    ends = [percentile_t(part, resamples=2000) for part in values.split(250)]
    low, high = (torch.cat(side) for side in zip(*ends, strict=True))
    assert 0.93 <= ((low <= truth) & (truth <= high)).double().mean() <= 0.97


@pytest.mark.parametrize("n", [10, 40])
def test_geometric_mean_interval_covers_the_truth(n):
    generator = torch.Generator().manual_seed(n)
    values = (2 * torch.randn(CASES, n, generator=generator)).exp()  # spread over five powers of ten; truth 1
    intervals = [bootstrap_interval(row, "geometric-mean", resamples=1000) for row in values]
    covered = sum(interval.low <= 1.0 <= interval.high for interval in intervals)
    assert 930 <= covered <= 970


def test_interval_of_few_or_tied_values_is_students():
    for values in ([0.2, 0.5, 0.9], [0.0, 1.0] * 6):
        expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
        interval = bootstrap_interval(values)
        assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))


def test_interval_degenerates_with_the_data():
    assert math.isnan(bootstrap_interval([3.0]).low)
    same = bootstrap_interval([2.0] * 12)
    assert (same.low, same.value, same.high) == (2.0, 2.0, 2.0)


def test_studentised_ends_match_scipys_t_for_a_normal_sample():
    values = torch.tensor(stats.norm.ppf((torch.arange(200) + 0.5) / 200))
    low, high = percentile_t(values, resamples=20000)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (low.item(), high.item()) == pytest.approx((expected.low, expected.high), rel=0.03)


def test_interval_does_not_depend_on_the_unit():
    values = torch.rand(15, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    interval, scaled = bootstrap_interval(values), bootstrap_interval(values * 1e6 - 3e6)
    assert (scaled.low, scaled.high) == pytest.approx((interval.low * 1e6 - 3e6, interval.high * 1e6 - 3e6))
    assert bootstrap_interval(values) == interval
    assert bootstrap_interval(values, seed=1) != interval


def test_geometric_mean():
    values = torch.tensor([0.5, 3.0, 1e4, 1e-3])
    assert geometric_mean(values) == pytest.approx(stats.gmean(values.double().numpy()))
    assert geometric_mean([0.0, 1.0], floor=1e-6) == pytest.approx(1e-3)
    assert bootstrap_interval(values, "geometric-mean").value == pytest.approx(geometric_mean(values))


@pytest.mark.parametrize("n", [4, 10])
def test_paired_test_is_the_permutation_test(n):
    generator = torch.Generator().manual_seed(n)
    first, second = torch.rand(2, n, generator=generator, dtype=torch.float64)
    second = second + 0.2
    expected = stats.permutation_test(
        (second.numpy(), first.numpy()), lambda a, b: (a - b).mean(), permutation_type="samples"
    )
    result = paired_test(first, second)
    assert result.p_value == pytest.approx(expected.pvalue)
    assert result.difference.value == pytest.approx(float((second - first).mean()))


def test_random_signs_agree_with_enumeration():
    generator = torch.Generator().manual_seed(3)
    difference = torch.randn(20, generator=generator, dtype=torch.float64) + 0.4
    signs = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=torch.float64)] * 20)
    exact = ((signs @ difference).abs() >= difference.sum().abs() - 1e-9).double().mean()
    assert paired_test(torch.zeros(20), difference).p_value == pytest.approx(float(exact), abs=0.01)


def test_random_signs_never_claim_certainty():
    p_value = paired_test(torch.zeros(60), torch.ones(60) + 0.1 * torch.rand(60), resamples=999).p_value
    assert p_value == pytest.approx(1 / 1000)


def test_paired_test_holds_its_level():
    generator = torch.Generator().manual_seed(4)
    rejected = sum(paired_test(*torch.randn(2, 10, generator=generator)).p_value <= 0.05 for _ in range(400))
    assert 8 <= rejected <= 34


def test_paired_ratio_of_geometric_means():
    first = torch.tensor([1.0, 10.0, 100.0, 3.0, 7.0, 0.1, 0.2, 5.0, 9.0, 2.0])
    result = paired_test(first, first * 8, "geometric-mean")
    assert result.difference.value == pytest.approx(8.0)
    assert result.p_value == pytest.approx(2 / 2**10)
    assert result.pairs == 10


def test_estimate():
    draws = torch.rand(50, generator=torch.Generator().manual_seed(0))
    estimate = Estimate.of(draws)
    assert estimate.standard_error == pytest.approx(float(stats.sem(draws.double().numpy())))
    assert float(estimate) == estimate.value
    assert math.isnan(Estimate.of(draws[:1]).standard_error)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bootstrap_interval([]), "none given"),
        (lambda: bootstrap_interval([1.0, math.nan]), "number 1 is not finite"),
        (lambda: geometric_mean([1.0, -1.0]), ">= 0"),
        (lambda: paired_test([1.0], [1.0, 2.0]), "1 values against 2"),
        (lambda: bootstrap_interval([1.0], "mode"), "unknown"),
        (lambda: paired_test([1.0], [1.0], "mode"), "unknown"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_an_interval_ends_where_no_mean_can_be() -> None:
    """Of few shares near 0 the studentised bootstrap runs below 0, where the mean of shares cannot be."""
    shares = [0.0, 0.0, 0.9, 0.8, 0.9, 0.9]
    free = bootstrap_interval(shares)
    kept = bootstrap_interval(shares, possible=(0.0, 1.0))
    assert free.low < 0 or free.high > 1
    assert kept == Interval(free.value, max(free.low, 0.0), min(free.high, 1.0))


def test_lists_keep_every_digit():
    assert geometric_mean([0.1] * 3) == pytest.approx(0.1, rel=1e-14)
    assert geometric_mean([1e40, 1.0]) == pytest.approx(1e20)
    assert paired_test([0.1, 0.2, 0.3], [0.2, 0.3, 0.4]).p_value == 0.25  # equal differences: ties


def test_an_interval_as_good_as_unbounded_is_a_number():
    values = [1e-3 * (1 + 1e-5 * i) for i in range(9)] + [700.0]
    interval = bootstrap_interval(values, "geometric-mean")
    assert interval.value < interval.high < float("inf")
    second = [1 + 1e-5 * i for i in range(9)] + [1000.0]
    assert paired_test([1.0] * 10, second, "geometric-mean").difference.high < 1e305
