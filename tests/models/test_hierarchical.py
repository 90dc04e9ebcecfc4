"""The model class: noise, dtypes, reconstruction; and the Gaussian conditional that it is made of."""

import math

import pytest
import torch
from torch import Tensor, nn

from seatbelt_vae.models import GaussianConditional, HierarchicalVAE, seatbelt_vae
from seatbelt_vae.models.conditional import LOG_SCALE_LIMIT, standard_normal
from tests.tiny import network

SHAPE, SIZES = (3, 5, 7), (4, 2)


@pytest.fixture
def model() -> HierarchicalVAE:
    torch.manual_seed(0)
    return seatbelt_vae(SHAPE, SIZES, network=network(SHAPE, 6), hidden_sizes=(8,)).eval()


class Fixed(nn.Module):
    def __init__(self, output: Tensor) -> None:
        super().__init__()
        self.output = output

    def forward(self, context: Tensor) -> Tensor:
        return self.output


def test_conditional_reads_location_first_and_then_the_bounded_log_scale() -> None:
    output = torch.tensor([[1.0, -2.0, 0.5, -3.0]], dtype=torch.float64)
    q = GaussianConditional(Fixed(output))(torch.zeros(1, 1))
    assert torch.equal(q.loc, output[:, :2])
    assert torch.allclose(q.scale.log(), 7 * torch.tanh(output[:, 2:] / 7), atol=1e-14)


def test_scales_stay_positive_and_finite_at_any_weight() -> None:
    output = torch.tensor([[0.0, 0.0, -1e9, 1e9]], requires_grad=True)
    q = GaussianConditional(Fixed(output))(torch.zeros(1, 1))
    assert torch.allclose(q.scale.log(), torch.tensor([[-LOG_SCALE_LIMIT, LOG_SCALE_LIMIT]]))
    (gradient,) = torch.autograd.grad(q.scale.sum(), output)
    assert torch.isfinite(gradient).all()


def test_log_scale_is_free_where_training_visits() -> None:
    """To 3 % in slope for σ from e^-1 to e, so that a trained σ is what the network says."""
    s = torch.linspace(-1, 1, 21, dtype=torch.float64, requires_grad=True)
    log_scale = GaussianConditional(Fixed(torch.stack([s * 0, s], dim=1)))(torch.zeros(1, 1)).scale.log().flatten()
    (slope,) = torch.autograd.grad(log_scale.sum(), s)
    assert slope.min() > 0.97
    assert (log_scale - s).abs().max() < 0.01


def test_standard_normal() -> None:
    p = standard_normal(torch.full((2, 3), 9.0, dtype=torch.float64))
    assert p.log_prob(torch.zeros(2, 3)).sum().item() == pytest.approx(-3 * math.log(2 * math.pi))


def test_noise_has_the_latents_shapes_and_is_a_function_of_the_generator(model: HierarchicalVAE) -> None:
    first, second = [model.draw_noise(5, torch.Generator().manual_seed(3)) for _ in range(2)]
    assert [tuple(eps.shape) for eps in first] == [(5, size) for size in SIZES]
    assert all(map(torch.equal, first, second))
    assert not torch.equal(first[0], model.draw_noise(5)[0])
    assert model.double().draw_noise(2)[0].dtype == torch.float64


def test_noise_is_standard_normal(model: HierarchicalVAE) -> None:
    for eps in model.draw_noise(40_000, torch.Generator().manual_seed(0)):
        assert eps.mean(0).abs().max() < 4 / 200
        assert (eps.var(0) - 1).abs().max() < 0.04


def test_fresh_noise_for_every_pass(model: HierarchicalVAE) -> None:
    x = torch.rand(2, *SHAPE)
    assert not torch.equal(model(x).z[0], model(x).z[0])


def test_a_double_model_is_double_throughout(model: HierarchicalVAE) -> None:
    assert model.draw_noise(2)[0].dtype == torch.float32
    encoding = model.double()(torch.rand(2, *SHAPE, dtype=torch.float64))
    assert {z.dtype for z in encoding.z} == {torch.float64}
    assert encoding.likelihood.mean.dtype == torch.float64


def test_reconstruct_decodes_the_means(model: HierarchicalVAE) -> None:
    x = torch.rand(2, *SHAPE)
    expected = model.decode([q.loc for q in model.encode(x)]).mean
    assert torch.equal(model.reconstruct(x), expected)
    assert torch.equal(model.reconstruct(x), model.reconstruct(x))
    assert expected.shape == x.shape


def test_forward_is_posterior_prior_and_likelihood(model: HierarchicalVAE) -> None:
    x, noise = torch.rand(2, *SHAPE), model.draw_noise(2)
    encoding = model(x, noise)
    assert torch.equal(encoding.likelihood.log_prob(x), model.decode(encoding.z).log_prob(x))
    for a, b in zip(encoding.p, model.prior(encoding.z), strict=True):
        assert torch.equal(a.loc, b.loc)
    assert torch.equal(encoding.p[-1].loc, torch.zeros(2, 2))
    assert torch.equal(encoding.p[-1].scale, torch.ones(2, 2))
    assert encoding.others is None


def test_densities_leave_half_precision(model: HierarchicalVAE) -> None:
    x = torch.rand(2, *SHAPE)
    with torch.autocast("cpu", torch.bfloat16):
        encoding = model(x)
    assert {q.loc.dtype for q in encoding.q} | {q.scale.dtype for q in encoding.q} == {torch.float32}
    assert encoding.likelihood.log_prob(x).dtype == torch.float32
    assert model.latent_sizes == SIZES
