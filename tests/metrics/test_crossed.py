"""Intervals over seeds and pairs against simulation, and against one-way formulas where one of the two is alone."""

import math

import pytest
import torch
from scipy import stats

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.crossed import crossed_interval


def _draw(seeds: int, pairs: int, between: float, generator: torch.Generator) -> torch.Tensor:
    """A two-way table of mean 0 whose seeds vary by `between`, whose pairs by 1 and whose cells by 1/2."""
    rows, columns = (torch.randn(*shape, generator=generator) for shape in ((seeds, 1), (1, pairs)))
    return between * rows + columns + 0.5 * torch.randn(seeds, pairs, generator=generator)


@pytest.mark.parametrize("between", [0.0, 0.3, 1.0])
def test_covers_the_truth_at_least_as_often_as_it_says(between: float) -> None:
    generator = torch.Generator().manual_seed(0)
    found = [crossed_interval(_draw(3, 40, between, generator)) for _ in range(600)]
    inside = sum(each.low <= 0 <= each.high for each in found) / len(found)
    assert inside > 0.95 - 3 * math.sqrt(0.95 * 0.05 / 600)


def test_pairs_alone_would_be_far_too_sure() -> None:
    """What the crossed interval is for: with seeds that differ, an interval over all values misses the truth."""
    generator = torch.Generator().manual_seed(0)
    missed = 0
    for _ in range(200):
        values = _draw(3, 40, 1.0, generator).flatten().double()
        low, high = stats.t.interval(0.95, len(values) - 1, values.mean(), values.std() / math.sqrt(len(values)))
        missed += not low <= 0 <= high
    assert missed > 60


def test_without_pairs_it_is_students_over_seeds() -> None:
    values = torch.tensor([[1.0], [2.0], [4.0]], dtype=torch.float64)
    found = crossed_interval(values)
    low, high = stats.t.interval(0.95, 2, values.mean(), values.std() / math.sqrt(3))
    assert (found.low, found.high) == pytest.approx((low, high))


def test_equal_seeds_leave_students_over_pairs() -> None:
    column = torch.tensor([1.0, 2.0, 4.0, 8.0], dtype=torch.float64)
    found = crossed_interval(column.expand(3, 4))
    low, high = stats.t.interval(0.95, 3, column.mean(), column.std() / 2)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_one_number_has_no_interval_and_none_is_refused() -> None:
    assert math.isnan(crossed_interval(torch.ones(1, 1)).low)
    assert crossed_interval(torch.ones(2, 3)).high == 1
    for wrong in (torch.ones(3), torch.ones(0, 2), torch.tensor([[math.nan, 1.0]])):
        with pytest.raises(InputError):
            crossed_interval(wrong)
