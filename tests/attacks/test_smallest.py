"""Smallest norms: closed forms on linear models, scipy's SLSQP, and what an attack makes of them."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch.distributions import Normal

from seatbelt_vae.attacks import DDN, FMN, Damage, Latent, MinimumNorm, Output, Penalty, Shrinking, assess, attack
from seatbelt_vae.attacks.success import MissingSuccess
from seatbelt_vae.errors import InputError
from seatbelt_vae.measures import Attacked
from seatbelt_vae.metrics import f50
from seatbelt_vae.optim import Status
from seatbelt_vae.optim.problem import value_and_gradient
from tests.attacks.conftest import LinearModel

BOUNDS = (-1.0, 1.0)
FEW = Shrinking(evaluations=400, rounds=2)


@pytest.fixture
def pairs():
    """Two sources near the middle of the range, and targets in the model's own space, where success is defined."""
    generator = torch.Generator().manual_seed(3)
    code = torch.randn(2, 3, dtype=torch.float64, generator=generator)
    source = 0.1 * torch.randn(2, 1, 4, 4, dtype=torch.float64, generator=generator)
    return source.clamp(*BOUNDS), code


@pytest.fixture
def projection(linear):
    """A linear model that is the projection on three directions: rec(x) = WᵀWx with WWᵀ = I."""
    linear.w.data = torch.linalg.qr(linear.w.data.T)[0].T.contiguous()
    return linear


def posed(model, pairs):
    source, code = pairs
    span = model.w.detach()
    source = (source.flatten(1) @ span.T @ span).view(-1, 1, 4, 4)  # rec(x) = x, so that success has a closed form
    target = source + 0.4 * (code @ span).view(-1, 1, 4, 4)
    return source, target.clamp(*BOUNDS)


@pytest.mark.parametrize("solver", [FEW, DDN(steps=500, step_size=0.2, radius=0.05), FMN(steps=500, step_size=0.2)])
def test_a_projection_gives_up_success_s_for_the_share_s_of_the_way(projection, pairs, solver):
    # rec is linear and idempotent: s(d) = 1 − ‖W(d − gap)‖/‖gap‖, and the smallest d for s is s · gap.
    source, target = posed(projection, pairs)
    result = attack(projection, source, target, Latent(), MinimumNorm(success=(0.3, 0.6)), solver, bounds=BOUNDS)
    gap = (target - source).flatten(1).norm(dim=1)
    expected = gap[:, None] * torch.tensor([0.3, 0.6], dtype=torch.float64)
    torch.testing.assert_close(result.distortion, expected, rtol=5e-3 if solver is not FEW else 1e-4, atol=0)
    assert (result.distortion >= expected * (1 - 1e-9)).all()  # nothing smaller exists
    assert torch.equal(result.objective, result.distortion)
    attacked = Attacked(result, assess(projection, result, samples=1))
    assert (attacked.success >= result.budget.values.double() - 1e-12).all()


class Curved(LinearModel):
    """The linear model with saturating means."""

    def encode(self, x, noise=None):
        (q,) = super().encode(x)
        return (Normal(torch.tanh(1.5 * q.base_dist.loc), q.base_dist.scale),)


@pytest.mark.parametrize("level", [0.3, 0.7])
def test_slsqp_of_scipy_finds_no_smaller_one(pairs, level):
    model = Curved(pixels=16, latents=3)
    model.w.data = torch.linalg.qr(model.w.data.T)[0].T.contiguous()
    source, target = posed(model, pairs)
    room = torch.stack([-0.12 - 0 * source, 0.12 + 0 * source]).flatten(2)  # tight: some pixels end at a bound
    bounds = (float((source.flatten(1) + room[0]).min()), float((source.flatten(1) + room[1]).max()))
    result = attack(model, source, target.clamp(*bounds), Output("l2"), MinimumNorm(level), FEW, bounds=bounds)
    posed_again = MissingSuccess(model, source, target.clamp(*bounds))
    for pair in range(2):
        index = torch.tensor([pair])

        def missing(d: np.ndarray, index: torch.Tensor = index) -> tuple[float, np.ndarray]:
            value, gradient = value_and_gradient(posed_again, torch.as_tensor(d)[None], index)
            return float(value), gradient[0].numpy()

        pixels = source[pair].flatten().numpy()
        limit = {
            "type": "ineq",
            "fun": lambda d, c=missing: 1 - level - c(d)[0],
            "jac": lambda d, c=missing: -c(d)[1],
        }
        start = 0.5 * (target.clamp(*bounds) - source)[pair].flatten().numpy()
        found = minimize(
            lambda d: (d @ d / 2, d),
            start,
            jac=True,
            method="SLSQP",
            bounds=list(zip(bounds[0] - pixels, bounds[1] - pixels, strict=True)),
            constraints=[limit],
            options={"ftol": 1e-12, "maxiter": 300},
        )
        assert found.success
        assert float(result.distortion[pair, 0]) == pytest.approx(np.linalg.norm(found.x), rel=2e-3)


