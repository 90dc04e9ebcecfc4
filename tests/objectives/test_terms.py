"""Weights of the terms by hand: free bits, warm-up, annealing; each KL against torch's."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Distribution, Independent, Normal, kl_divergence

from seatbelt_vae.errors import InputError
from seatbelt_vae.models import Encoding
from seatbelt_vae.objectives import ELBO, HFVAE, BetaTC, BetaVAE, FactorVAE
from seatbelt_vae.objectives.factor_vae import Discriminator
from seatbelt_vae.objectives.terms import layer_kls


def normal(generator: torch.Generator, *shape: int) -> Normal:
    loc = torch.randn(*shape, generator=generator, dtype=torch.float64)
    return Normal(loc, 0.2 + torch.rand(*shape, generator=generator, dtype=torch.float64))


def encoding(seed: int = 0, batch: int = 6, sizes: tuple[int, ...] = (4, 3)) -> Encoding:
    generator = torch.Generator().manual_seed(seed)
    q = tuple(normal(generator, batch, size) for size in sizes)
    z = tuple(each.loc + each.scale * torch.randn(each.loc.shape, generator=generator).double() for each in q)
    p = (*(normal(generator, batch, size) for size in sizes[:-1]), Normal(torch.zeros_like(z[-1]), 1.0))
    likelihood: Distribution = Independent(normal(generator, batch, 1, 2, 2), 3)
    return Encoding(q, z, p, likelihood)


X = torch.rand(6, 1, 2, 2, generator=torch.Generator().manual_seed(9), dtype=torch.float64)


def expected_kls(e: Encoding) -> list[Tensor]:
    below = [q.log_prob(z) - p.log_prob(z) for q, p, z in zip(e.q[:-1], e.p[:-1], e.z[:-1], strict=True)]
    return [*below, kl_divergence(e.q[-1], e.p[-1])]


@pytest.mark.parametrize("sizes", [(3,), (4, 3), (4, 3, 2)])
def test_layer_kls(sizes: tuple[int, ...]) -> None:
    e = encoding(sizes=sizes)
    for ours, theirs in zip(layer_kls(e), expected_kls(e), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-12)
    for ours, q, p in zip(layer_kls(e, "paper"), e.q, e.p, strict=True):
        assert torch.allclose(ours, kl_divergence(q, p), atol=1e-12)


def test_top_kl_is_the_textbook_formula() -> None:
    q = encoding().q[-1]
    textbook = 0.5 * (q.loc**2 + q.scale**2 - 1) - q.scale.log()
    assert torch.allclose(layer_kls(encoding())[-1], textbook, atol=1e-12)


def test_terms_are_per_example_and_the_loss_their_mean() -> None:
    e = encoding()
    terms = ELBO()(e, X, data_size=1)
    kls = torch.stack([kl.sum(-1) for kl in expected_kls(e)], dim=-1)
    log_likelihood = e.likelihood.log_prob(X)
    assert torch.allclose(terms.layer_kl, kls, atol=1e-12)
    assert torch.allclose(terms.log_likelihood, log_likelihood, atol=1e-12)
    assert torch.allclose(terms.elbo, log_likelihood - kls.sum(-1), atol=1e-12)
    assert torch.allclose(terms.loss, -terms.elbo.mean(), atol=1e-12)


def test_summary_is_the_mean_of_every_term() -> None:
    e = encoding()
    terms = HFVAE(groups=((0, 1), (2,)))(e, X, data_size=50)
    summary = terms.summary()
    assert summary["loss"] == pytest.approx(float(terms.loss), rel=1e-12)
    assert summary["kl_1"] == pytest.approx(float(expected_kls(e)[0].sum(-1).mean()), rel=1e-12)
    assert summary["kl_2"] == pytest.approx(float(expected_kls(e)[1].sum(-1).mean()), rel=1e-12)
    decomposition = ["mutual_information", "total_correlation", "dimension_wise_kl"]
    parts = ["total_correlation_between", "total_correlation_within"]
    assert set(summary) == {"loss", "elbo", "log_likelihood", "kl_1", "kl_2", *decomposition, *parts}
    assert summary["total_correlation"] == pytest.approx(sum(summary[name] for name in parts), rel=1e-10)


@pytest.mark.parametrize("floor", [0.0, 0.125, 0.5, 3.0])
def test_free_bits_per_dimension(floor: float) -> None:
    """max(λ, batch mean) for every dimension, one by one."""
    e = encoding()
    by_hand = sum(max(floor, float(kl[:, d].mean())) for kl in expected_kls(e) for d in range(kl.shape[1]))
    loss = ELBO(free_bits=floor)(e, X, 1).loss
    assert float(loss) == pytest.approx(by_hand - float(e.likelihood.log_prob(X).mean()), rel=1e-12)


@pytest.mark.parametrize("floor", [0.0, 1.0, 5.0])
def test_free_bits_per_layer(floor: float) -> None:
    e = encoding()
    by_hand = sum(max(floor, float(kl.sum(-1).mean())) for kl in expected_kls(e))
    loss = ELBO(free_bits=floor, free_bits_per="layer")(e, X, 1).loss
    assert float(loss) == pytest.approx(by_hand - float(e.likelihood.log_prob(X).mean()), rel=1e-12)


def test_a_dimension_at_its_floor_feels_no_pull() -> None:
    loc = torch.tensor([[0.3, 2.0], [-0.3, 2.0]], dtype=torch.float64, requires_grad=True)  # KL 0.045 and 2
    q = Normal(loc, torch.ones_like(loc))
    e = Encoding((q,), (loc.detach(),), (Normal(torch.zeros_like(loc), 1.0),), encoding(batch=2).likelihood)
    (gradient,) = torch.autograd.grad(ELBO(free_bits=0.125)(e, X[:2], 1).loss, loc)
    assert torch.equal(gradient[:, 0], torch.zeros(2).double())
    assert torch.allclose(gradient[:, 1], loc[:, 1].detach() / 2)
    (heavier,) = torch.autograd.grad(BetaVAE(beta=4.0, free_bits=0.125)(e, X[:2], 1).loss, loc)
    assert torch.allclose(heavier, 4 * gradient)


def test_total_correlation_stays_outside_of_the_free_bits() -> None:
    """A floor far above every KL: what is left of the gradient is the likelihood's and (β - 1) times the TC's."""
    e = encoding()
    floored, free = BetaTC(beta=5.0, free_bits=100.0)(e, X, 50), BetaTC(beta=5.0)(e, X, 50)
    expected = 7 * 100.0 + 4 * free.total_correlation.mean() - e.likelihood.log_prob(X).mean()  # type: ignore[union-attr]
    assert torch.allclose(floored.loss, expected, rtol=1e-12)
    assert torch.equal(floored.total_correlation, free.total_correlation)  # type: ignore[arg-type]


@pytest.mark.parametrize(("step", "weight"), [(0, 0.0), (1, 0.1), (5, 0.5), (10, 1.0), (99, 1.0)])
@pytest.mark.parametrize(
    "objective",
    [
        ELBO(warm_up=10),
        BetaVAE(beta=4.0, warm_up=10),
        BetaTC(beta=4.0, warm_up=10),
        HFVAE(warm_up=10),
        FactorVAE(discriminator=Discriminator(3, 4).double(), warm_up=10),
    ],
    ids=lambda objective: type(objective).__name__,
)
def test_warm_up_weighs_everything_but_the_likelihood(objective: Any, step: int, weight: float) -> None:
    e = encoding()
    final = objective(e, X, 50).loss + e.likelihood.log_prob(X).mean()
    now = objective.at(step)(e, X, 50).loss + e.likelihood.log_prob(X).mean()
    assert torch.allclose(now, weight * final, atol=1e-12)


@pytest.mark.parametrize(("step", "beta"), [(0, 1.0), (25, 2.25), (50, 3.5), (100, 6.0), (1000, 6.0)])
def test_annealing_moves_beta_from_one(step: int, beta: float) -> None:
    e = encoding()
    assert torch.allclose(BetaTC(beta=6.0, anneal=100).at(step)(e, X, 50).loss, BetaTC(beta=beta)(e, X, 50).loss)
    assert torch.allclose(BetaVAE(beta=6.0, anneal=100).at(step)(e, X, 50).loss, BetaVAE(beta=beta)(e, X, 50).loss)
    assert BetaVAE(beta=6.0, anneal=100).at(step).weight == pytest.approx(beta)


def test_an_objective_without_a_step_is_the_final_one() -> None:
    e = encoding()
    objective = BetaTC(beta=6.0, anneal=100, warm_up=50)
    assert torch.equal(objective(e, X, 50).loss, objective.at(1000)(e, X, 50).loss)
    assert objective.at(3).at(1000) == objective.at(1000)
    assert objective.step is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ELBO(free_bits=-1), "free_bits -1"),
        (lambda: ELBO(free_bits=float("nan")), "free_bits nan"),
        (lambda: ELBO(free_bits_per="image"), "free_bits_per 'image'"),  # type: ignore[arg-type]
        (lambda: ELBO(warm_up=-1), "warm_up -1"),
        (lambda: ELBO(layer_kl="exact"), "layer_kl 'exact'"),  # type: ignore[arg-type]
        (lambda: BetaVAE(beta=-0.5), "beta -0.5"),
        (lambda: BetaVAE(beta=float("nan")), "beta nan"),
        (lambda: BetaVAE(anneal=-3), "anneal -3"),
        (lambda: BetaTC(beta=float("inf")), "beta inf"),
        (lambda: BetaTC(anneal=-3), "anneal -3"),
        (lambda: BetaTC(estimator="exact"), "estimator 'exact'"),  # type: ignore[arg-type]
        (lambda: HFVAE(estimator="exact"), "estimator 'exact'"),  # type: ignore[arg-type]
        (lambda: HFVAE(gamma=-1), "gamma -1"),
        (lambda: FactorVAE.for_latent_size(4, gamma=-1.0), "gamma -1"),
    ],
)
def test_settings_are_refused_when_they_are_made(make: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)
