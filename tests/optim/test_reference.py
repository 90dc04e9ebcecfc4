import pytest
import torch

from seatbelt_vae.optim import Status, minimise_adam, minimise_scipy
from tests.optim.problems import PROBLEMS


@pytest.mark.parametrize("name", PROBLEMS)
def test_scipy_meets_the_known_minima(name: str):
    problem = PROBLEMS[name](3, 2)
    found = minimise_scipy(problem.fun, problem.x0, problem.lower, problem.upper, gradient_tolerance=1e-9)
    torch.testing.assert_close(found.value, problem.minimum, rtol=1e-6, atol=1e-6)
    assert ((found.x >= problem.lower) & (found.x <= problem.upper)).all()


def test_scipy_says_why_a_row_ended():
    problem = PROBLEMS["rosenbrock"](2, 4)
    short = minimise_scipy(problem.fun, problem.x0, problem.lower, problem.upper, max_iterations=2)
    assert short.status.tolist() == [Status.BUDGET] * 2
    assert (short.evaluations > 0).all()
    lost = minimise_scipy(lambda x, i: x.log().sum(-1), torch.tensor([[-1.0], [0.5]]).double(), -2.0, 2.0)
    assert lost.status[0] == Status.NOT_FINITE


@pytest.mark.parametrize("name", ["active_quadratic", "corner", "kink"])
def test_adam_comes_near(name: str):
    problem = PROBLEMS[name](3, 5)
    found = minimise_adam(
        problem.fun, problem.x0, problem.lower, problem.upper, max_iterations=1500, learning_rate=5e-3
    )
    torch.testing.assert_close(found.value, problem.minimum, rtol=1e-2, atol=2e-2)
    assert found.evaluations.tolist() == [1500] * 3
    assert found.status.tolist() == [Status.BUDGET] * 3


def test_adam_keeps_the_best_finite_point():
    x0 = torch.tensor([[0.05], [-1.0]]).double()
    found = minimise_adam(lambda x, i: x.sqrt().sum(-1), x0, -1.0, 1.0, max_iterations=30)
    assert found.status.tolist() == [Status.NOT_FINITE] * 2
    assert 0 <= found.value[0] < 0.05**0.5
    assert found.value[1].isnan()
