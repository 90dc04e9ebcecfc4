"""Estimators of the aggregate posterior against direct formulas and full enumeration."""

import itertools
import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal

from seatbelt_vae.errors import InputError
from seatbelt_vae.objectives import log_aggregate, total_correlation
from seatbelt_vae.objectives.aggregate import aggregate, log_weights
from tests.oracles import gaussian_total_correlation, mixture_log_density

ESTIMATORS = ["mws", "mss", "leave-one-in"]
GROUPS = [[0, 2], [1]]


def pairwise_log_prob(z: Tensor, q: Normal) -> Tensor:
    return q.log_prob(z[:, None])


def random_posteriors(count: int, size: int = 3, seed: int = 0) -> Normal:
    generator = torch.Generator().manual_seed(seed)
    loc = torch.randn(count, size, generator=generator, dtype=torch.float64)
    return Normal(loc, 0.3 + torch.rand(count, size, generator=generator, dtype=torch.float64))


def sample(q: Normal, seed: int = 1) -> Tensor:
    noise = torch.randn(q.loc.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return q.loc + q.scale * noise


@pytest.mark.parametrize("estimator", ["mss", "leave-one-in"])
@pytest.mark.parametrize("batch", [2, 3, 4, 17, 64])
@pytest.mark.parametrize("more", [0, 1, 100, 10_000])
@pytest.mark.parametrize("others", [0, 5])
def test_weights_of_a_row_sum_to_one(estimator: Any, batch: int, more: int, others: int) -> None:
    columns = batch + others
    weights = log_weights(torch.zeros(batch, dtype=torch.float64), columns, columns + more, estimator).exp()
    assert weights.shape == (batch, columns)
    assert torch.allclose(weights.sum(1), torch.ones(batch, dtype=torch.float64), atol=1e-12)


@pytest.mark.parametrize("batch", [2, 3, 4, 17])
@pytest.mark.parametrize("others", [0, 5])
def test_mss_weights_are_those_of_the_paper(batch: int, others: int) -> None:
    """With M + 1 posteriors: 1/N on its own, (N - M)/(NM) on one other, 1/M on the rest; in every row."""
    N, M = 100, batch + others - 1
    rows = log_weights(torch.zeros(batch, dtype=torch.float64), M + 1, N, "mss").exp()
    expected = torch.tensor([1 / N, (N - M) / (N * M)] + [1 / M] * (M - 1), dtype=torch.float64)
    for i, row in enumerate(rows):
        assert row[i] == pytest.approx(1 / N, rel=1e-12)
        assert torch.allclose(row.sort().values, expected.sort().values, rtol=1e-12)


def test_weights_take_dtype_and_device_of_the_rows() -> None:
    assert log_weights(torch.zeros(2, 3, dtype=torch.float64), 2, 9, "mss").dtype == torch.float64
    assert log_weights(torch.zeros(2, 3), 2, 9, "mws").dtype == torch.float32


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_mws_is_chens_formula(batch: int) -> None:
    q = random_posteriors(batch)
    log_q = pairwise_log_prob(sample(q), q)
    joint, marginals = log_aggregate(log_q, data_size=50, estimator="mws")
    for i in range(batch):
        densities = log_q[i].exp()
        assert joint[i].exp() == pytest.approx(float(densities.prod(1).sum()) / (50 * batch), rel=1e-12)
        assert torch.allclose(marginals[i].exp(), densities.sum(0) / (50 * batch), rtol=1e-12)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_weights_enter_once_per_density(estimator: Any) -> None:
    """Mistakes that were published: the log weight added in every dimension, LSE over the samples' axis."""
    q = random_posteriors(6)
    z = sample(q)
    W = log_weights(z, 6, 90, estimator).exp()
    joint, grouped, marginals = aggregate(z, q, 90, estimator, GROUPS)
    density = q.log_prob(z[:, None]).exp()
    assert torch.allclose(joint.exp(), (W * density.prod(-1)).sum(1), rtol=1e-12)
    assert torch.allclose(marginals.exp(), (W[:, :, None] * density).sum(1), rtol=1e-12)
    expected = torch.stack([(W * density[..., group].prod(-1)).sum(1) for group in GROUPS], dim=1)
    assert torch.allclose(grouped.exp(), expected, rtol=1e-12)


@pytest.mark.parametrize("batch", [1, 2, 5, 40])
def test_leave_one_in_over_the_whole_data_is_the_exact_mixture(batch: int) -> None:
    q = random_posteriors(batch)
    z = sample(q)
    joint, marginals = log_aggregate(pairwise_log_prob(z, q), batch, "leave-one-in")
    exact_joint, exact_marginals = mixture_log_density(z, q)
    assert torch.allclose(joint, exact_joint, atol=1e-12, rtol=0)
    assert torch.allclose(marginals, exact_marginals, atol=1e-12, rtol=0)


@pytest.mark.parametrize("batch", [1, 2, 5, 40])
def test_mws_over_the_whole_data_is_the_exact_mixture_over_n(batch: int) -> None:
    q = random_posteriors(batch)
    z = sample(q)
    joint, marginals = log_aggregate(pairwise_log_prob(z, q), batch, "mws")
    exact_joint, exact_marginals = mixture_log_density(z, q)
    assert torch.allclose(joint, exact_joint - math.log(batch), atol=1e-12, rtol=0)
    assert torch.allclose(marginals, exact_marginals - math.log(batch), atol=1e-12, rtol=0)


def mean_over_batches(q: Normal, z: Tensor, first: int, batch: int, estimator: Any) -> tuple[Tensor, Tensor]:
    """E[q̂(z)], E[q̂_d(z)] over every ordered batch, without replacement, that begins with one example."""
    rest = [n for n in range(len(q.loc)) if n != first]
    joints, marginals = [], []
    for others in itertools.permutations(rest, batch - 1):
        members = [first, *others]
        chosen = Normal(q.loc[members], q.scale[members])
        points = torch.cat([z, sample(chosen)[1:]])  # row 0 is the point of interest, the other rows are not looked at
        joint, _, marginal = aggregate(points, chosen, len(q.loc), estimator)
        joints.append(joint[0].exp())
        marginals.append(marginal[0].exp())
    return torch.stack(joints).mean(0), torch.stack(marginals).mean(0)


@pytest.mark.parametrize("estimator", ["mss", "leave-one-in"])
@pytest.mark.parametrize("batch", [2, 3, 4, 5])
def test_densities_are_unbiased_over_all_batches(estimator: str, batch: int) -> None:
    """The papers' claim: for a sample of example i, E[q̂(z)] over the other members of its batch is the mixture."""
    q = random_posteriors(5)
    for first in range(5):
        z = sample(q)[first : first + 1]
        joint, marginals = mean_over_batches(q, z, first, batch, estimator)
        exact_joint, exact_marginals = mixture_log_density(z, q)
        assert torch.allclose(joint, exact_joint.exp(), rtol=1e-12)
        assert torch.allclose(marginals, exact_marginals.exp(), rtol=1e-12)


@pytest.mark.parametrize("batch", [2, 4])
def test_mws_density_is_one_nth_of_a_mixture_with_too_much_of_its_own(batch: int) -> None:
    """Its mean over all batches: (1/N) [q_i / M + (M - 1)/M · mean of the others]."""
    q = random_posteriors(5)
    z = sample(q)[:1]
    joint, _ = mean_over_batches(q, z, 0, batch, "mws")
    density = q.log_prob(z).sum(-1).exp()
    expected = (density[0] / batch + (batch - 1) / batch * density[1:].mean()) / 5
    assert torch.allclose(joint, expected, rtol=1e-12)


def test_mws_exceeds_the_total_correlation_by_its_log_n() -> None:
    """Over the whole data set the excess is (D - 1) log N exactly."""
    q = random_posteriors(30, size=4)
    z = sample(q)
    log_q = pairwise_log_prob(z, q)
    excess = total_correlation(log_q, 30, "mws") - total_correlation(log_q, 30, "leave-one-in")
    assert torch.allclose(excess, torch.full_like(excess, 3 * math.log(30)), atol=1e-10)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_samples_and_gaussians_give_what_their_log_densities_give(estimator: Any) -> None:
    q, z = random_posteriors(8), sample(random_posteriors(5), seed=2)
    direct = log_aggregate(pairwise_log_prob(z, q), 20, estimator)
    joint, _, marginals = aggregate(z, q, 20, estimator)
    assert torch.allclose(direct[0], joint, atol=1e-12)
    assert torch.allclose(direct[1], marginals, atol=1e-12)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_far_samples_stay_finite(estimator: Any) -> None:
    """Densities that underflow: 1000 standard deviations away, in float32, value and gradient."""
    loc = torch.tensor([[0.0, 0.0], [1000.0, -1000.0], [5.0, 5.0]], requires_grad=True)
    scale = torch.full_like(loc, 1e-2).requires_grad_()
    tc = total_correlation(pairwise_log_prob(loc, Normal(loc, scale)), 10, estimator).sum()
    gradients = torch.autograd.grad(tc, [loc, scale])
    assert torch.isfinite(tc)
    assert all(torch.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.parametrize(
    ("log_q", "data_size", "estimator", "message"),
    [
        (torch.zeros(3, 3, 2), 2, "mws", "data_size 2: must be at least the 3"),
        (torch.zeros(3, 3, 2), 9, "exact", "must be one of mws, mss, leave-one-in"),
        (torch.zeros(1, 1, 2), 9, "mss", "needs a batch of at least 2"),
        (torch.zeros(1, 1, 2), 9, "leave-one-in", "needs a batch of at least 2"),
        (torch.zeros(3, 2, 2), 9, "mws", "B samples, M >= B posteriors"),
        (torch.zeros(3, 3), 9, "mws", "B samples, M >= B posteriors"),
    ],
)
def test_refuses(log_q: Tensor, data_size: int, estimator: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        log_aggregate(log_q, data_size, estimator)
    with pytest.raises(InputError):
        total_correlation(log_q, data_size, estimator)


def test_refuses_fewer_posteriors_than_samples() -> None:
    q = random_posteriors(2)
    with pytest.raises(InputError, match="a posterior for each of the 3 samples"):
        aggregate(torch.zeros(3, 3, dtype=torch.float64), q, 9)


@pytest.mark.parametrize("correlation", [0.0, 0.5])
@pytest.mark.parametrize("batch", [64, 256, 1024])
def test_estimates_against_the_closed_form_of_a_correlated_aggregate(correlation: float, batch: int) -> None:
    """μ_n ~ N(0, S - σ² I) and q = N(μ_n, σ² I): the aggregate is N(0, S), at σ = 0.7 smooth enough for N = 4000.

    MSS and leave-one-in come near ½ (Σ log S_dd - log |S|); MWS is (D - 1) log N above them.
    """
    D, N, sigma = 3, 4000, 0.7
    S = torch.full((D, D), correlation, dtype=torch.float64) + (1 - correlation) * torch.eye(D, dtype=torch.float64)
    root = torch.linalg.cholesky(S - sigma**2 * torch.eye(D, dtype=torch.float64))
    generator = torch.Generator().manual_seed(batch)
    found: dict[str, list[float]] = {estimator: [] for estimator in ESTIMATORS}
    for _ in range(4 * 1024 // batch):
        loc = torch.randn(batch, D, generator=generator, dtype=torch.float64) @ root.T
        q = Normal(loc, torch.full_like(loc, sigma))
        z = loc + sigma * torch.randn(batch, D, generator=generator, dtype=torch.float64)
        for estimator in ESTIMATORS:
            value = total_correlation(pairwise_log_prob(z, q), N, estimator)  # type: ignore[arg-type]
            found[estimator].append(float(value.mean()))
    mean = {estimator: sum(values) / len(values) for estimator, values in found.items()}
    truth = gaussian_total_correlation(S)
    assert mean["mss"] == pytest.approx(truth, abs=0.1 if batch > 64 else 0.2)
    assert mean["leave-one-in"] == pytest.approx(truth, abs=0.1 if batch > 64 else 0.2)
    excess = mean["mws"] - mean["leave-one-in"]
    assert excess == pytest.approx((D - 1) * math.log(N), abs=0.1 if batch > 64 else 0.3)
