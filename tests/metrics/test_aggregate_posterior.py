import math

import pytest
import torch
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.total_correlation import aggregate_posterior, draw_aggregate, total_correlation

CORRELATED = torch.tensor([[1.0, 0.7, 0.0], [0.7, 1.0, 0.3], [0.0, 0.3, 1.5]], dtype=torch.float64)


def gaussian_aggregate(covariance, scale=0.5, N=6000, dtype=torch.float64):
    """Posteriors N(μ_n, scale²) whose aggregate is N(0, covariance): the means have what is left of it."""
    D = len(covariance)
    means = torch.randn(N, D, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    means = means - means.mean(0)
    whiten = torch.linalg.inv(torch.linalg.cholesky(means.T @ means / N))  # exact second moments
    root = torch.linalg.cholesky(covariance - scale**2 * torch.eye(D, dtype=torch.float64))
    return Normal((means @ whiten.T @ root.T).to(dtype), torch.full((N, D), scale, dtype=dtype))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_correlated_gaussian_in_closed_form(dtype):
    aggregate = aggregate_posterior(gaussian_aggregate(CORRELATED, dtype=dtype), samples=4000)
    variance = CORRELATED.diagonal()
    closed = {
        "total_correlation": 0.5 * (variance.log().sum() - CORRELATED.logdet()),
        "entropy": MultivariateNormal(torch.zeros(3).double(), CORRELATED).entropy(),
        "mutual_information": 0.5 * (CORRELATED.logdet() - 3 * math.log(0.25)),
        "dimension_wise_kl": 0.5 * (variance - 1 - variance.log()).sum(),
    }
    for name, truth in closed.items():
        estimate = getattr(aggregate, name)
        assert abs(estimate.value - truth) < 4 * estimate.standard_error + 0.005, name
        assert estimate.standard_error < 0.05
    entropies = 0.5 * (2 * math.pi * math.e * variance).log()
    torch.testing.assert_close(-aggregate.log_marginals.mean(0), entropies, atol=0.05, rtol=0)


def test_function_is_the_property():
    q = gaussian_aggregate(CORRELATED, N=300)
    estimate = total_correlation(q, samples=200, seed=3)
    assert estimate == aggregate_posterior(q, samples=200, seed=3).total_correlation
    assert estimate != total_correlation(q, samples=200, seed=4)


def test_parts_telescope_to_the_kl():
    q = gaussian_aggregate(CORRELATED, N=500)
    aggregate = aggregate_posterior(q, samples=None)
    assert len(aggregate.log_joint) == 500
    parts = aggregate.summary()
    total = parts["mutual_information"] + parts["total_correlation"] + parts["dimension_wise_kl"]
    assert total == pytest.approx(parts["kl"])
    exact = kl_divergence(q, Normal(torch.zeros(3).double(), 1.0)).sum(-1).mean()
    assert abs(parts["kl"] - float(exact)) < 4 * parts["kl_error"]


def test_small_data_by_quadrature():
    q = Normal(
        torch.tensor([[-1.0, 0.5], [1.2, -0.3], [0.4, 0.9]]).double(), torch.tensor([[0.5, 0.7]]).double().expand(3, 2)
    )
    axis = torch.linspace(-7, 7, 701, dtype=torch.float64)
    each = [q.loc[:, d] for d in range(2)]
    densities = [Normal(each[d], q.scale[0, d]).log_prob(axis[:, None]).exp() for d in range(2)]  # (grid, 3)
    joint = torch.einsum("an,bn->ab", *densities) / 3
    product = densities[0].mean(1)[:, None] * densities[1].mean(1)
    cell = (axis[1] - axis[0]) ** 2
    truth = (joint * (joint / product).log()).nansum() * cell
    estimate = total_correlation(q, samples=60_000)
    assert abs(estimate.value - truth) < 4 * estimate.standard_error
    assert estimate.standard_error < 0.003


def test_one_dimension_and_distant_posteriors():
    spread = Normal(torch.arange(64.0, dtype=torch.float64)[:, None] * 100, torch.ones(64, 1, dtype=torch.float64))
    aggregate = aggregate_posterior(spread, samples=64)
    assert abs(aggregate.total_correlation.value) < 1e-9
    assert aggregate.mutual_information.value == pytest.approx(math.log(64))


def test_error_bar_is_the_spread_over_seeds():
    q = gaussian_aggregate(CORRELATED, N=400)
    estimates = [total_correlation(q, samples=300, seed=seed) for seed in range(60)]
    spread = torch.tensor([estimate.value for estimate in estimates]).std().item()
    assert spread == pytest.approx(estimates[0].standard_error, rel=0.35)


def test_draws_are_stratified_and_follow_their_posterior():
    q = Normal(torch.arange(5.0)[:, None] * 100, torch.full((5, 1), 2.0))
    index, z = draw_aggregate(q, 20_003, seed=0)
    assert sorted(index.bincount().tolist()) == [4000, 4000, 4001, 4001, 4001]
    noise = (z - q.loc[index]) / 2
    assert noise.mean().abs() < 0.03
    assert noise.std().item() == pytest.approx(1, abs=0.03)


def test_refusals():
    with pytest.raises(InputError, match=r"expected \(N, D\)"):
        total_correlation(Normal(torch.zeros(3), 1.0))
    with pytest.raises(InputError, match="not finite"):
        total_correlation(Normal(torch.full((3, 2), math.nan), 1.0, validate_args=False))
    with pytest.raises(InputError, match="at least 2"):
        total_correlation(Normal(torch.zeros(3, 2), 1.0), samples=1)
