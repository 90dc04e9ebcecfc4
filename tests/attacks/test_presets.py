"""Presets find the minimum of their paper's objective: on linear models it is on a curve with one parameter."""

import math
from dataclasses import dataclass, replace

import pytest
import torch
from scipy.optimize import brentq, minimize_scalar
from torch import Tensor

from seatbelt_vae.attacks import PRESETS, Penalty, attack


@dataclass
class Quadratic:
    """r(d) = ‖J d − e‖²: its minimisers at any price of ‖d‖ are d(μ) = (JᵀJ + μI)⁻¹ Jᵀe for some μ ≥ 0."""

    jacobian: Tensor
    residual: Tensor

    def d(self, log_mu: float) -> Tensor:
        hessian = self.jacobian.T @ self.jacobian
        eye = torch.eye(len(hessian), dtype=hessian.dtype)
        return torch.linalg.solve(hessian + 10**log_mu * eye, self.jacobian.T @ self.residual)

    def __call__(self, d: Tensor) -> float:
        return (self.jacobian @ d - self.residual).square().sum().item()

    def least(self, lam: float, power: int) -> float:
        """The minimum of r + λ‖d‖ᵖ by a search over μ."""
        f = lambda log_mu: self(self.d(log_mu)) + lam * self.d(log_mu).norm().item() ** power  # noqa: E731
        return minimize_scalar(f, bounds=(-7, 7), method="bounded", options={"xatol": 1e-10}).fun

    def least_inside(self, radius: float) -> float:
        """The minimum of r over ‖d‖ ≤ ε, which is met where d(μ) leaves the ball."""
        assert self.d(-7).norm() > radius
        return self(self.d(brentq(lambda log_mu: self.d(log_mu).norm().item() - radius, -7, 7, xtol=1e-12)))


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(3)
    return 0.5 + 0.3 * (torch.rand(2, 1, 1, 4, 4, generator=generator, dtype=torch.float64) - 0.5)


@pytest.fixture
def soft(linear):
    """The linear model with weights such that no minimiser touches the bounds."""
    linear.w.data *= 0.25
    return linear


def quadratic(name, model, source, target):
    """The preset's r as its paper writes it, from the model's weights."""
    w, scale = model.w.detach(), model.scale.detach()
    gap = (w @ (target - source).flatten())[:, None]
    if name in ("paper", "tabacof"):  # KL of equal scales: ½ ‖(W d − gap)/σ‖²
        return Quadratic(w / scale / math.sqrt(2), (gap / scale / math.sqrt(2))[:, 0])
    if name == "kuzina":  # KL both ways
        return Quadratic(w / scale, (gap / scale)[:, 0])
    if name == "kos":  # ‖μ(x + d) − μ(x_t)‖²
        return Quadratic(w, gap[:, 0])
    decode = w.T @ w  # gondim-ribeiro: ‖rec(x + d) − x_t‖²
    return Quadratic(decode, target.flatten() - decode @ source.flatten())


@pytest.mark.parametrize("lam", [0.2, 0.6])
@pytest.mark.parametrize(("name", "power"), [("paper", 1), ("tabacof", 2), ("gondim-ribeiro", 2), ("kos", 2)])
def test_penalised_presets_find_the_minimum_of_a_one_dimensional_search(soft, images, name, power, lam):
    source, target = images
    objective, budget, solver = PRESETS[name]
    result = attack(soft, source, target, objective, replace(budget, lambdas=[lam]), solver)
    assert result.adversarial.min() > 0
    assert result.adversarial.max() < 1
    expected = quadratic(name, soft, source, target).least(result.budget.values.double().item(), power)
    assert result.objective.item() == pytest.approx(expected, rel=1e-5, abs=1e-12)


@pytest.mark.parametrize("radius", [0.01, 0.05])
def test_kuzina_finds_the_minimum_inside_the_ball(soft, images, radius):
    source, target = images
    objective, budget, solver = PRESETS["kuzina"]
    result = attack(soft, source, target, objective, replace(budget, radii=[radius]), solver)
    expected = quadratic("kuzina", soft, source, target).least_inside(result.budget.values.double().item())
    assert result.objective.item() == pytest.approx(expected, rel=1e-5)


def test_camuto_finds_the_largest_damage(soft, images):
    # max ‖WᵀW d‖ over ‖d‖ ≤ ε is ε times the largest singular value.
    objective, budget, solver = PRESETS["camuto"]
    result = attack(soft, images[0], None, objective, replace(budget, radii=[0.05, 0.1]), solver)
    largest = torch.linalg.matrix_norm(soft.w.detach().T @ soft.w.detach(), ord=2)
    torch.testing.assert_close(-result.objective[0], largest * result.budget.values.double(), rtol=1e-5, atol=0)


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_runs(hierarchy, name):
    source, target = torch.rand(2, 1, 1, 28, 28, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    objective, budget, solver = PRESETS[name]
    if isinstance(budget, Penalty):
        budget = replace(budget, lambdas=[0.0, 1.0])
    given = target if objective.targeted else None
    result = attack(hierarchy, source, given, objective, budget, replace(solver, max_iterations=3))
    assert torch.isfinite(result.objective).all()
    assert result.settings["objective"]["name"] == objective.name
    assert result.settings["solver"] == {**solver.settings(), "max_iterations": 3}


def test_tabacofs_grid_is_a_hundred_powers_of_two():
    grid = PRESETS["tabacof"].budget.grid().values
    torch.testing.assert_close(grid.log2(), torch.linspace(-20, 20, 100))


def test_kos_does_not_depend_on_the_unit_of_the_latents(linear, images):
    source, target = images
    objective, budget, solver = PRESETS["kos"]
    found = []
    for unit in (1.0, 1e-2):
        model = type(linear)(pixels=16, latents=3)
        model.w.data *= unit
        found.append(attack(model, source, target, objective, replace(budget, lambdas=[0.0]), solver))
    torch.testing.assert_close(found[1].distortion, found[0].distortion, rtol=1e-3, atol=0)
    assert (found[1].distortion > 0.01).all()
