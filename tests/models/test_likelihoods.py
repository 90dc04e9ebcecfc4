"""Each likelihood sums or integrates to 1 on its domain, has the right mean, and stays finite at the extremes."""

import math
from typing import Any

import pytest
import torch
from scipy.integrate import quad
from torch import Tensor
from torch.distributions import Distribution, Laplace, Normal

from seatbelt_vae.errors import InputError
from seatbelt_vae.models import LIKELIHOODS
from seatbelt_vae.models.distributions import ContinuousBernoulli, DiscretisedLogisticMixture
from seatbelt_vae.models.likelihoods import GaussianLikelihood, LaplaceLikelihood, PixelLikelihood

PARAMETERS = [-300.0, -50.0, -17.0, -2.0, -0.3, -1e-3, 0.0, 0.1, 0.399, 0.401, 1.5, 40.0, 300.0]
LEVELS = (torch.arange(256, dtype=torch.float64) / 255).view(256, 1, 1, 1)


def pixel(name: str, *maps: float) -> Distribution:
    """The distribution of a single grey pixel from its maps, in float64."""
    likelihood: PixelLikelihood = LIKELIHOODS[name]().double()
    values = torch.tensor(maps, dtype=torch.float64)
    values = values.repeat_interleave(likelihood.maps_per_channel // len(maps))
    return likelihood(values.view(1, -1, 1, 1))


def density(p: Distribution, x: float) -> float:
    return float(p.log_prob(torch.full((1, 1, 1, 1), x, dtype=torch.float64)).detach().exp())


def integral(p: Distribution, low: float, high: float, power: int = 0, points: tuple[float, ...] = ()) -> float:
    return quad(lambda x: x**power * density(p, x), low, high, points=points, limit=300, epsabs=1e-11, epsrel=1e-11)[0]


@pytest.mark.parametrize("logit", PARAMETERS)
def test_bernoulli_sums_to_one_over_both_values(logit: float) -> None:
    p = pixel("bernoulli", logit)
    assert density(p, 0.0) + density(p, 1.0) == pytest.approx(1.0, abs=1e-12)
    assert float(p.mean) == pytest.approx(density(p, 1.0), abs=1e-12)


@pytest.mark.parametrize("logit", PARAMETERS)
def test_continuous_bernoulli_integrates_to_one(logit: float) -> None:
    """Also where torch's own does not: 50 in float32, 300 in float64."""
    p, knee = pixel("continuous-bernoulli", logit), 5 / max(abs(logit), 10)
    points = (knee, 1 - knee)
    assert integral(p, 0, 1, points=points) == pytest.approx(1.0, abs=1e-8)
    assert float(p.mean) == pytest.approx(integral(p, 0, 1, power=1, points=points), abs=1e-8)


def test_continuous_bernoulli_is_torchs_where_that_is_right() -> None:
    logits, x = torch.linspace(-12, 12, 97, dtype=torch.float64), torch.rand(97, dtype=torch.float64)
    ours = ContinuousBernoulli(logits)
    theirs = torch.distributions.ContinuousBernoulli(logits=logits, lims=(0.4999, 0.5001))
    assert torch.allclose(ours.log_prob(x), theirs.log_prob(x), atol=1e-9)
    assert torch.allclose(ours.mean, theirs.mean, atol=1e-9)


def test_continuous_bernoulli_is_smooth_across_its_series() -> None:
    """Value and first derivative agree on both sides of |η| = 0.4, and at 0, where the closed form has none."""
    values = [0.4 - 1e-12, 0.4 + 1e-12, -0.4 + 1e-12, -0.4 - 1e-12, 0.0]
    logits = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    p = ContinuousBernoulli(logits)
    for quantity in (p.log_prob(torch.full_like(logits, 0.3)), p.mean):
        (slope,) = torch.autograd.grad(quantity.sum(), logits, retain_graph=True)
        for a, b in ((0, 1), (2, 3)):
            assert torch.isclose(quantity[a], quantity[b], rtol=0, atol=1e-11)
            assert torch.isclose(slope[a], slope[b], rtol=0, atol=1e-8)
        assert torch.isfinite(slope).all()
    assert torch.autograd.gradcheck(lambda eta: ContinuousBernoulli(eta).mean, logits[[0, 4]].detach().requires_grad_())


@pytest.mark.parametrize("loc", [-3.0, 0.0, 0.4, 50.0])
@pytest.mark.parametrize("name", ["gaussian", "gaussian-scalar", "laplace"])
def test_densities_integrate_to_one(name: str, loc: float) -> None:
    p = pixel(name, loc)
    points = (loc,)
    assert integral(p, loc - 8, loc + 8, points=points) == pytest.approx(1.0, abs=1e-8)
    assert integral(p, loc - 8, loc + 8, power=1, points=points) == pytest.approx(loc, abs=1e-7)
    assert float(p.mean.detach()) == loc


@pytest.mark.parametrize("unbounded", [-300.0, -3.0, 0.0, 2.0, 300.0])
def test_learned_variances_integrate_to_one(unbounded: float) -> None:
    p = pixel("gaussian-pixel", 0.4, unbounded)
    scale = math.exp(3.5 * math.tanh(unbounded / 7))
    points = tuple(0.4 + scale * k for k in (-3, -1, 0, 1, 3))
    assert integral(p, 0.4 - 12 * scale, 0.4 + 12 * scale, points=points) == pytest.approx(1.0, abs=1e-8)


@pytest.mark.parametrize("logits", [0.0, 5.0, -40.0])
@pytest.mark.parametrize("offset", [-30.0, -0.7, 0.0, 0.35, 30.0])
@pytest.mark.parametrize("unbounded", [-300.0, -6.0, -2.0, 0.0, 3.0, 300.0])
def test_logistic_mixture_sums_to_one_over_the_grey_levels(logits: float, offset: float, unbounded: float) -> None:
    p = pixel("logistic-mixture", logits, offset, unbounded)
    probabilities = p.log_prob(LEVELS).exp()
    assert float(probabilities.sum()) == pytest.approx(1.0, abs=1e-10)
    enumerated = float((probabilities * LEVELS.flatten()).sum())
    assert float(p.mean) == pytest.approx(enumerated, abs=1 / 500)


def test_logistic_mixture_of_different_components() -> None:
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        logits, loc, log_scale = torch.randn(3, 1, 4, 1, 1, 1, generator=generator, dtype=torch.float64).unbind()
        p = DiscretisedLogisticMixture(2 * logits, 0.5 + 0.5 * loc, 2 * log_scale - 3)
        probabilities = p.log_prob(LEVELS).exp()
        assert float(probabilities.sum()) == pytest.approx(1.0, abs=1e-10)
        assert float(p.mean) == pytest.approx(float((probabilities * LEVELS.flatten()).sum()), abs=1 / 500)


def test_logistic_mixture_is_the_difference_of_logistic_cdfs() -> None:
    logits, loc, log_scale = (
        torch.tensor([a, b]).double().view(1, 2, 1, 1, 1) for a, b in ((0, 1), (0.2, 0.6), (-2, -3))
    )
    p = DiscretisedLogisticMixture(logits, loc, log_scale)
    k = torch.arange(1, 255).view(-1, 1, 1, 1, 1)
    upper, lower = ((k + 0.5) / 255 - loc) / log_scale.exp(), ((k - 0.5) / 255 - loc) / log_scale.exp()
    expected = (logits.softmax(1) * (upper.sigmoid() - lower.sigmoid())).sum(1).flatten()
    assert torch.allclose(p.log_prob(LEVELS[1:255]).exp(), expected, atol=1e-13)


@pytest.mark.parametrize("name", LIKELIHOODS)
@pytest.mark.parametrize("value", [-1e4, -40.0, 0.0, 1.0, 40.0, 1e4])
def test_extreme_maps_give_finite_values_and_gradients(name: str, value: float) -> None:
    likelihood = LIKELIHOODS[name]()
    maps = torch.full((2, likelihood.maps_per_channel, 3, 3), value, requires_grad=True)
    x = torch.linspace(0, 1, 9).view(1, 1, 3, 3).expand(2, 1, 3, 3)
    p = likelihood(maps)
    for quantity in (p.log_prob(x), p.mean):
        (gradient,) = torch.autograd.grad(quantity.sum(), maps, retain_graph=True, allow_unused=False)
        assert torch.isfinite(quantity).all()
        assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("name", LIKELIHOODS)
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes(name: str, channels: int) -> None:
    likelihood = LIKELIHOODS[name]()
    p = likelihood(torch.randn(2, likelihood.maps_per_channel * channels, 5, 4))
    assert (p.batch_shape, p.event_shape) == ((2,), (channels, 5, 4))
    assert p.log_prob(torch.rand(2, channels, 5, 4)).shape == (2,)
    assert p.log_prob(torch.rand(1, channels, 5, 4)).shape == (2,)
    assert p.mean.shape == (2, channels, 5, 4)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_pixels_and_channels_are_independent(name: str) -> None:
    """The log-likelihood of an image is the sum over pixels and channels, each with maps of its own."""
    likelihood = LIKELIHOODS[name]().double()
    K = likelihood.maps_per_channel
    maps, x = torch.randn(1, K * 3, 2, 2).double(), torch.rand(1, 3, 2, 2).double()
    each = maps.unflatten(1, (K, 3))  # map k of every channel side by side
    alone = [
        likelihood(each[:, :, c, i, j].view(1, K, 1, 1)).log_prob(x[:, c, i, j].view(1, 1, 1, 1))
        for c in range(3)
        for i in range(2)
        for j in range(2)
    ]
    assert torch.allclose(likelihood(maps).log_prob(x), torch.stack(alone).sum(0), atol=1e-10)


def test_fixed_scales_are_exact_in_float64() -> None:
    zero = torch.zeros(1, 1, 1, 1, dtype=torch.float64)
    normal, laplace = Normal(zero, math.sqrt(0.1)), Laplace(zero, 0.3)
    for likelihood, expected in ((GaussianLikelihood(0.1), normal), (LaplaceLikelihood(0.3), laplace)):
        ours = likelihood.double()(zero).log_prob(zero)
        assert float(ours) == pytest.approx(float(expected.log_prob(zero)), abs=1e-15)


def test_one_scalar_variance_is_learned() -> None:
    likelihood = LIKELIHOODS["gaussian-scalar"]()
    assert [tuple(weight.shape) for weight in likelihood.parameters()] == [()]
    x = torch.randn(1, 1, 40, 40, generator=torch.Generator().manual_seed(0)) * 0.7
    optimiser = torch.optim.Adam(likelihood.parameters(), lr=0.1)
    for _ in range(200):
        optimiser.zero_grad()
        (-likelihood(torch.zeros_like(x)).log_prob(x).mean()).backward()
        optimiser.step()
    assert float(likelihood.log_variance.detach().exp()) == pytest.approx(float(x.square().mean()), rel=0.02)


def test_a_learned_variance_does_not_collapse() -> None:
    likelihood = GaussianLikelihood(variance=1e-30, learned=True)
    x: Tensor = torch.zeros(1, 1, 2, 2)
    assert likelihood(x).log_prob(x).item() == pytest.approx(4 * (5 - 0.5 * math.log(2 * math.pi)), rel=1e-5)


@pytest.mark.parametrize("make", [GaussianLikelihood, LaplaceLikelihood])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan")])
def test_scales_must_be_positive(make: Any, value: float) -> None:
    with pytest.raises(InputError, match="must be positive"):
        make(value)
