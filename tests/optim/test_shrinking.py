"""Smallest norms by descent in shrinking balls: closed forms, and what holds for any function."""

import pytest
import torch
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.optim import Problem, Status, solve_shrinking
from seatbelt_vae.optim.lagrangian import POLISHING, polish
from seatbelt_vae.optim.levels import Levels, Search
from seatbelt_vae.optim.shrinking import LEAST

FEW = {"evaluations": LEAST, "rounds": 1}


def rugged(d: Tensor, rows: Tensor) -> Tensor:
    """A slope with ridges across it, another one for every row."""
    slope = 1 - d[:, 0] + (1 + rows) * 0.2 * d[:, 1:].square().sum(1)
    return slope + 0.3 * (7 * d[:, 0] + rows).sin().relu()


def posed(rows: int, **parts) -> Problem:
    anchor = torch.tensor([[6.0, 0.5, -0.5]], dtype=torch.float64).expand(rows, -1)
    return Problem(rugged, torch.zeros_like(anchor), -9.0, 9.0, anchor=anchor, **parts)


def test_the_nearest_point_of_an_ellipsoid():
    # c = 1 − Σ a_i d_i²: the nearest point outside lies on the steepest axis, at 1/√max a.
    a = torch.tensor([[1.0, 2.0, 9.0], [4.0, 1.0, 2.0]], dtype=torch.float64)
    problem = Problem(lambda d, i: 1 - (a[i] * d.square()).sum(1), 0.01 * torch.ones_like(a), -9.0, 9.0)
    found = solve_shrinking(problem, torch.zeros(2, 1), evaluations=400)
    torch.testing.assert_close(found.distortion[:, 0], 1 / a.amax(1).sqrt(), rtol=1e-6, atol=0)
    assert (found.status == Status.CONVERGED).all()


def test_bounds_are_kept_and_met():
    # d_0 + d_1 ≥ 2 with d_0 ≤ ½: the nearest point is (½, 1½).
    upper = torch.tensor([[0.5, 9.0]], dtype=torch.float64)
    problem = Problem(lambda d, i: -d.sum(1), 0 * upper, -9.0, upper)
    found = solve_shrinking(problem, torch.tensor([[-2.0]]), evaluations=400)
    torch.testing.assert_close(found.x[0, 0], torch.tensor([0.5, 1.5], dtype=torch.float64), rtol=1e-4, atol=0)


def test_it_is_never_worse_than_the_anchor_even_where_gradients_lie():
    def lying(d: Tensor, rows: Tensor) -> Tensor:
        value = rugged(d, rows)
        return 2 * value.detach() - value

    found = solve_shrinking(
        Problem(lying, torch.zeros(2, 3), -9.0, 9.0, anchor=posed(2).anchor.float()), torch.zeros(2, 1), **FEW
    )
    assert (found.distortion[:, 0] <= posed(2).anchor.norm(dim=1) * (1 + 1e-6)).all()


@pytest.mark.parametrize(("evaluations", "rounds"), [(LEAST, 1), (300, 7), (401, 3)])
def test_the_budget_is_never_exceeded_and_all_of_it_is_counted(evaluations, rounds):
    calls = torch.zeros(4, dtype=torch.long)

    def counted(d: Tensor, rows: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            calls.index_add_(0, rows, torch.ones_like(rows))
        return rugged(d, rows)

    found = solve_shrinking(
        Problem(counted, torch.zeros(4, 3), -9.0, 9.0, anchor=posed(4).anchor.float()),
        torch.zeros(4, 1),
        evaluations=evaluations,
        rounds=rounds,
    )
    assert torch.equal(found.evaluations[:, 0], calls)
    assert evaluations - POLISHING - rounds <= int(calls.min()) <= int(calls.max()) <= evaluations


def test_rows_and_levels_do_not_depend_on_their_company():
    limits = torch.tensor([[0.0, -1.0]], dtype=torch.float64).expand(3, -1)
    together = solve_shrinking(posed(3), limits, **FEW)
    for row in range(3):
        alone = Problem(
            lambda d, i, row=row: rugged(d, i + row), torch.zeros(1, 3).double(), -9.0, 9.0, anchor=posed(1).anchor
        )
        found = solve_shrinking(alone, limits[:1], **FEW)
        assert torch.equal(found.x[0], together.x[row])
        assert torch.equal(found.evaluations[0], together.evaluations[row])


def test_a_softened_gradient_sees_over_a_ridge_that_the_true_one_stops_at():
    # From 6 down to 1, c rises over the ridges of a staircase: its true gradient is 0 on every step.
    def stairs(d: Tensor, rows: Tensor) -> Tensor:
        return 1 - d[:, 0].floor() + 0 * d[:, 0]

    def softened(d: Tensor, rows: Tensor, width: Tensor) -> Tensor:
        return stairs(d, rows) + (d[:, 0].detach() - d[:, 0])

    start = torch.tensor([[6.5, 3.0]])
    plain = solve_shrinking(Problem(stairs, 0 * start, -9.0, 9.0, anchor=start), torch.zeros(1, 1), **FEW)
    seen = solve_shrinking(
        Problem(stairs, 0 * start, -9.0, 9.0, anchor=start, softened=softened), torch.zeros(1, 1), **FEW
    )
    assert float(seen.distortion) == pytest.approx(1, rel=0.05)
    assert float(plain.distortion) > 1.05


def test_a_polish_takes_what_it_says_and_makes_nothing_worse():
    levels = Levels.of(posed(3), torch.zeros(3, 1))
    search = Search(levels, levels.everything)
    search.look(levels.problem.anchor)
    before = search.norm.clone()
    polish(search)
    assert (search.norm <= before).all()
    assert int(search.evaluations.max()) <= 1 + POLISHING


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"evaluations": LEAST - 1}, f"too few, use {LEAST} or more"),
        ({"rounds": 0}, "rounds: 0 is not between 1 and"),
        ({"evaluations": LEAST, "rounds": 50}, "rounds: 50 is not between 1 and"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        solve_shrinking(posed(1), torch.zeros(1, 1), **settings)
