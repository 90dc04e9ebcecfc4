from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from seatbelt_vae.errors import InputError
from seatbelt_vae.optim import (
    PathSettings,
    Problem,
    Status,
    follow_path,
    minimise_adam,
    minimise_scipy,
    path,
    solve_cold,
)

LAMBDAS = torch.cat([torch.zeros(1), 2.0 ** torch.linspace(-6, 6, 13)]).double()


SOLVERS = {
    "path": follow_path,
    "cold": solve_cold,
    "scipy": partial(solve_cold, minimiser=minimise_scipy),
    "adam": partial(solve_cold, minimiser=minimise_adam),
}


def follow(
    fun, x0, lambdas, lower, upper, *, smoothed=None, chunk=None, squared=False, memory_budget=2**30, **settings
):
    """`follow_path` with settings by name."""
    problem = Problem(fun, x0, lower, upper, smoothed, chunk)
    return follow_path(problem, lambdas, PathSettings(**settings), squared=squared, memory_budget=memory_budget)


@pytest.fixture
def targets():
    return torch.randn(4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def quadratic(targets):
    return lambda d, rows: 0.5 * (d - targets[rows]).square().sum(-1)


def double_well(d, rows):
    """A shallow valley near 0 and a deep one beyond a ridge, along the first axis; convex along the others."""
    x = d[:, 0]
    return 0.3 * (x - 0.2) ** 2 - 2.0 * torch.exp(-8 * (x - 2.0) ** 2) + 2.0 + 0.5 * d[:, 1:].square().sum(-1)


@pytest.mark.parametrize("name", ["path", "cold", "scipy"])
def test_distance_to_a_point_has_its_closed_form(targets, name):
    # min ½‖d − a‖² + λ‖d‖ is a soft threshold: d = a·max(0, 1 − λ/‖a‖).
    problem = Problem(quadratic(targets), torch.full_like(targets, 1e-8), -9.0, 9.0)
    found = SOLVERS[name](problem, LAMBDAS)
    norm = targets.norm(dim=1)
    expected = norm[:, None] - LAMBDAS
    torch.testing.assert_close(found.distortion, expected.clamp(min=0), rtol=0, atol=2e-4)
    value = torch.where(expected > 0, LAMBDAS * norm[:, None] - 0.5 * LAMBDAS**2, 0.5 * norm[:, None] ** 2)
    torch.testing.assert_close(found.objective, value, rtol=1e-6, atol=1e-7)


def test_squared_penalty_has_its_closed_form(targets):
    found = follow(quadratic(targets), 0 * targets, LAMBDAS, -9.0, 9.0, squared=True)
    torch.testing.assert_close(found.x, targets[:, None] / (1 + 2 * LAMBDAS)[:, None], rtol=0, atol=1e-5)


def test_no_solve_is_spent_where_zero_is_known_to_be_the_answer(targets):
    found = follow(quadratic(targets), 0 * targets, LAMBDAS, -9.0, 9.0)
    beyond = targets.norm(dim=1)[:, None] <= LAMBDAS
    assert beyond.any()
    assert (found.evaluations[beyond] == 0).all()
    assert (found.status[beyond] == int(Status.CONVERGED)).all()
    assert (found.evaluations[~beyond] > 0).all()


def test_bounds_shape_the_cone_at_zero():
    # r falls only where the bounds forbid to go, so d = 0 is the answer for every λ, 0 included.
    found = follow(lambda d, i: d.sum(-1), torch.zeros(1, 3).double(), [0.0, 1.0], 0.0, 1.0)
    assert (found.x == 0).all()
    assert (found.evaluations == 0).all()


def test_best_value_rises_with_the_penalty_and_is_concave_in_it():
    # A minimum of functions linear in λ: whatever the solver found, its envelope must be both.
    found = follow(double_well, torch.zeros(1, 3).double(), LAMBDAS, -3.0, 3.0)
    value = found.objective[0]
    assert (value.diff() >= -1e-12).all()
    slopes = value.diff() / LAMBDAS.diff()
    assert (slopes.diff() <= 1e-9).all()


def test_the_envelope_carries_a_better_valley_to_every_penalty():
    start = torch.full((1, 3), 1e-8, dtype=torch.float64)
    grid = torch.tensor([0.0, 0.01, 0.05, 0.2], dtype=torch.float64)
    problem = Problem(double_well, start, -3.0, 3.0)
    path, cold = follow_path(problem, grid), solve_cold(problem, grid)
    assert (path.objective <= cold.objective + 1e-6).all()


def test_rows_do_not_help_each_other(targets):
    together = follow(quadratic(targets), 0 * targets, LAMBDAS, -0.5, 0.5)
    alone = follow(quadratic(targets[2:3]), 0 * targets[2:3], LAMBDAS, -0.5, 0.5)
    torch.testing.assert_close(together.x[2:3], alone.x, rtol=0, atol=1e-10)
    assert together.x.abs().max() <= 0.5


def test_rows_that_wait_for_room_find_the_same(targets):
    grid = [2.0, 0.5, 0.1]
    whole = follow(quadratic(targets), 0 * targets, grid, -0.5, 0.5)
    parts = follow(quadratic(targets), 0 * targets, grid, -0.5, 0.5, memory_budget=1.0)
    torch.testing.assert_close(parts.x, whole.x, rtol=0, atol=1e-10)
    assert torch.equal(parts.evaluations, whole.evaluations)


def test_a_valley_beyond_the_kink_is_found_on_the_way_back():
    # From λ = 0.2 on 0 is stationary, yet the valley at 2, which small λ lead into, is the better answer up to λ = 1.2.
    def slide(d, rows):
        x = d[:, 0]
        return 1 - 0.2 * x - 2 * torch.exp(-2 * (x - 2) ** 2) + 0.5 * d[:, 1:].square().sum(-1)

    grid = torch.tensor([0.0, 0.05, 0.3, 0.8, 3.0], dtype=torch.float64)
    found = follow(slide, torch.full((1, 3), 1e-8).double(), grid, -3.0, 3.0)
    x = torch.zeros(60001, 3, dtype=torch.float64)
    x[:, 0] = torch.linspace(-3, 3, len(x), dtype=torch.float64)
    best = (slide(x, None) + grid[:, None] * x[:, 0].abs()).min(1).values
    torch.testing.assert_close(found.objective[0], best, rtol=0, atol=1e-6)


def test_solves_cut_short_are_finished_in_later_passes(targets):
    scales = torch.logspace(0, 3, 6, dtype=torch.float64)
    hard = lambda d, rows: 0.5 * (scales * (d - targets[rows]) ** 2).sum(-1)  # noqa: E731
    grid = [1e6, 1.0, 0.5]  # at the largest 0 is the answer, and no reason to go no further down
    cut = follow(hard, 0 * targets, grid, -9.0, 9.0, max_iterations=6, passes=20)
    whole = follow(hard, 0 * targets, grid, -9.0, 9.0, max_iterations=200)
    torch.testing.assert_close(cut.objective, whole.objective, rtol=1e-7, atol=0)
    evaluations = [follow(hard, 0 * targets, grid, -9.0, 9.0, max_iterations=6, passes=w).evaluations for w in (2, 3)]
    assert (evaluations[1][:, 1:] > evaluations[0][:, 1:]).all()
    assert torch.equal(evaluations[1][:, 0], evaluations[0][:, 0])


@pytest.mark.parametrize(("size", "deep"), [(1.0, 1e-5), (1e3, 1e-2), (1e9, 1.0)])
def test_the_deep_solve_is_where_the_slope_says(size, deep):
    # 20 variables of stiffness 1 … 1e8: 6 iterations do not solve this, so all that may take more do.
    weights = torch.logspace(0, 8, 20, dtype=torch.float64)
    lambdas = torch.tensor([0.0, 1e-9, 1e-5, 1e-2, 1.0], dtype=torch.float64)
    start = torch.full((1, 20), 1e-8, dtype=torch.float64)

    def stiff(d, rows):
        return size * (weights * (d - 1).square()).sum(-1) / (2 * weights.norm())  # its slope at 0 is `size`

    options = {"max_iterations": 6, "coarse": 2, "relative_tolerance": 0.0}
    found = follow(stiff, start, lambdas, -9.0, 9.0, deep=50, **options).evaluations[0]
    assert lambdas[found.argmax()] == deep
    assert found.max() > 3 * found.sort().values[-2]


def test_from_the_deep_solve_one_pass_goes_to_small_penalties_and_one_back():
    # Each solve of the two ends by its own limit; the coarse pass before them takes 2 steps more at large λ.
    weights = torch.logspace(0, 8, 20, dtype=torch.float64)
    lambdas = torch.tensor([0.0, 1e-8, 1e-7, 1e-5, 1e-3, 1e-2], dtype=torch.float64)

    def stiff(d, rows):
        return (weights * (d - 1).square()).sum(-1) / (2 * weights.norm())

    options = {"coarse": 2, "shallow": 5, "max_iterations": 30, "deep": 4, "pace": 3, "relative_tolerance": 0.0}
    spent = follow(stiff, torch.full((1, 20), 1e-8).double(), lambdas, -9.0, 9.0, **options).evaluations[0]
    assert (spent[:3] >= 5).all()
    assert (spent[:3] < 2 * 5).all()
    assert (spent[4:] > 30).all()
    assert (spent[4:] < 2 * 30).all()
    assert spent[3] > 4 * 30


def test_the_order_of_penalties_is_kept(targets):
    up = follow(quadratic(targets), 0 * targets, [0.0, 0.5, 2.0], -9.0, 9.0)
    down = follow(quadratic(targets), 0 * targets, [2.0, 0.5, 0.0], -9.0, 9.0)
    torch.testing.assert_close(up.objective, down.objective.flip(1))


@pytest.mark.parametrize("name", list(SOLVERS))
def test_every_solver_adds_up(targets, name):
    few = {"settings": PathSettings(max_iterations=50)} if name == "path" else {"max_iterations": 50}
    problem = Problem(quadratic(targets), torch.full_like(targets, 1e-8), -1.0, 1.0)
    found = SOLVERS[name](problem, [0.0, 0.3], **few)
    assert found.x.shape == (4, 2, 6)
    torch.testing.assert_close(found.distortion, found.x.norm(dim=-1))
    recomputed = found.discrepancy + torch.tensor([0.0, 0.3]) * found.distortion
    torch.testing.assert_close(found.objective, recomputed.double(), rtol=1e-6, atol=1e-8)
    assert found.x.abs().max() <= 1.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lambdas": [-1.0]}, "lambdas"),
        ({"lambdas": []}, "lambdas"),
        ({"lower": 0.5}, "d = 0 must be inside"),
        ({"passes": 1}, "passes: 1 is too few, needs 2 or more"),
        ({"pace": 0}, "pace: 0 is too few, needs to be at least 1"),
    ],
)
def test_bad_input_is_refused(targets, changes, message):
    arguments = {"lambdas": [1.0], "lower": -1.0, "upper": 1.0, **changes}
    with pytest.raises(InputError, match=message):
        follow(quadratic(targets), 0 * targets, **arguments)


