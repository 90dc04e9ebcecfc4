"""The stored products against plain ones."""

import numpy as np
import pytest
import torch
from torch import Tensor

from seatbelt_vae.optim.history import History


def push_random(history: History, times: int, seed: int) -> list[tuple[Tensor, Tensor]]:
    """Push pairs of a convex quadratic into every row; the pairs of row 0, divided by ‖s‖ as they are stored."""
    torch.manual_seed(seed)
    rows, n = history.side.shape
    root = torch.randn(n, n, dtype=torch.float64) / n**0.5
    hessian, kept = root @ root.T + torch.eye(n), []
    for _ in range(times):
        s = torch.randn(rows, n, dtype=torch.float64)
        history.push(s, s @ hessian, np.arange(rows))
        kept.append((s[0] / s[0].norm(), hessian @ s[0] / s[0].norm()))
    return kept


def expected_gram(history: History, free: Tensor | None = None) -> Tensor:
    pairs = history.pairs if free is None else history.pairs * free[:, None]
    return pairs @ history.pairs.mT


def test_the_last_pairs_are_kept_with_their_products():
    history = History.empty(2, 3, torch.zeros(2, 40, dtype=torch.float64))
    pairs = push_random(history, 5, seed=0)
    newest = history.age[0].argsort()[::-1]
    for place, (s, y) in zip(newest.tolist(), reversed(pairs[-3:]), strict=True):
        torch.testing.assert_close(history.pairs[0, place], s)
        torch.testing.assert_close(history.pairs[0, place + 3], y)
    torch.testing.assert_close(history.gram, expected_gram(history))
    torch.testing.assert_close(history.gram_free, history.gram)


def test_products_over_the_free_variables_follow_every_change_of_them():
    n = 400
    history = History.empty(3, 3, torch.zeros(3, n, dtype=torch.float64))
    push_random(history, 2, seed=0)
    side = torch.zeros(3, n, dtype=torch.int8)
    for seed, changes in enumerate(([3, 30, 0], [n, 1, 40], [2, 8, 9], [0, 32, 50])):  # few change, and many
        torch.manual_seed(seed)
        for row, count in enumerate(changes):
            which = torch.randperm(n)[:count]
            side[row, which] = torch.where(side[row, which] == 0, torch.randint(0, 2, (count,)) * 2 - 1, 0).to(side)
        history.hold(side.clone())
        torch.testing.assert_close(history.gram_free, expected_gram(history, side == 0))
        push_random(history, 1, seed=seed)
        torch.testing.assert_close(history.gram_free, expected_gram(history, side == 0))


@pytest.mark.parametrize("rows", [[0], [0, 1]])
def test_the_rows_that_are_named_take_a_pair_and_no_other(rows: list[int]):
    named = np.isin(np.arange(3), rows)
    history, before = (History.empty(3, 3, torch.zeros(3, 9, dtype=torch.float64)) for _ in range(2))
    push_random(history, 2, seed=0)
    push_random(before, 2, seed=0)
    s = torch.randn(3, 9, dtype=torch.float64)
    history.push(s, 2 * s, np.array(rows))
    torch.testing.assert_close(history.gram, expected_gram(history))
    torch.testing.assert_close(history.gram_free, expected_gram(history))
    assert (history.pairs != before.pairs).any(2).any(1).tolist() == named.tolist()
    assert (history.count - before.count == named).all()


def test_a_pair_without_curvature_is_not_kept_nor_one_not_marked():
    history = History.empty(3, 2, torch.zeros(3, 4, dtype=torch.float64))
    s = torch.ones(3, 4).double()
    history.push(s, torch.tensor([1.0, -1.0, 1.0])[:, None] * s, np.arange(2))
    assert history.filled.any(1).tolist() == [True, False, False]


def test_clear_forgets_the_marked_rows():
    history = History.empty(2, 3, torch.zeros(2, 4, dtype=torch.float64))
    push_random(history, 2, seed=0)
    history.clear(np.array([True, False]))
    assert history.filled.sum(1).tolist() == [0, 2]