def test_the_smallest_norm_is_not_above_the_f50_of_a_path(projection, pairs):
    source, target = posed(projection, pairs)
    path = attack(projection, source, target, Latent(), Penalty([0.1, 1.0, 10.0]), bounds=BOUNDS)
    followed = Attacked(path, assess(projection, path, samples=1))
    smallest = attack(projection, source, target, Latent(), MinimumNorm(), FEW, bounds=BOUNDS)
    relative = smallest.distortion[:, 0] / (target - source).flatten(1).norm(dim=1)
    assert (relative <= f50(followed.relative_distortion, followed.success) * (1 + 1e-4)).all()


def test_a_level_of_damage_has_its_closed_form(linear):
    # ‖WᵀW d‖ ≥ D needs ‖d‖ ≥ D/σ_max(WᵀW).
    source = torch.full((1, 1, 4, 4), 0.5, dtype=torch.float64)
    result = attack(linear, source, None, Damage(), MinimumNorm(discrepancy=(-0.4, -0.2)), FEW)
    largest = torch.linalg.matrix_norm(linear.w.detach().T @ linear.w.detach(), ord=2)
    expected = torch.tensor([[0.4, 0.2]], dtype=torch.float64) / largest
    torch.testing.assert_close(result.distortion, expected, rtol=1e-3, atol=0)
    assert (result.discrepancy <= result.budget.values.double() + 1e-12).all()


def test_what_cannot_be_reached_is_infinite_and_leaves_the_source(projection):
    source = torch.zeros(1, 1, 4, 4, dtype=torch.float64)
    beside = torch.linalg.qr(torch.cat([projection.w.detach(), torch.eye(16).double()]).T)[0].T[3]
    target = (0.5 * beside).view(1, 1, 4, 4)  # encoded to 0, as the source is: nothing to gain
    result = attack(projection, source, target, Latent(), MinimumNorm(), FEW, bounds=BOUNDS)
    assert result.distortion.isinf().all()
    assert result.status.tolist() == [[Status.UNREACHED]]
    assert torch.equal(result.adversarial[:, 0], source)
    assert "1 levels were not reached" in repr(result)


def test_a_smallest_norm_is_kept_on_disk(projection, pairs, tmp_path):
    source, target = posed(projection, pairs)
    result = attack(projection, source, target, Latent(), MinimumNorm(), FEW, bounds=BOUNDS)
    result.save(tmp_path, "small")
    again = type(result).load(tmp_path, "small")
    assert (again.budget.kind, again.budget.symbol) == ("success", "s")
    assert torch.equal(again.distortion, result.distortion)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"success": 0.0}, "above 0 and below 1"),
        ({"success": (0.5, 1.0)}, "above 0 and below 1"),
        ({"success": ()}, "success"),
        ({"discrepancy": float("nan")}, "discrepancy nan: must be"),
        ({"success": 0.3, "discrepancy": 1.0}, "give one of them"),
    ],
)
def test_bad_levels_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        MinimumNorm(**settings)


def test_parts_that_do_not_go_together_are_refused(linear):
    source = torch.full((1, 1, 4, 4), 0.5, dtype=torch.float64)
    with pytest.raises(InputError, match="damage has no success"):
        attack(linear, source, None, Damage(), MinimumNorm())
    with pytest.raises(InputError, match=r"use Continuation\(\)"):
        attack(linear, source, 0.5 * source, Latent(), Penalty(), DDN())
    with pytest.raises(InputError, match="rounds: 0 is not between 1 and 90"):
        Shrinking(rounds=0)