def test_creases_are_left_for_what_lies_below(targets):
    # 20 Σ|d_i − d_{i+1}| keeps all d_i equal: d = t·1 with t in closed form. Searches end in creases before.
    weights = 0.2 + targets.flatten()[:20].abs().view(1, 20)
    size, total = 20, weights.sum()

    def smoothed(d, rows, width):
        step, w = d.diff(dim=1).abs(), width[:, None].to(d)
        bent = torch.where(step < w, step.square() / (2 * w.clamp_min(1e-300)) + w / 2, step)
        return 20 * bent.sum(1) + 2 * ((weights[rows] * d).sum(1) - 10).square()

    def creased(d, rows):
        return smoothed(d, rows, torch.zeros(len(d)))

    grid = torch.tensor([0.5, 1.0, 2.0, 4.0, 8.0], dtype=torch.float64)
    t = (40 * total - grid * size**0.5) / (4 * total.square())
    least = 2 * (total * t - 10).square() + grid * size**0.5 * t
    start = 1e-8 * targets.flatten()[:20].abs().view(1, 20)
    without = follow(creased, start, grid, -9.0, 9.0).objective[0] / least - 1
    found = follow(creased, start, grid, -9.0, 9.0, smoothed=smoothed)
    excess = found.objective[0] / least - 1
    assert (excess >= -1e-9).all()
    assert excess.max() < 5e-3
    assert without.max() > 3 * excess.max()
    torch.testing.assert_close(found.discrepancy[0], creased(found.x[0], 0 * grid.long()))


