import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.optim import Solution, Status, minimise, minimise_scipy
from tests.optim.problems import PROBLEMS, Problem, rosenbrock

EXACT = {"max_iterations": 5000, "memory": 12, "gradient_tolerance": 1e-9}


def solve(problem: Problem, rows: Tensor | None = None, **options: object) -> Solution:
    """Solve the rows given (all by default), which keep their own identity whatever batch they are in."""
    rows = torch.arange(len(problem.x0)) if rows is None else rows
    settings: dict[str, object] = EXACT | options
    fun = problem.fun
    return minimise(lambda x, i: fun(x, rows[i]), problem.x0[rows], problem.lower, problem.upper, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize(("n", "rows"), [(2, 12), (7, 12), (100, 5), (3000, 2)])
def test_every_row_meets_its_known_minimum_and_scipy(name: str, n: int, rows: int):
    problem = PROBLEMS[name](rows, n)
    found = solve(problem)
    error = (found.value - problem.minimum) / problem.minimum.abs().clamp_min(1)
    assert error.abs().max() < 1e-6
    peer = minimise_scipy(problem.fun, problem.x0[:2], problem.lower, problem.upper, gradient_tolerance=1e-9)
    assert (found.value[:2] <= peer.value + 1e-9 * (1 + peer.value.abs())).all()
    rows_index = torch.arange(rows)
    torch.testing.assert_close(problem.fun(found.x, rows_index), found.value, rtol=1e-12, atol=1e-13)
    assert ((found.x >= problem.lower) & (found.x <= problem.upper)).all()


@pytest.mark.parametrize("name", PROBLEMS)
def test_float32_comes_as_near_as_its_rounding_allows(name: str):
    problem = PROBLEMS[name](5, 20)
    low, high = (torch.as_tensor(b).float() for b in (problem.lower, problem.upper))
    # The float64 data of the problem would lift float32 points: evaluate there, differentiate back.
    found = minimise(
        lambda x, i: problem.fun(x.double(), i).float(), problem.x0.float(), low, high, max_iterations=5000
    )
    assert found.x.dtype == torch.float32
    assert found.value.dtype == torch.float64
    error = (found.value - problem.minimum) / problem.minimum.abs().clamp_min(1)
    assert error.max() < 2e-4


@settings(max_examples=6, deadline=None)
@given(name=st.sampled_from(sorted(PROBLEMS)), seed=st.integers(0, 2**16), rows=st.integers(1, 11))
def test_a_row_is_the_same_in_any_batch(name: str, seed: int, rows: int):
    problem = PROBLEMS[name](11, 9)
    everything = solve(problem)
    subset = torch.randperm(11, generator=torch.Generator().manual_seed(seed))[:rows]
    some = solve(problem, subset)
    torch.testing.assert_close(some.x, everything.x[subset], rtol=0, atol=1e-10)
    torch.testing.assert_close(some.value, everything.value[subset], rtol=1e-10, atol=1e-10)
    assert torch.equal(some.status, everything.status[subset])


@pytest.mark.parametrize("name", ["active_quadratic", "bounded_rosenbrock"])
@pytest.mark.parametrize("room", [1, 2])
def test_waiting_for_room_changes_nothing(name: str, room: int):
    problem = PROBLEMS[name](5, 30)
    budget = room * 30 * 8 * (2 * 12 + 12)
    parts, whole = solve(problem, memory_budget=budget), solve(problem)
    torch.testing.assert_close(parts.x, whole.x, rtol=0, atol=1e-10)
    torch.testing.assert_close(parts.value, whole.value, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("chunk", [1, 4])
def test_chunks_change_nothing(chunk: int):
    problem, sizes = PROBLEMS["corner"](11, 9), []

    def fun(x: Tensor, rows: Tensor) -> Tensor:
        sizes.append(len(rows))
        return problem.fun(x, rows)

    parts = solve(dataclasses.replace(problem, fun=fun), chunk=chunk)
    assert max(sizes) == chunk
    torch.testing.assert_close(parts.x, solve(problem).x, rtol=0, atol=1e-10)


def test_fun_sees_only_rows_still_at_work_with_their_own_points():
    """Row i is quadratic with condition 10^i: the easy rows must leave early and the indices stay true."""
    curvature, sizes = 10.0 ** torch.arange(5), []

    def fun(x: Tensor, rows: Tensor) -> Tensor:
        sizes.append(len(rows))
        assert len(set(rows.tolist())) == len(rows)
        return (x[:, 0] - rows) ** 2 + curvature[rows] * (x[:, 1:] ** 2).sum(-1)

    found = minimise(fun, torch.ones(5, 3).double(), -10.0, 10.0)
    torch.testing.assert_close(found.x[:, 0], torch.arange(5).double(), atol=1e-5, rtol=0)
    assert sizes[0] == 5
    assert sizes[-1] < 5
    assert sum(sizes) == int(found.evaluations.sum())


def test_bounds_hold_at_every_point_evaluated():
    lower, upper = torch.full((6, 4), -0.3).double(), torch.linspace(0.1, 2, 24).reshape(6, 4).double()

    def fun(x: Tensor, rows: Tensor) -> Tensor:
        assert ((x >= lower[rows]) & (x <= upper[rows])).all()
        return (100 * (x[:, 1:] - x[:, :-1] ** 2) ** 2 + (1 - x[:, :-1]) ** 2).sum(-1)

    found = minimise(fun, 5 * torch.ones(6, 4).double(), lower, upper)  # a start outside is projected
    assert ((found.x >= lower) & (found.x <= upper)).all()


def test_bounds_of_width_zero_hold_a_variable():
    found = minimise(lambda x, i: (x**2).sum(-1), torch.ones(2, 3), torch.tensor([1.0, -1, -1]), 1.0)
    torch.testing.assert_close(found.x, torch.tensor([[1.0, 0, 0]]).expand(2, 3), atol=1e-5, rtol=0)


def test_unbounded_variables_are_allowed():
    found = minimise(lambda x, i: ((x - 7) ** 2).sum(-1), torch.zeros(2, 3), -torch.inf, torch.inf)
    torch.testing.assert_close(found.x, torch.full((2, 3), 7.0), atol=1e-4, rtol=0)


def log_barrier(x: Tensor, rows: Tensor) -> Tensor:
    """NaN for x <= 0; the minimum is 1 per variable, at x = 1."""
    return (x - torch.log(x)).sum(-1)


def test_a_region_of_nan_is_backed_out_of():
    # In units of 1/20 the first step is 20 long.
    x0 = torch.tensor([[1e-3, 5.0], [4.0, 4.0], [0.9, 1.1]]).double()
    found = minimise(lambda x, rows: log_barrier(20 * x, rows), x0 / 20, -0.5, 0.5)
    assert found.status.tolist() == [Status.CONVERGED] * 3
    torch.testing.assert_close(found.value, torch.full((3,), 2.0).double())


def test_not_finite_at_the_start_is_said_and_hurts_no_other_row():
    found = minimise(log_barrier, torch.tensor([[-1.0, 1.0], [2.0, 3.0]]).double(), -10.0, 10.0)
    assert found.status.tolist() == [Status.NOT_FINITE, Status.CONVERGED]
    assert found.value.isnan().tolist() == [True, False]
    assert found.x[0].tolist() == [-1.0, 1.0]
    assert found.evaluations[0] == 1


def test_not_finite_everywhere_but_the_start_keeps_the_start():
    found = minimise(lambda x, i: torch.where(x[:, 0] == 1, x[:, 0], torch.nan), torch.ones(1, 1), -2.0, 2.0)
    assert found.status.tolist() == [Status.NOT_FINITE]
    assert (found.x.item(), found.value.item()) == (1.0, 1.0)


def test_a_gradient_that_lies_stalls():
    def fun(x: Tensor, rows: Tensor) -> Tensor:
        return 2 * x.detach().sum(-1) - x.sum(-1)  # rises with x, but says that it falls

    found = minimise(fun, torch.zeros(1, 2).double(), -1.0, 1.0)
    assert found.status.tolist() == [Status.STALLED]
    assert found.x.tolist() == [[0.0, 0.0]]


def test_the_budget_is_kept_and_said():
    problem = rosenbrock(4, 10)
    found = solve(problem, max_iterations=3)
    assert found.status.tolist() == [Status.BUDGET] * 4
    start = problem.fun(problem.x0, torch.arange(4))
    assert (found.value < start).all()


def test_a_start_at_the_minimum_costs_one_evaluation():
    found = minimise(lambda x, i: (x**2).sum(-1), torch.zeros(3, 2), -1.0, 1.0)
    assert found.evaluations.tolist() == [1, 1, 1]
    assert found.status.tolist() == [Status.CONVERGED] * 3


def test_no_rows_is_no_work():
    found = minimise(lambda x, i: (x**2).sum(-1), torch.zeros(0, 2), -1.0, 1.0)
    assert found.x.shape == (0, 2)


def square(x: Tensor, rows: Tensor) -> Tensor:
    return (x**2).sum(-1)


@pytest.mark.parametrize(
    ("fun", "x0", "lower", "upper", "options", "named"),
    [
        (square, torch.zeros(2), 0.0, 1.0, {}, "x0"),
        (square, torch.zeros(2, 2, dtype=torch.int64), 0, 1, {}, "x0"),
        (square, torch.full((1, 2), torch.nan), 0.0, 1.0, {}, "x0"),
        (square, torch.zeros(1, 2), 1.0, 0.0, {}, "bounds"),
        (square, torch.zeros(1, 2), torch.zeros(3), 1.0, {}, "lower"),
        (square, torch.zeros(1, 2), 0.0, torch.nan, {}, "upper"),
        (square, torch.zeros(1, 2), 0.0, torch.ones(5, 1, 2), {}, "upper"),
        (square, torch.zeros(1, 2), 0.0, 1.0, {"memory": 0}, "memory"),
        (square, torch.zeros(1, 2), 0.0, 1.0, {"max_iterations": 0}, "max_iterations"),
        (square, torch.zeros(1, 2), 0.0, 1.0, {"chunk": 0}, "chunk"),
        (lambda x, i: x.sum(), torch.zeros(1, 2), 0.0, 1.0, {}, "fun"),
        (lambda x, i: x.detach().sum(-1), torch.zeros(1, 2), 0.0, 1.0, {}, "fun"),
    ],
)
def test_bad_input_is_refused_in_one_line(fun, x0, lower, upper, options, named):
    with pytest.raises(InputError, match=named) as caught:
        minimise(fun, x0, lower, upper, **options)
    assert "\n" not in str(caught.value)


def test_a_flatter_point_saves_most_steps_where_the_problem_is_smooth_and_ill_conditioned() -> None:
    problem = PROBLEMS["ill_conditioned"](6, 300)
    spent = {}
    for wolfe in (0.5, 0.9):
        found = minimise(problem.fun, problem.x0, problem.lower, problem.upper, wolfe=wolfe, gradient_tolerance=1e-9)
        assert float((found.value - problem.minimum).abs().max()) < 1e-6
        spent[wolfe] = float(found.evaluations.double().mean())
    assert spent[0.5] < spent[0.9] / 2


@pytest.mark.parametrize("wolfe", [0.0, 1.0, float("nan")])
def test_an_impossible_share_of_the_slope_is_refused(wolfe: float) -> None:
    with pytest.raises(InputError, match="wolfe"):
        minimise(lambda x, i: (x**2).sum(-1), torch.ones(1, 2), -1.0, 1.0, wolfe=wolfe)


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e-6, 1e-9])
def test_the_unit_of_a_function_does_not_end_it_at_once(scale: float) -> None:
    a = torch.tensor([[0.3, -0.2, 0.9]], dtype=torch.float64)
    found = minimise(lambda x, i: scale * (x - a).square().sum(-1), torch.zeros_like(a), -1.0, 1.0)
    torch.testing.assert_close(found.x, a, rtol=0, atol=1e-3)
    assert found.status.tolist() == [Status.CONVERGED]
