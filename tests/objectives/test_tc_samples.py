"""More examples for log q̂ than the gradient batch: which gradients flow, and that they are the full graph's."""

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal

from seatbelt_vae.errors import InputError
from seatbelt_vae.models import Encoding, HierarchicalVAE, seatbelt_vae
from seatbelt_vae.objectives import HFVAE, BetaTC
from seatbelt_vae.objectives.aggregate import aggregate
from seatbelt_vae.objectives.beta_tc import all_posteriors
from tests.tiny import network

SHAPE, BATCH, MORE, DATA_SIZE = (1, 6, 6), 5, 11, 60
OBJECTIVES = [
    *(BetaTC(beta=6.0, estimator=estimator, tc_samples=BATCH + MORE) for estimator in ("mws", "mss", "leave-one-in")),
    HFVAE(groups=((0, 2), (1,)), alpha=2.0, beta=6.0, gamma=3.0, tc_samples=BATCH + MORE),
]


@pytest.fixture
def model() -> HierarchicalVAE:
    torch.manual_seed(0)
    return seatbelt_vae(SHAPE, (4, 3), network=network(SHAPE, 7), hidden_sizes=(8,)).double().eval()


def encodings(model: HierarchicalVAE) -> tuple[Encoding, Normal, Tensor]:
    """The batch's encoding, the top posteriors of further examples with their graph, and the batch's images."""
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(BATCH + MORE, *SHAPE, generator=generator, dtype=torch.float64)
    noise = model.draw_noise(BATCH + MORE, generator)
    others = model.encode(x[BATCH:], [eps[BATCH:] for eps in noise])[-1]
    return model(x[:BATCH], [eps[:BATCH] for eps in noise]), others, x[:BATCH]


def detached(q: Normal) -> Normal:
    return Normal(q.loc.detach(), q.scale.detach(), validate_args=False)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=repr)
def test_gradients_of_the_batchs_own_terms_are_those_of_the_full_graph(model: HierarchicalVAE, objective: Any) -> None:
    encoding, others, x = encodings(model)
    q = encoding.q[-1]
    own = [q.loc, q.scale, encoding.z[-1], encoding.likelihood.mean]
    full = objective(dataclasses.replace(encoding, others=others), x, DATA_SIZE).loss
    ours = objective(dataclasses.replace(encoding, others=detached(others)), x, DATA_SIZE).loss
    assert torch.equal(full, ours)
    expected = torch.autograd.grad(full, own[:3], retain_graph=True)
    for a, b in zip(torch.autograd.grad(ours, own[:3], retain_graph=True), expected, strict=True):
        assert torch.allclose(a, b, atol=1e-12, rtol=1e-10)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=repr)
def test_what_is_left_out_is_the_path_through_the_others(model: HierarchicalVAE, objective: Any) -> None:
    """For every weight: gradient of the full graph = ours + the part that flows through the further examples."""
    encoding, others, x = encodings(model)
    weights = [weight for weight in model.parameters() if weight.requires_grad]

    def gradient(loss: Tensor, **settings: Any) -> list[Tensor]:
        found = torch.autograd.grad(loss, weights, retain_graph=True, allow_unused=True, **settings)
        return [torch.zeros_like(w) if g is None else g for w, g in zip(weights, found, strict=True)]

    full = objective(dataclasses.replace(encoding, others=others), x, DATA_SIZE).loss
    ours = gradient(objective(dataclasses.replace(encoding, others=detached(others)), x, DATA_SIZE).loss)
    through = torch.autograd.grad(full, [others.loc, others.scale], retain_graph=True)
    assert max(cotangent.abs().max() for cotangent in through) > 1e-4
    path = torch.autograd.grad([others.loc, others.scale], weights, through, retain_graph=True, allow_unused=True)
    for a, b, c in zip(gradient(full), ours, path, strict=True):
        assert torch.allclose(a, b if c is None else b + c, atol=1e-10, rtol=1e-8)


def test_more_examples_are_more_columns(model: HierarchicalVAE) -> None:
    encoding, others, x = encodings(model)
    widened = dataclasses.replace(encoding, others=detached(others))
    posteriors = all_posteriors(widened)
    assert torch.equal(posteriors.loc, torch.cat([encoding.q[-1].loc, others.loc]))
    joint, _, marginals = aggregate(encoding.z[-1], posteriors, DATA_SIZE, "mss")
    terms = BetaTC(estimator="mss", tc_samples=BATCH + MORE)(widened, x, DATA_SIZE)
    assert torch.equal(terms.total_correlation, joint - marginals.sum(-1))
    assert terms.total_correlation.shape == (BATCH,)


def test_over_the_whole_data_the_estimate_is_exact(model: HierarchicalVAE) -> None:
    """With every other example of the data set: the leave-one-in estimate is the mixture's value at the sample."""
    encoding, others, x = encodings(model)
    widened = dataclasses.replace(encoding, others=detached(others))
    terms = BetaTC(estimator="leave-one-in", tc_samples=BATCH + MORE)(widened, x, data_size=BATCH + MORE)
    q = all_posteriors(widened)
    log_q = q.log_prob(encoding.z[-1][:, None])
    exact = log_q.sum(-1).logsumexp(1) - log_q.logsumexp(1).sum(-1) + 2 * torch.tensor(16.0).double().log()
    assert torch.allclose(terms.total_correlation, exact, atol=1e-10)


@pytest.mark.parametrize("objective", [BetaTC, HFVAE])
@pytest.mark.parametrize("count", [0, -8])
def test_refuses_no_examples(objective: Any, count: int) -> None:
    with pytest.raises(InputError, match="tc_samples"):
        objective(tc_samples=count)