def test_a_smooth_function_loses_nothing_by_smoothing(targets):
    smooth = quadratic(targets)
    plain = follow(smooth, 0 * targets, LAMBDAS, -9.0, 9.0)
    found = follow(smooth, 0 * targets, LAMBDAS, -9.0, 9.0, smoothed=lambda d, rows, width: smooth(d, rows))
    torch.testing.assert_close(found.objective, plain.objective, rtol=1e-6, atol=1e-7)
    assert found.status.max() <= int(Status.STALLED)


def test_rows_that_wait_for_room_find_the_same_with_smoothing(targets):
    smooth, grid = quadratic(targets), [2.0, 0.5, 0.1]
    smoothed = lambda d, rows, width: smooth(d, rows) + width.to(d) * d.square().sum(1)  # noqa: E731
    whole = follow(smooth, 0 * targets, grid, -0.5, 0.5, smoothed=smoothed)
    parts = follow(smooth, 0 * targets, grid, -0.5, 0.5, smoothed=smoothed, memory_budget=1.0)
    torch.testing.assert_close(parts.x, whole.x, rtol=0, atol=1e-10)
    assert torch.equal(parts.evaluations, whole.evaluations)


def test_a_problem_that_is_solved_twice_at_a_time_does_not_multiply_passes(monkeypatch):
    onward, most = path._Path.onward, 0

    def watched(this, passes, descent):
        nonlocal most
        going = onward(this, passes, descent)
        most = max(most, int(np.unique(going.ticket, return_counts=True)[1].max(initial=0)))
        assert most == 1, "two passes follow the same solve"
        return going

    monkeypatch.setattr(path._Path, "onward", watched)
    generator = torch.Generator().manual_seed(7)
    matrices = torch.randn(300, 3, 2, generator=generator)[14]
    targets = torch.randn(300, 2, generator=generator)[14]

    def kinked(d, rows):
        return (d - targets).matmul(matrices.T).abs().sum(-1)

    grid = 2.0 ** torch.linspace(-4, 4, 12)
    found = follow(kinked, torch.full((1, 2), 1e-8), grid, -3.0, 3.0)
    assert most == 1
    assert int(found.evaluations.sum()) < 1000  # it used to be 13 336


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
@pytest.mark.parametrize("name", ["path", "cold"])
def test_a_hole_at_0_hides_nothing(targets, name, bad):
    def smooth(d, rows):
        return torch.where((d == 0).all(-1), bad, quadratic(targets)(d, rows))

    found = SOLVERS[name](Problem(smooth, torch.full_like(targets, 1e-3), -9.0, 9.0), [0.0, 0.5])
    torch.testing.assert_close(found.objective[:, 0], 0 * found.objective[:, 0], rtol=0, atol=1e-6)
    assert torch.isfinite(found.objective).all()


