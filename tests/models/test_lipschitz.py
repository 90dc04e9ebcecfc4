"""Constants that are certified: nothing random, trained or attacked exceeds them, and they are not idle."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.models import HierarchicalVAE, build
from seatbelt_vae.models.orthonormal import ROUNDING, OrthonormalLinear, SortedPairs, orthonormalised
from seatbelt_vae.objectives import ELBO

SHAPE = (1, 8, 8)


def trained(steps: int = 30, likelihood: str = "bernoulli") -> HierarchicalVAE:
    """A small model whose weights have moved."""
    torch.manual_seed(0)
    arguments: dict[str, Any] = {"latent_sizes": (4,), "hidden_sizes": (16, 16), "constants": (2.0, 1.5, 12.0)}
    model = build("lipschitz-vae", SHAPE, network="mlp", likelihood=likelihood, **arguments).train()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    x = (torch.rand(32, 1, 8, 8) > 0.5).float() * torch.linspace(0, 1, 8)
    for _ in range(steps):
        optimiser.zero_grad()
        ELBO()(model(x), x, 32).loss.backward()
        optimiser.step()
    return model.eval().requires_grad_(False)


def moved(model: HierarchicalVAE, x: Tensor, other: Tensor) -> dict[str, Tensor]:
    """How far mean, scale and reconstruction move for each unit that the image does."""
    length = (other - x).flatten(1).norm(dim=1)
    q, p = model.encode(x)[0], model.encode(other)[0]
    change = (model.reconstruct(other) - model.reconstruct(x)).flatten(1).norm(dim=1)
    return {
        "mean": (p.loc - q.loc).norm(dim=1) / length,
        "scale": (p.scale - q.scale).norm(dim=1) / length,
        "reconstruction": change / length,
    }


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_ten_thousand_random_pairs_stay_below_every_constant(likelihood: str) -> None:
    model = trained(likelihood=likelihood)
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(10_000, *SHAPE, generator=generator)
    for size in (1e-3, 0.1, 1.0):
        other = x + size * torch.randn(x.shape, generator=generator)
        for name, ratio in moved(model, x, other).items():
            assert float(ratio.max()) <= getattr(model.lipschitz, name), name


@pytest.mark.parametrize("name", ["mean", "scale", "reconstruction"])
def test_attacked_pairs_stay_below_every_constant(name: str) -> None:
    """Adam climbs the ratio itself, image and distortion free; it ends far above random pairs."""
    model = trained()
    generator = torch.Generator().manual_seed(2)
    x = torch.rand(200, *SHAPE, generator=generator)
    d = 0.1 * torch.randn(x.shape, generator=generator)
    random = moved(model, x, x + d)[name]
    x.requires_grad_()
    d.requires_grad_()
    optimiser = torch.optim.Adam([x, d], lr=1e-2)
    for _ in range(300):
        optimiser.zero_grad()
        (-moved(model, x, x + d)[name].sum()).backward()
        optimiser.step()
    attacked = moved(model, x.detach(), (x + d).detach())[name]
    assert float(attacked.max()) <= getattr(model.lipschitz, name)
    assert float(attacked.max()) > 1.5 * float(random.max())


def test_attacks_of_the_library_stay_below_it_too() -> None:
    from seatbelt_vae.models.modes import evaluating
    from seatbelt_vae.objectives.perturbation import Ball, worst_case

    model, x = trained(), torch.rand(50, *SHAPE, generator=torch.Generator().manual_seed(3))
    ball = Ball(x, torch.full((50, 1), 0.5), (0.0, 1.0))
    with evaluating(model):
        worst = worst_case(model, ball, torch.Generator().manual_seed(0), steps=30, target="reconstruction")
        damage = (model.reconstruct(worst) - model.reconstruct(x)).flatten(1).norm(dim=1)
    assert float(damage.max()) <= model.lipschitz.reconstruction * 0.5


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 24),
    st.integers(1, 24),
    st.floats(-4, 4),
    st.floats(0, 3),
    st.floats(-5, 5),
    st.integers(0, 2**16),
)
def test_no_singular_value_is_above_one(
    rows: int, columns: int, size: float, spread: float, shift: float, seed: int
) -> None:
    """Of any matrix: large, small, of low rank nearly, far from orthonormal."""
    generator = torch.Generator().manual_seed(seed)
    weight = 10**size * torch.randn(rows, columns, generator=generator)
    weight = weight * torch.logspace(-spread, spread, rows)[:, None] + shift
    found = torch.linalg.svdvals(orthonormalised(weight).double())
    assert float(found.max()) <= 1 + ROUNDING


def test_it_is_the_orthonormal_factor_of_the_polar_decomposition() -> None:
    """By scipy, for matrices that are not far from orthonormal, tall and wide."""
    from scipy.linalg import polar

    generator = torch.Generator().manual_seed(0)
    for rows, columns in ((6, 6), (4, 9), (9, 4)):
        weight = torch.eye(rows, columns) + 0.1 * torch.randn(rows, columns, generator=generator)
        expected = torch.tensor(polar(weight.numpy())[0])
        torch.testing.assert_close(orthonormalised(weight, iterations=12), expected, atol=1e-5, rtol=0)


def test_a_matrix_of_zeros_stays_one() -> None:
    assert torch.equal(orthonormalised(torch.zeros(3, 4)), torch.zeros(3, 4))


def test_sorted_pairs_keep_every_norm_and_every_gradient() -> None:
    x = torch.randn(7, 12, generator=torch.Generator().manual_seed(0), requires_grad=True)
    y = SortedPairs()(x)
    torch.testing.assert_close(y.norm(dim=1), x.norm(dim=1))
    assert (y[:, 0::2] <= y[:, 1::2]).all()
    direction = torch.randn(7, 12, generator=torch.Generator().manual_seed(1))
    (gradient,) = torch.autograd.grad((y * direction).sum(), x)
    torch.testing.assert_close(gradient.norm(dim=1), direction.norm(dim=1))


def test_one_layer_reaches_its_constant() -> None:
    """Along a row of its matrix a layer keeps every distance."""
    layer = OrthonormalLinear(9, 4).requires_grad_(False)
    along = layer.matrix[1]
    assert float((layer(3 * along) - layer(along)).norm()) == pytest.approx(2 * float(along.norm()), rel=1e-4)


def test_half_precision_does_not_loosen_a_layer() -> None:
    layer = OrthonormalLinear(16, 8).requires_grad_(False)
    x, other = torch.rand(100, 16), torch.rand(100, 16)
    with torch.autocast("cpu", torch.bfloat16):
        change = layer(other) - layer(x)
    assert change.dtype == torch.float32
    assert float((change.norm(dim=1) / (other - x).norm(dim=1)).max()) <= 1 + ROUNDING


def test_a_kept_matrix_follows_its_weight() -> None:
    layer = OrthonormalLinear(5, 4).eval().requires_grad_(False)
    first = layer.matrix
    assert layer.matrix is first
    with torch.no_grad():
        layer.weight.copy_(torch.eye(4, 5))
    torch.testing.assert_close(layer.matrix, torch.eye(4, 5))
    layer.load_state_dict({"weight": -torch.eye(4, 5), "bias": torch.zeros(4)})
    torch.testing.assert_close(layer.matrix, -torch.eye(4, 5))


def test_it_is_saved_with_its_constants(tmp_path: Path) -> None:
    model = trained(steps=3)
    model.save_pretrained(tmp_path)
    loaded = HierarchicalVAE.from_pretrained(tmp_path)
    x = torch.rand(4, *SHAPE)
    assert loaded.lipschitz == model.lipschitz
    assert torch.equal(loaded.reconstruct(x), model.reconstruct(x))
    assert model.lipschitz.reconstruction == pytest.approx(2.0 * 12.0 / 4, rel=1e-3)
    assert build("vae", (1, 28, 28)).lipschitz is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"constants": (1.0, 1.0)}, "constants .*: must be three positive numbers"),
        ({"constants": (1.0, 0.0, 1.0)}, "must be three positive numbers"),
        ({"constants": "abc"}, "must be three positive numbers"),
        ({"constants": (1.0, float("nan"), 1.0)}, "must be three positive numbers"),
        ({"hidden_sizes": (7,)}, "hidden_sizes: 7 is odd"),
        ({"latent_sizes": (4, 2)}, "layers: lipschitz-vae has one layer, not 2"),
        ({"network": "conv"}, "network 'conv': must be one of mlp"),
        ({"likelihood": "logistic-mixture"}, "likelihood 'logistic-mixture': must be one of bernoulli"),
    ],
)
def test_what_cannot_be_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        build("lipschitz-vae", SHAPE, **arguments)
