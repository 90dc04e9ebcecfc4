"""Smoothed kinks: the parabola, and that nothing else changes."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seatbelt_vae.attacks import Cold, Continuation, Latent, Output, Penalty, attack
from seatbelt_vae.attacks.evaluation.smoothing import Kinks
from seatbelt_vae.attacks.setup import prepare
from seatbelt_vae.models import HierarchicalVAE, seatbelt_vae, vae
from seatbelt_vae.optim import PathSettings, Problem, follow_path
from seatbelt_vae.optim.problem import value_and_gradient
from tests.attacks.conftest import LinearModel


@pytest.mark.parametrize("activation", [nn.ReLU(), nn.LeakyReLU(0.2)])
class TestTheParabola:
    @staticmethod
    def smoothed(activation: nn.Module, z: Tensor, *width: float) -> Tensor:
        widths = torch.tensor(width, dtype=z.dtype)
        with Kinks(lambda number, kink: kink.smoothed(widths)):
            out: Tensor = activation(z)
        return out

    def test_gradient(self, activation: nn.Module) -> None:
        z = torch.linspace(-2, 2, 13, dtype=torch.float64).expand(2, 13).clone().requires_grad_()
        assert torch.autograd.gradcheck(lambda z: self.smoothed(activation, z, 0.3, 1.0), z)

    def test_it_is_the_activation_beyond_the_width_and_a_quarter_of_it_above_at_the_kink(
        self, activation: nn.Module
    ) -> None:
        z = torch.linspace(-2, 2, 401, dtype=torch.float64)[None]
        gap = self.smoothed(activation, z, 0.5) - activation(z)
        share = 1 - getattr(activation, "negative_slope", 0.0)
        assert (gap[z.abs() >= 0.5].abs() <= 1e-12).all()
        assert gap.max() == gap[0, 200] == pytest.approx(share * 0.5 / 4)
        assert gap.min() >= -1e-15

    def test_at_width_0_it_is_the_activation_and_its_gradient_to_the_bit(self, activation: nn.Module) -> None:
        z = torch.tensor([[-3.0, -1e-30, 0.0, 1e-10, 2.0]])
        ours, its = z.clone().requires_grad_(), z.clone().requires_grad_()
        self.smoothed(activation, ours, 0.0).sum().backward()
        activation(its).sum().backward()
        assert torch.equal(self.smoothed(activation, z, 0.0), activation(z))
        torch.testing.assert_close(ours.grad, its.grad, rtol=1e-6, atol=0)

    def test_where_values_are_kept_only_the_gradient_is_smoothed(self, activation: nn.Module) -> None:
        z = torch.linspace(-2, 2, 13, dtype=torch.float64)[None]
        ours, its = z.clone().requires_grad_(), z.clone().requires_grad_()
        with Kinks(lambda number, kink: kink.smoothed(torch.tensor([0.5]), keep_values=True)):
            kept = activation(ours)
        kept.sum().backward()
        self.smoothed(activation, its, 0.5).sum().backward()
        assert torch.equal(kept, activation(z))
        assert torch.equal(ours.grad, its.grad)


def problem_of(name: str, images: Tensor, hierarchy: HierarchicalVAE) -> Problem:
    torch.manual_seed(0)
    model = vae((1, 28, 28), (4,)).double().eval() if name == "conv" else hierarchy
    objective = {"paths": Latent(samples=2), "output": Output(samples=4)}.get(name, Latent())
    return prepare(model, images, images.flip(0), objective).problem


@pytest.mark.parametrize("name", ["conv", "hierarchy", "paths", "output"])
class TestOfAModel:
    @pytest.fixture
    def problem(self, name: str, images: Tensor, hierarchy: HierarchicalVAE) -> Problem:
        return problem_of(name, images, hierarchy)

    def test_each_row_has_its_own_width(self, problem: Problem) -> None:
        assert problem.smoothed is not None
        pairs = torch.tensor([0, 1, 1, 3])
        d = 0.1 * torch.randn(4, 784, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        width = torch.tensor([0.0, 0.5, 0.0, 2.0])
        together = problem.smoothed(d, pairs, width)
        alone = torch.cat([problem.smoothed(d[i : i + 1], pairs[i : i + 1], width[i : i + 1]) for i in range(4)])
        plain = problem.fun(d, pairs)
        torch.testing.assert_close(together, alone, rtol=1e-10, atol=0)
        torch.testing.assert_close(together[[0, 2]], plain[[0, 2]], rtol=1e-10, atol=0)
        assert ((together - plain)[[1, 3]].abs() > 1e-8).all()

    def test_it_becomes_the_objective_as_the_width_falls(self, problem: Problem) -> None:
        assert problem.smoothed is not None
        pairs, d = torch.arange(4), torch.zeros(4, 784, dtype=torch.float64)
        gaps = [(problem.smoothed(d, pairs, torch.full((4,), w)) - problem.fun(d, pairs)).abs() for w in (0.1, 1e-3)]
        assert gaps[1].sum() < 0.05 * gaps[0].sum()

    def test_afterwards_the_model_is_itself(self, problem: Problem) -> None:
        assert problem.smoothed is not None
        pairs, d = torch.arange(4), torch.zeros(4, 784, dtype=torch.float64)
        before = problem.fun(d, pairs)
        problem.smoothed(d, pairs, torch.ones(4))
        assert torch.equal(problem.fun(d, pairs), before)


def test_the_unit_of_the_width_is_the_size_of_a_layers_inputs(images: Tensor) -> None:
    def smoothed(size: float) -> Tensor:
        torch.manual_seed(0)
        model = vae((1, 28, 28), (4,), network="tiny").double().eval()
        first, second = (layer for layer in model.posterior.features[1] if isinstance(layer, nn.Linear))
        with torch.no_grad():
            first.weight *= size
            first.bias *= size
            second.weight /= size
        problem = prepare(model, images, images.flip(0)).problem
        assert problem.smoothed is not None
        return problem.smoothed(problem.x0, torch.arange(4), torch.full((4,), 0.3))

    torch.testing.assert_close(smoothed(1e3), smoothed(1.0), rtol=1e-9, atol=0)


def test_no_pair_feels_another(images: Tensor) -> None:
    torch.manual_seed(0)
    model = vae((1, 28, 28), (4,), network="tiny").double().eval()
    parts = Latent(), Penalty([0.1, 1.0, 10.0]), Continuation(30)
    together = attack(model, images, images.flip(0), *parts)
    alone = attack(model, images[2:3], images.flip(0)[2:3], *parts)
    torch.testing.assert_close(together.objective[2:3], alone.objective, rtol=1e-6, atol=1e-8)


class Foreign(LinearModel):
    """With an activation of its own kind before the latents."""

    def __init__(self, activate: Callable[[Tensor], Tensor]) -> None:
        super().__init__(pixels=16, latents=3)
        self.activate = activate

    def encode(self, x: Tensor, noise: object = None):
        (q,) = super().encode(x)
        return (q.__class__(q.base_dist.__class__(self.activate(q.mean), q.base_dist.scale), 2),)


class AcrossRows(nn.Module):
    """ReLU of maps that have the batch second."""

    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()

    def forward(self, z: Tensor) -> Tensor:
        return self.relu(z.transpose(0, 1)).transpose(0, 1)


class Flattened(AcrossRows):
    """ReLU of batch and latents in one dimension, the latents first."""

    def forward(self, z: Tensor) -> Tensor:
        return self.relu(z.transpose(0, 1).flatten(0, 1)).view(z.shape[1], z.shape[0], -1).transpose(0, 1)


WRITTEN = {
    "nn.ReLU": nn.ReLU(),
    "nn.ReLU in place": nn.ReLU(inplace=True),
    "F.relu": F.relu,
    "torch.relu": torch.relu,
    "x.relu": Tensor.relu,
    "x.clamp": lambda x: x.clamp(min=0),
    "torch.clamp": lambda x: torch.clamp(x, 0.0),
    "x.clamp_min": lambda x: x.clamp_min(0),
}


@pytest.fixture
def pictures() -> Tensor:
    return torch.rand(5, 1, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", WRITTEN)
def test_relu_is_smoothed_however_it_is_written(name: str, pictures: Tensor) -> None:
    d = 0.1 * torch.randn(5, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    width = torch.tensor([0.0, 0.3, 0.1, 1.0, 0.0])
    values = []
    for activate in (nn.ReLU(), WRITTEN[name]):
        smoothed = prepare(Foreign(activate), pictures, pictures.flip(0)).problem.smoothed
        assert smoothed is not None
        values.append(smoothed(d, torch.arange(5), width))
    assert torch.equal(values[0], values[1])


def test_leaky_relu_is_smoothed_as_a_function_and_as_a_module(pictures: Tensor) -> None:
    values = []
    for activate in (nn.LeakyReLU(0.3), lambda x: F.leaky_relu(x, 0.3), lambda x: F.leaky_relu(x, negative_slope=0.3)):
        smoothed = prepare(Foreign(activate), pictures, pictures.flip(0)).problem.smoothed
        assert smoothed is not None
        values.append(smoothed(torch.zeros(5, 16).double(), torch.arange(5), torch.full((5,), 0.4)))
    assert torch.equal(values[0], values[1])
    assert torch.equal(values[0], values[2])


def test_an_attack_does_not_depend_on_how_relu_is_written(pictures: Tensor) -> None:
    penalty = Penalty([0.01, 0.1, 1.0])
    module, function = (
        attack(Foreign(activate), pictures, pictures.flip(0), budget=penalty) for activate in (nn.ReLU(), torch.relu)
    )
    torch.testing.assert_close(function.objective, module.objective, rtol=1e-3, atol=1e-9)
    assert function.settings["smoothed"]


def no_kink(x: Tensor) -> Tensor:
    return x.clamp(0, 1) + x.clamp(min=-1) + x.clamp(max=0) + torch.relu_(x.clone())


TRACED = torch.jit.trace(nn.Sequential(nn.ReLU()), torch.zeros(1, 3, 1, dtype=torch.float64))


@pytest.mark.parametrize("activate", [nn.GELU(), AcrossRows(), Flattened(), no_kink, TRACED])
def test_what_cannot_be_smoothed_row_by_row_stays_as_it_is(
    activate: Callable[[Tensor], Tensor], pictures: Tensor
) -> None:
    problem = prepare(Foreign(activate), pictures, pictures.flip(0)).problem
    assert problem.smoothed is None
    found = attack(Foreign(activate), pictures, pictures.flip(0), budget=Penalty([0.1, 1.0]))
    assert found.objective.isfinite().all()
    assert not found.settings["smoothed"]


def test_a_solver_that_does_not_smooth_says_so(pictures: Tensor) -> None:
    found = attack(Foreign(nn.ReLU()), pictures, pictures.flip(0), budget=Penalty([0.1]), solver=Cold(3))
    assert not found.settings["smoothed"]


def test_calls_have_widths_of_their_own() -> None:
    relu = nn.ReLU()
    seen = []
    with Kinks(lambda number, kink: seen.append((number, float(kink.z)))):
        relu(relu(torch.tensor(3.0)) - 1)
    assert seen == [(0, 3.0), (1, 2.0)]
    assert relu(torch.tensor(-1.0)) == 0


def test_lower_values_where_creases_are(images: Tensor) -> None:
    """With and without, on a network that is all creases."""
    torch.manual_seed(0)
    model = seatbelt_vae((1, 28, 28), latent_sizes=(5, 4), network="tiny").double().eval()  # float32 rounds r by 1e-4
    with torch.no_grad():
        for layer in model.modules():
            if isinstance(layer, nn.Linear):
                layer.weight *= 3
    problem = prepare(model, images[:2], images[2:]).problem
    slope = value_and_gradient(problem.fun, 0 * problem.x0, torch.arange(2))[1].norm(dim=1).min()
    grid = slope * 2.0 ** torch.arange(-9.0, -3.0)
    settings = PathSettings(max_iterations=60, deep=1)
    plain = follow_path(replace(problem, smoothed=None, chunk=None), grid, settings)
    found = follow_path(replace(problem, chunk=None), grid, settings)
    assert (found.objective / plain.objective).log().mean() < -1e-3
    d = found.x.flatten(0, 1)
    value = problem.fun(d, torch.arange(2).repeat_interleave(len(grid))).double()
    torch.testing.assert_close(found.discrepancy.flatten(), value, rtol=1e-4, atol=1e-5)