@pytest.mark.parametrize("name", ["path", "cold"])
def test_a_chunk_of_no_row_is_refused(targets, name):
    with pytest.raises(InputError, match="chunk: 0 is too few"):
        SOLVERS[name](Problem(quadratic(targets), targets, -9.0, 9.0, chunk=0), [1.0])


def two_basins(sigma):
    """Encoders μ(d) = d + 1.2 sin 3d with a scale σ: from 0 a search ends in a basin before the target's."""
    targets = torch.tensor([[2.5, 0.5, -0.3], [-2.2, 0.1, 0.4]], dtype=torch.float64)

    def mean(d):
        return d + 1.2 * torch.sin(3 * d)

    def fun(d, rows):
        return ((mean(d) - mean(targets[rows])) / sigma).square().sum(-1) / 2

    return Problem(fun, torch.full_like(targets, 1e-8), -4.0, 4.0, anchor=targets)


WIDE = torch.cat([torch.zeros(1), 2.0 ** torch.linspace(-6, 10, 9)]).double()


@pytest.mark.parametrize("sigma", [1.0, 0.1, 1e-2, 1e-3, 1e-4])
def test_no_answer_is_worse_than_the_anchor(sigma):
    problem = two_basins(sigma)
    bound = WIDE * problem.anchor.norm(dim=1)[:, None]
    found = follow_path(problem, WIDE)
    without = follow_path(replace(problem, anchor=None), WIDE)
    assert (without.objective > 1.01 * bound).any()
    assert (found.objective <= bound * (1 + 1e-6)).all()
    assert (found.objective[:, 0] == 0).all()
    assert (found.objective <= without.objective).all()
    recomputed = problem.fun(found.x.flatten(0, 1), torch.arange(2).repeat_interleave(len(WIDE)))
    torch.testing.assert_close(found.discrepancy.flatten(), recomputed, rtol=1e-9, atol=1e-9)


def test_what_the_anchor_does_not_help_it_leaves_alone(targets):
    problem = Problem(quadratic(targets), 0 * targets, -9.0, 9.0)
    without = follow_path(problem, LAMBDAS)
    found = follow_path(replace(problem, anchor=8 * targets.flip(1)), LAMBDAS)  # outside the bounds
    torch.testing.assert_close(found.objective, without.objective, rtol=1e-6, atol=1e-7)
    assert (found.evaluations >= without.evaluations).all()


def test_rows_with_an_anchor_do_not_help_each_other_and_may_wait():
    problem = two_basins(0.1)
    whole = follow_path(problem, WIDE)
    waiting = follow_path(problem, WIDE, memory_budget=1.0)
    last = replace(problem, fun=lambda d, rows: problem.fun(d, rows + 1), x0=problem.x0[1:], anchor=problem.anchor[1:])
    alone = follow_path(last, WIDE)
    torch.testing.assert_close(waiting.x, whole.x, rtol=0, atol=1e-10)
    torch.testing.assert_close(alone.x, whole.x[1:], rtol=0, atol=1e-10)
    assert torch.equal(waiting.evaluations, whole.evaluations)
    assert torch.equal(alone.evaluations, whole.evaluations[1:])


def test_an_anchor_of_another_shape_is_refused(targets):
    problem = Problem(quadratic(targets), 0 * targets, -9.0, 9.0, anchor=targets[:2])
    with pytest.raises(InputError, match=r"anchor: shape \(2, 6\); needs that of x0, \(4, 6\)"):
        follow_path(problem, [1.0])
