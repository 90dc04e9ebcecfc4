"""Attacks inside a ball: closed forms on linear models, and the solver of the ball itself."""

import pytest
import torch

from seatbelt_vae.attacks import Ball, Cold, Continuation, Damage, Output, Penalty, attack
from seatbelt_vae.errors import InputError
from seatbelt_vae.optim import Problem, solve_ball


def test_damage_to_a_linear_model_is_its_largest_singular_value(linear):
    # rec(x + d) − rec(x) = WᵀW d, so in an L2 ball the damage is ε·σ_max(WᵀW).
    source = torch.full((1, 1, 4, 4), 0.5, dtype=torch.float64)
    result = attack(linear, source, None, Damage(), Ball([0.05, 0.1], restarts=4), seed=1)
    largest = torch.linalg.matrix_norm(linear.w.detach().T @ linear.w.detach(), ord=2)
    torch.testing.assert_close(-result.discrepancy[0], largest * result.budget.values.double(), rtol=1e-5, atol=0)
    torch.testing.assert_close(result.distortion[0], result.budget.values.double(), rtol=1e-6, atol=0)


def test_damage_in_a_cube_is_the_best_corner(linear):
    # The maximum of a convex function over a cube is at a corner: try all 2^16.
    source = torch.full((1, 1, 4, 4), 0.5, dtype=torch.float64)
    result = attack(linear, source, None, Damage(), Ball([0.1], norm="linf", restarts=20))
    bits = torch.arange(2**16)[:, None].bitwise_and(2 ** torch.arange(16)).ne(0)
    corners = 0.1 * (2.0 * bits.double() - 1)
    best = (corners @ (linear.w.detach().T @ linear.w.detach())).norm(dim=1).max()
    torch.testing.assert_close(-result.discrepancy[0, 0], best, rtol=1e-6, atol=0)


def test_posterior_damage_has_its_closed_form(linear):
    # Symmetric KL of equal scales: ‖W d / σ‖², so the maximum in a ball is ε² σ_max(W/σ)².
    source = torch.full((1, 1, 4, 4), 0.5, dtype=torch.float64)
    result = attack(linear, source, None, Damage("skl"), Ball([0.1], restarts=4))
    scaled = linear.w.detach() / linear.scale.detach()
    expected = 0.01 * torch.linalg.matrix_norm(scaled, ord=2) ** 2
    torch.testing.assert_close(-result.discrepancy[0, 0], expected, rtol=1e-5, atol=0)


def test_targeted_attack_inside_a_ball_meets_the_trust_region_problem(linear):
    # min ½‖(W d − gap)/σ‖² over ‖d‖ ≤ ε: d = (A + μI)⁻¹ b with μ ≥ 0 such that ‖d‖ = ε, found by bisection.
    generator = torch.Generator().manual_seed(0)
    source = torch.full((1, 1, 4, 4), 0.5, dtype=torch.float64)
    target = source + 0.3 * (torch.rand(1, 1, 4, 4, generator=generator, dtype=torch.float64) - 0.5)
    radius = 0.05
    result = attack(linear, source, target, budget=Ball([radius]))
    w = linear.w.detach() / linear.scale.detach()
    gap = w @ (target - source).flatten()
    hessian, right, eye = w.T @ w, w.T @ gap, torch.eye(16, dtype=torch.float64)
    low, high = 0.0, 1e6
    for _ in range(200):
        mu = (low + high) / 2
        low, high = (mu, high) if torch.linalg.solve(hessian + mu * eye, right).norm() > radius else (low, mu)
    d = torch.linalg.solve(hessian + high * eye, right)
    expected = 0.5 * (w @ d - gap).square().sum()
    torch.testing.assert_close(result.discrepancy[0, 0], expected, rtol=1e-6, atol=0)


def test_more_room_never_hurts_and_the_ball_is_kept(hierarchy, images):
    for ball in ("l2", "linf"):
        budget = Ball([0.02, 0.1, 0.3], norm=ball, restarts=2)
        result = attack(hierarchy, images[:2], None, Damage(), budget, Cold(max_iterations=10))
        assert (result.discrepancy.diff(dim=1) <= 0).all()
        d = (result.adversarial - result.source[:, None]).flatten(2)
        size = d.norm(dim=-1) if ball == "l2" else d.abs().amax(-1)
        assert (size <= result.budget.values.double() * (1 + 1e-9) + 1e-12).all()
        assert result.adversarial.min() >= 0
        assert result.adversarial.max() <= 1


def test_l2_output_attack_reaches_the_squared_distance_of_the_reconstruction(hierarchy, images):
    few = Continuation(max_iterations=5)
    result = attack(hierarchy, images[:1], images[2:3], Output("l2"), Penalty([1.0]), few)
    gap = hierarchy.reconstruct(result.adversarial[:, 0]) - images[2:3]
    torch.testing.assert_close(result.discrepancy[:, 0], gap.square().flatten(1).sum(1).detach())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"radii": []}, "radii"),
        ({"radii": [0.0]}, "radii"),
        ({"norm": "l1"}, "norm: 'l1' is unknown"),
        ({"restarts": 0}, "restarts"),
        ({"lower": 0.5}, "d = 0 must be inside"),
    ],
)
def test_bad_balls_are_refused(changes, message):
    options = {"radii": [1.0], **changes}
    problem = Problem(lambda d, i: d.square().sum(-1), torch.zeros(1, 2), options.pop("lower", -1.0), 1.0)
    with pytest.raises(InputError, match=message):
        solve_ball(problem, **options)
