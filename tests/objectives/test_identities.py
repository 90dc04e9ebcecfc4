"""The family's identities, in float64: members that are the same objective give the same numbers."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.models import HierarchicalVAE, beta_tcdlgm, dlgm, seatbelt_vae, vae
from seatbelt_vae.objectives import ELBO, HFVAE, BetaTC, BetaVAE, FactorVAE, Objective, Terms
from tests.tiny import network

SHAPE, DATA_SIZE = (1, 6, 6), 50
ESTIMATORS = ["mws", "mss", "leave-one-in"]


def built(factory: Callable[..., HierarchicalVAE], sizes: tuple[int, ...]) -> HierarchicalVAE:
    torch.manual_seed(0)
    own = network(SHAPE, sum(sizes) if factory is not dlgm else sizes[0])
    return factory(SHAPE, latent_sizes=sizes, network=own, hidden_sizes=(8,)).double()


def evaluate(model: HierarchicalVAE, objective: Objective, seed: int = 0) -> tuple[Terms, list[Tensor]]:
    """Terms and the gradient of every weight, on a fixed batch with fixed noise."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(9, *SHAPE, generator=generator, dtype=torch.float64)
    terms = objective(model(x, model.draw_noise(9, generator)), x, DATA_SIZE)
    return terms, list(torch.autograd.grad(terms.loss, list(model.parameters())))


def identical(model: HierarchicalVAE, *objectives: Objective) -> bool:
    """Loss and gradients equal to the bit."""
    (first, gradients), *rest = [evaluate(model, objective) for objective in objectives]
    return all(
        torch.equal(first.loss, terms.loss) and all(map(torch.equal, gradients, others)) for terms, others in rest
    )


def close(model: HierarchicalVAE, *objectives: Objective) -> bool:
    """Loss and gradients equal to 1e-10."""
    (first, gradients), *rest = [evaluate(model, objective) for objective in objectives]
    return all(
        torch.allclose(a, b, atol=1e-10, rtol=1e-10)
        for terms, others in rest
        for a, b in zip([first.loss, *gradients], [terms.loss, *others], strict=True)
    )


@pytest.mark.parametrize("sizes", [(4,), (4, 3), (4, 3, 2)])
@pytest.mark.parametrize("settings", [{}, {"free_bits": 0.3}, {"free_bits": 0.9, "free_bits_per": "layer"}])
def test_beta_one_is_the_elbo_to_the_bit(sizes: tuple[int, ...], settings: dict[str, Any]) -> None:
    model = built(seatbelt_vae, sizes)
    of_beta_tc = [BetaTC(beta=1.0, estimator=estimator, **settings) for estimator in ESTIMATORS]
    assert identical(model, ELBO(**settings), BetaVAE(beta=1.0, **settings), *of_beta_tc)


@pytest.mark.parametrize("settings", [{"warm_up": 10}, {"layer_kl": "paper"}])
def test_beta_one_is_the_elbo_at_any_step_and_form(settings: dict[str, Any]) -> None:
    model = built(dlgm, (4, 3))
    objectives = [ELBO(**settings), BetaVAE(beta=1.0, **settings), BetaTC(beta=1.0, **settings)]
    assert identical(model, *[objective.at(3) for objective in objectives])
    assert evaluate(model, ELBO().at(3))[0].loss != evaluate(model, ELBO(**settings).at(3))[0].loss


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("beta", [1.0, 7.5])
def test_seatbelt_of_one_layer_is_beta_tcvae(estimator: Any, beta: float) -> None:
    seatbelt, plain = built(seatbelt_vae, (4,)), built(vae, (4,))
    with torch.no_grad():
        for weight in plain.parameters():
            weight.uniform_(-0.3, 0.3)
    seatbelt.load_state_dict(copy.deepcopy(plain.state_dict()))
    objective = BetaTC(beta=beta, estimator=estimator)
    (a, gradients_a), (b, gradients_b) = evaluate(seatbelt, objective), evaluate(plain, objective)
    assert torch.equal(a.loss, b.loss)
    assert all(map(torch.equal, gradients_a, gradients_b))
    assert all(gradient.abs().max() > 0 for gradient in gradients_a)


def test_beta_tcdlgm_is_the_dlgms_network() -> None:
    a, b = built(dlgm, (4, 3)), built(dlgm, (4, 3))
    torch.manual_seed(0)
    b = beta_tcdlgm(SHAPE, latent_sizes=(4, 3), network=network(SHAPE, 4), hidden_sizes=(8,)).double()
    assert torch.equal(evaluate(a, BetaTC())[0].loss, evaluate(b, BetaTC())[0].loss)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("objective", [BetaTC, HFVAE])
