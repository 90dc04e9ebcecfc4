import math

import pytest
import torch
from scipy import stats

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.statistics import (
    Estimate,
    Interval,
    band,
    compare,
    geometric_mean,
    interval,
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
    intervals = [interval(row, ratio=True) for row in values]
    covered = sum(found.low <= 1.0 <= found.high for found in intervals)
    assert 930 <= covered <= 970


def test_interval_of_few_or_tied_values_is_students():
    for values in ([0.2, 0.5, 0.9], [0.0, 1.0] * 6):
        expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
        found = interval(values)
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_interval_degenerates_with_the_data():
    assert math.isnan(interval([3.0]).low)
    same = interval([2.0] * 12)
    assert (same.low, same.value, same.high) == (2.0, 2.0, 2.0)


def test_studentised_ends_match_scipys_t_for_a_normal_sample():
    values = torch.tensor(stats.norm.ppf((torch.arange(200) + 0.5) / 200))
    low, high = percentile_t(values, resamples=20000)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (low.item(), high.item()) == pytest.approx((expected.low, expected.high), rel=0.03)


def test_interval_does_not_depend_on_the_unit():
    values = torch.rand(15, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found, scaled = interval(values), interval(values * 1e6 - 3e6)
    assert (scaled.low, scaled.high) == pytest.approx((found.low * 1e6 - 3e6, found.high * 1e6 - 3e6))
    assert interval(values) == found
    assert percentile_t(values, seed=1)[0].item() != found.low


def test_geometric_mean():
    values = torch.tensor([0.5, 3.0, 1e4, 1e-3])
    assert geometric_mean(values) == pytest.approx(stats.gmean(values.double().numpy()))
    assert geometric_mean([0.0, 1.0], floor=1e-6) == pytest.approx(1e-3)
    assert interval(values, ratio=True).value == pytest.approx(geometric_mean(values))


@pytest.mark.parametrize("n", [4, 10])
def test_paired_test_is_the_permutation_test(n):
    generator = torch.Generator().manual_seed(n)
    first, second = torch.rand(2, n, generator=generator, dtype=torch.float64)
    second = second + 0.2
    expected = stats.permutation_test(
        (second.numpy(), first.numpy()), lambda a, b: (a - b).mean(), permutation_type="samples"
    )
    result = compare(first, second)
    assert result.p_value == pytest.approx(expected.pvalue)
    assert result.difference.value == pytest.approx(float((second - first).mean()))


def test_random_signs_agree_with_enumeration():
    generator = torch.Generator().manual_seed(3)
    difference = torch.randn(20, generator=generator, dtype=torch.float64) + 0.4
    signs = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=torch.float64)] * 20)
    exact = ((signs @ difference).abs() >= difference.sum().abs() - 1e-9).double().mean()
    assert compare(torch.zeros(20), difference).p_value == pytest.approx(float(exact), abs=0.01)


def test_random_signs_never_claim_certainty():
    p_value = compare(torch.zeros(60), torch.ones(60) + 0.1 * torch.rand(60)).p_value
    assert p_value == pytest.approx(1 / 20_001)


def test_paired_test_holds_its_level():
    generator = torch.Generator().manual_seed(4)
    rejected = sum(compare(*torch.randn(2, 10, generator=generator)).p_value <= 0.05 for _ in range(400))
    assert 8 <= rejected <= 34


