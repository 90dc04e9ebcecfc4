"""The model step against the dense matrix and a dense bound-constrained solver."""

import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor

from seatbelt_vae.optim.history import History
from seatbelt_vae.optim.subproblem import quasi_newton_step
from tests.optim.test_history import push_random


def dense_bfgs(pairs: list[tuple[Tensor, Tensor]]) -> Tensor:
    """The matrix after the BFGS updates by these pairs from θI, θ = y.y / s.y of the last."""
    s, y = pairs[-1]
    b = (y @ y) / (s @ y) * torch.eye(len(s), dtype=torch.float64)
    for s, y in pairs:
        b = b - torch.outer(b @ s, b @ s) / (s @ b @ s) + torch.outer(y, y) / (s @ y)
    return b


def history_of(times: int, n: int) -> tuple[History, Tensor]:
    history = History.empty(1, 4, torch.zeros(1, n, dtype=torch.float64))
    pairs = push_random(history, times, seed=times)
    return history, dense_bfgs(pairs[-4:])


@pytest.mark.parametrize("times", [1, 3, 4, 7])
def test_without_bounds_it_is_the_dense_newton_step(times: int):
    history, b = history_of(times, 6)
    g, far = torch.randn(1, 6).double(), torch.full((1, 6), 1e9).double()
    step = quasi_newton_step(history, g, -far, far)
    torch.testing.assert_close(step[0], -torch.linalg.solve(b, g[0]), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("times", [1, 3, 6])
@pytest.mark.parametrize("seed", range(4))
def test_with_bounds_it_minimises_the_model_inside_them(times: int, seed: int):
    n = 12
    history, b = history_of(times, n)
    torch.manual_seed(seed)
    g, low, high = torch.randn(1, n).double(), -torch.rand(1, n).double(), torch.rand(1, n).double()
    low[0, 0], high[0, 1] = 0, 0  # already at a bound
    step = quasi_newton_step(history, g, low, high, guesses=20)[0]
    dense = minimize(
        lambda p: float(g[0] @ torch.as_tensor(p) + 0.5 * torch.as_tensor(p) @ b @ torch.as_tensor(p)),
        step.numpy() * 0,
        jac=lambda p: (g[0] + b @ torch.as_tensor(p)).numpy(),
        bounds=list(zip(low[0], high[0], strict=True)),
        options={"ftol": 1e-16, "gtol": 1e-12, "maxiter": 1000},
    )
    torch.testing.assert_close(step, torch.as_tensor(dense.x), rtol=0, atol=1e-6)
    held = (step == low[0]) | (step == high[0])
    assert bool(held.any())
    assert not bool(held.all())
    assert torch.equal(held, history.side[0] != 0)


def test_without_pairs_it_is_the_clipped_steepest_descent():
    history = History.empty(2, 3, torch.zeros(2, 3, dtype=torch.float64))
    g = torch.tensor([[3.0, -0.1, 0.2], [0.0, 0.0, 0.0]]).double()
    step = quasi_newton_step(history, g, torch.full((2, 3), -1.0).double(), torch.ones(2, 3).double())
    torch.testing.assert_close(step, torch.tensor([[-1.0, 0.1, -0.2], [0.0, 0.0, 0.0]]).double())