def test_the_decomposition_telescopes_at_the_sample(objective: Any, estimator: str) -> None:
    model = built(seatbelt_vae, (4, 3))
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(9, *SHAPE, generator=generator, dtype=torch.float64)
    encoding = model(x, model.draw_noise(9, generator))
    terms = objective(estimator=estimator)(encoding, x, DATA_SIZE)
    parts = terms.mutual_information + terms.total_correlation + terms.dimension_wise_kl
    q, z, p = encoding.q[-1], encoding.z[-1], encoding.p[-1]
    assert torch.allclose(parts, (q.log_prob(z) - p.log_prob(z)).sum(-1), atol=1e-10, rtol=0)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("sizes", [(4,), (4, 3)])
def test_beta_tc_is_the_elbo_and_the_excess_total_correlation(estimator: Any, sizes: tuple[int, ...]) -> None:
    model = built(seatbelt_vae, sizes)
    terms = evaluate(model, BetaTC(beta=5.0, estimator=estimator))[0]
    elbo = evaluate(model, ELBO())[0]
    assert torch.allclose(terms.elbo, elbo.elbo, atol=0, rtol=0)
    assert torch.allclose(terms.loss, elbo.loss + 4 * terms.total_correlation.mean(), atol=1e-10, rtol=0)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("gamma", [0.0, 1.0, 12.0])
def test_hfvae_of_singletons_is_beta_tc(estimator: Any, gamma: float) -> None:
    model = built(seatbelt_vae, (4, 3))
    hfvae = HFVAE(beta=6.0, gamma=gamma, estimator=estimator)
    assert close(model, BetaTC(beta=6.0, estimator=estimator), hfvae)
    a, b = evaluate(model, hfvae)[0], evaluate(model, BetaTC(beta=6.0, estimator=estimator))[0]
    for name in ("mutual_information", "total_correlation", "dimension_wise_kl"):
        assert torch.allclose(getattr(a, name), getattr(b, name), atol=1e-10, rtol=0)
    assert a.others["total_correlation_within"].abs().max() < 1e-10


@pytest.mark.parametrize("groups", [None, ((0, 1, 2),), ((2, 0), (1,))])
def test_hfvae_with_unit_weights_is_the_elbo(groups: Any) -> None:
    assert identical(built(vae, (3,)), ELBO(), HFVAE(groups=groups, alpha=1.0, beta=1.0, gamma=1.0))


@pytest.mark.parametrize("groups", [((0, 1, 2),), ((2, 0), (1,))])
def test_hfvae_with_equal_weights_does_not_see_the_groups(groups: Any) -> None:
    """Between + within is the whole total correlation, however it is cut."""
    assert close(built(vae, (3,)), HFVAE(beta=4.0, gamma=4.0), HFVAE(groups=groups, beta=4.0, gamma=4.0))


def test_hfvae_of_one_group_weighs_everything_within() -> None:
    model = built(vae, (3,))
    terms = evaluate(model, HFVAE(groups=((0, 1, 2),), beta=9.0, gamma=2.0))[0]
    assert terms.others["total_correlation_between"].abs().max() < 1e-10
    expected = evaluate(model, ELBO())[0].loss + terms.total_correlation.mean()
    assert torch.allclose(terms.loss, expected, atol=1e-10, rtol=0)


def test_hfvae_weighs_the_mutual_information() -> None:
    model = built(vae, (3,))
    terms = evaluate(model, HFVAE(alpha=3.0, beta=1.0, gamma=1.0))[0]
    expected = evaluate(model, ELBO())[0].loss + 2 * terms.mutual_information.mean()
    assert torch.allclose(terms.loss, expected, atol=1e-10, rtol=0)


@pytest.mark.parametrize("groups", [((0, 1),), ((0, 1), (1, 2)), ((0, 1, 2, 3),), ()])
def test_hfvae_refuses_groups_that_are_no_partition(groups: Any) -> None:
    with pytest.raises(InputError, match="every one of the 3 dimensions"):
        evaluate(built(vae, (3,)), HFVAE(groups=groups))


def test_factor_vae_without_penalty_is_the_elbo() -> None:
    objective = FactorVAE.for_latent_size(3, gamma=0.0, width=8)
    objective.discriminator.double()
    assert identical(built(seatbelt_vae, (4, 3)), ELBO(), objective)


def test_factor_vae_adds_gamma_times_the_logit() -> None:
    objective = FactorVAE.for_latent_size(3, gamma=5.0, width=8)
    objective.discriminator.double()
    model = built(seatbelt_vae, (4, 3))
    terms = evaluate(model, objective)[0]
    assert torch.allclose(terms.loss, evaluate(model, ELBO())[0].loss + 5 * terms.total_correlation.mean(), atol=1e-10)


def test_beta_vae_weighs_the_top_layer_by_beta() -> None:
    model = built(seatbelt_vae, (4, 3))
    elbo = evaluate(model, ELBO())[0]
    terms = evaluate(model, BetaVAE(beta=4.0))[0]
    assert torch.allclose(terms.loss, elbo.loss + 3 * elbo.layer_kl[:, -1].mean(), atol=1e-10, rtol=0)
    assert torch.equal(terms.elbo, elbo.elbo)
