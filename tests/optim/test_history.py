"""The compact form against the dense BFGS update it stands for."""

import pytest
import torch
from torch import Tensor

from seatbelt_vae.optim.history import History


def dense_inverse_bfgs(pairs: list[tuple[Tensor, Tensor]], n: int) -> Tensor:
    s, y = pairs[-1]
    eye = torch.eye(n, dtype=torch.float64)
    h = (s @ y) / (y @ y) * eye
    for s, y in pairs:
        v = eye - torch.outer(y, s) / (s @ y)
        h = v.T @ h @ v + torch.outer(s, s) / (s @ y)
    return h


def pairs_of(count: int, n: int, seed: int) -> list[tuple[Tensor, Tensor]]:
    torch.manual_seed(seed)
    root = torch.randn(n, n, dtype=torch.float64)
    hessian = root @ root.T + torch.eye(n)
    steps = torch.randn(count, n, dtype=torch.float64)
    return [(s, hessian @ s) for s in steps]


@pytest.mark.parametrize("count", [1, 3, 4, 7])
def test_step_is_the_dense_bfgs_step_on_the_free_variables(count: int):
    n, memory = 6, 4
    pairs, g = pairs_of(count, n, seed=count), torch.randn(1, n, dtype=torch.float64)
    history = History.empty(1, memory, g)
    for s, y in pairs:
        history.push(s[None], y[None], torch.tensor([True]))
    for free in (torch.ones(n, dtype=torch.bool), torch.arange(n) != 2):
        kept = [(s[free], y[free]) for s, y in pairs[-memory:]]
        kept = [(s, y) for s, y in kept if s @ y > 1e-8 * (y @ y)]
        step, used = history.direction(g, free[None])
        expected = torch.zeros(n, dtype=torch.float64)
        expected[free] = -dense_inverse_bfgs(kept, int(free.sum())) @ g[0, free]
        torch.testing.assert_close(step[0], expected, rtol=1e-9, atol=1e-11)
        assert bool(used)


def test_a_pair_without_curvature_changes_nothing():
    g, (good, other) = torch.randn(1, 5, dtype=torch.float64), pairs_of(2, 5, seed=0)
    history, free, yes = History.empty(1, 3, g), torch.ones(1, 5, dtype=torch.bool), torch.tensor([True])
    for s, y in (good, (other[0], -other[1])):
        history.push(s[None], y[None], yes)
    alone = History.empty(1, 3, g)
    alone.push(good[0][None], good[1][None], yes)
    torch.testing.assert_close(history.direction(g, free)[0], alone.direction(g, free)[0])


def test_an_empty_or_cleared_memory_gives_steepest_descent_and_says_so():
    g = torch.randn(2, 5, dtype=torch.float64)
    history, free = History.empty(2, 3, g), torch.ones(2, 5, dtype=torch.bool)
    s, y = pairs_of(1, 5, seed=0)[0]
    history.push(s.expand(2, -1), y.expand(2, -1), torch.tensor([True, True]))
    history.clear(torch.tensor([True, False]))
    step, used = history.direction(g, free)
    assert used.tolist() == [False, True]
    torch.testing.assert_close(step[0], -g[0])