def test_paired_ratio_of_geometric_means():
    first = torch.tensor([1.0, 10.0, 100.0, 3.0, 7.0, 0.1, 0.2, 5.0, 9.0, 2.0])
    result = compare(first, first * 8, ratio=True)
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
        (lambda: interval([]), "none given"),
        (lambda: interval(torch.ones(2, 2, 2)), "expected"),
        (lambda: geometric_mean([1.0, -1.0]), ">= 0"),
        (lambda: interval([1.0, -1.0], ratio=True), ">= 0"),
        (lambda: compare([1.0], [1.0, 2.0]), r"\(1, 1\) against \(1, 2\)"),
        (lambda: band([]), "none given"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_an_interval_ends_where_no_mean_can_be() -> None:
    """Of few shares near 0 the studentised bootstrap runs below 0, where the mean of shares cannot be."""
    shares = [0.0, 0.0, 0.9, 0.8, 0.9, 0.9]
    free = interval(shares)
    kept = interval(shares, possible=(0.0, 1.0))
    assert free.low < 0 or free.high > 1
    assert kept == Interval(free.value, max(free.low, 0.0), min(free.high, 1.0))


def test_lists_keep_every_digit():
    assert geometric_mean([0.1] * 3) == pytest.approx(0.1, rel=1e-14)
    assert geometric_mean([1e40, 1.0]) == pytest.approx(1e20)
    assert compare([0.1, 0.2, 0.3], [0.2, 0.3, 0.4]).p_value == 0.25  # equal differences: ties


def test_an_interval_as_good_as_unbounded_says_so():
    """One outlier among nine values that are almost equal: the resamples give no bound, and 10^304 is none either."""
    values = [1e-3 * (1 + 1e-5 * i) for i in range(9)] + [700.0]
    found = interval(values, ratio=True)
    assert 0 <= found.low < found.value < 1
    assert found.high == math.inf
    second = [1 + 1e-5 * i for i in range(9)] + [1000.0]
    assert compare([1.0] * 10, second, ratio=True).difference.high == math.inf
    turned = interval([1 / value for value in values], ratio=True)
    assert (turned.low, math.isnan(turned.high)) == (0.0, False)


def numbers(*shape, seed):
    """In [0, 1), the same on every machine."""
    count = math.prod(shape)
    return ((torch.arange(1, count + 1, dtype=torch.float64) * (math.sqrt(2) + seed)) % 1).reshape(shape)


def test_numbers_are_those_of_the_functions_before():
    """Values of bootstrap_interval, crossed_interval, paired_test and intervals, whose place these functions took."""
    a, b = numbers(12, seed=0), numbers(12, seed=1.1)
    crossed = numbers(3, 8, seed=0.3)
    difference, ratio = compare(a, b), compare(a, b, ratio=True)
    for found, expected in (
        (interval(a), (0.5257214887584519, 0.337030140687555, 0.717662758582202)),
        (interval(a, ratio=True), (0.419538490685475, 0.1970610335886225, 0.6271722466773944)),
        (interval(a[:5]), (0.4426406871192855, 0.06317410694902964, 0.8221072672895413)),
        (interval(crossed), (0.55266952966369, 0.4543271604132162, 0.6510118989141638)),
        (interval(crossed, ratio=True), (0.4630320145761911, 0.3618893652699181, 0.5924425172388668)),
        (interval(crossed[:, :1]), (0.427922061357857, -0.28326545286770316, 1.139109575583417)),
        (difference.difference, (-0.18333333333333127, -0.46988279117146015, 0.07407277934275405)),
        (ratio.difference, (0.5310513438074258, 0.18984597567287778, 1.284473329655947)),
    ):
        assert (found.value, found.low, found.high) == pytest.approx(expected, rel=1e-13)
    assert difference.p_value == ratio.p_value == 0.17578125
    p_value = compare(numbers(20, seed=0), numbers(20, seed=0.2)).p_value
    assert p_value == pytest.approx(0.9054547272636368, abs=0.01)  # random signs, other ones


def test_bands_are_those_of_the_function_before():
    curves = numbers(9, 2, seed=0.7)
    first = [0.47236650580230033, 0.22445887750108282, 0.6974105885152098]
    second = [0.4754689570642843, 0.2498636928087813, 0.6976911792865066]
    assert band(curves).flatten().tolist() == pytest.approx(first + second, rel=1e-13)
    first = [0.3260430722016999, 0.11697352117191238, 0.6491126063597394]
    second = [0.35744545601593725, 0.16740742487427407, 0.6528512727677591]
    assert band(curves, ratio=True).flatten().tolist() == pytest.approx(first + second, rel=1e-13)
    curves[0, 1] = math.nan
    first = [0.47236650580230033, 0.2422133269835164, 0.7399281852991384]
    second = [0.5063491861040461, 0.21719458013813558, 0.7586068043206906]
    assert band(curves).flatten().tolist() == pytest.approx(first + second, rel=1e-13)


def test_a_band_has_no_ends_of_one_pair_and_nothing_of_none():
    curves = torch.tensor([[1.0, math.nan], [math.nan, math.nan]])
    found = band(curves)
    assert found[0].tolist() == [1.0, 1.0, 1.0]
    assert found[1].isnan().all()


def test_bands_cover_the_mean():
    generator = torch.Generator().manual_seed(0)
    curves = torch.randn(20, 500, generator=generator, dtype=torch.float64)
    found = band(curves)
    inside = (found[:, 1] <= 0) & (found[:, 2] >= 0)
    assert 0.92 < inside.double().mean() < 0.98


def test_pairs_that_are_not_finite_in_any_seed_are_left_out():
    values = numbers(3, 9, seed=0.2)
    holed = values.clone()
    holed[1, 2], holed[0, 7] = math.nan, math.inf
    kept = [0, 1, 3, 4, 5, 6, 8]
    assert interval(holed) == interval(values[:, kept])
    found = compare(holed, values + 0.1)
    assert (found.seeds, found.pairs) == (3, 7)
    assert found == compare(values[:, kept], values[:, kept] + 0.1)
    nothing = interval([math.nan, math.inf])
    assert math.isnan(nothing.value)
    assert math.isnan(nothing.low)
    assert math.isnan(compare([math.nan], [1.0]).p_value)


def test_a_comparison_over_seeds_averages_them_before_it_flips_pairs():
    first, second = numbers(3, 10, seed=0.1), numbers(3, 10, seed=0.6)
    found = compare(first, second)
    assert found.p_value == compare(first.mean(0), second.mean(0)).p_value
    assert found.difference == interval(second - first)
    alone = compare(first[:, :1], second[:, :1])  # one pair: seeds are flipped, 2^3 ways
    assert (alone.seeds, alone.pairs) == (3, 1)
    assert alone.p_value * 8 == round(alone.p_value * 8) >= 2
    assert compare([1.0], [2.0]).p_value == 1.0


def _draw(seeds, pairs, between, generator):
    """A two-way table of mean 0 whose seeds vary by `between`, whose pairs by 1 and whose cells by 1/2."""
    rows, columns = (torch.randn(*shape, generator=generator) for shape in ((seeds, 1), (1, pairs)))
    return between * rows + columns + 0.5 * torch.randn(seeds, pairs, generator=generator)


@pytest.mark.parametrize("between", [0.0, 0.3, 1.0])
def test_over_seeds_and_pairs_it_covers_the_truth_at_least_as_often_as_it_says(between):
    generator = torch.Generator().manual_seed(0)
    found = [interval(_draw(3, 40, between, generator)) for _ in range(600)]
    inside = sum(each.low <= 0 <= each.high for each in found) / len(found)
    assert inside > 0.95 - 3 * math.sqrt(0.95 * 0.05 / 600)


def test_pairs_alone_would_be_far_too_sure():
    """What seeds are for: where they differ, an interval over all values misses the truth."""
    generator = torch.Generator().manual_seed(0)
    missed = 0
    for _ in range(200):
        values = _draw(3, 40, 1.0, generator).flatten().double()
        low, high = stats.t.interval(0.95, len(values) - 1, values.mean(), values.std() / math.sqrt(len(values)))
        missed += not low <= 0 <= high
    assert missed > 60


def test_without_pairs_it_is_students_over_seeds():
    values = torch.tensor([[1.0], [2.0], [4.0]], dtype=torch.float64)
    found = interval(values)
    low, high = stats.t.interval(0.95, 2, values.mean(), values.std() / math.sqrt(3))
    assert (found.low, found.high) == pytest.approx((low, high))


def test_equal_seeds_leave_students_over_pairs():
    column = torch.tensor([1.0, 2.0, 4.0, 8.0], dtype=torch.float64)
    found = interval(column.expand(3, 4))
    low, high = stats.t.interval(0.95, 3, column.mean(), column.std() / 2)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_one_number_has_no_interval_and_equal_ones_no_width():
    assert math.isnan(interval(torch.ones(1, 1)).low)
    assert interval(torch.ones(2, 3)).high == 1
