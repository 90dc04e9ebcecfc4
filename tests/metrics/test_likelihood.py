import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.likelihood import elbo, iwae
from seatbelt_vae.models import seatbelt_vae


class Lazy:
    """Images that exist only batch by batch, as a data set's do."""

    def __init__(self, images):
        self.images = images

    def __len__(self):
        return len(self.images)

    def __getitem__(self, key):
        assert isinstance(key, slice)
        return self.images[key]


@pytest.mark.parametrize("depth", [1, 2])
def test_importance_bound_of_the_exact_posterior_is_the_evidence(linear_gaussian, depth):
    model = linear_gaussian(depth)
    x = model.draw(5)
    for k in (1, 3):  # every weight equals p(x): no Monte-Carlo error at all
        torch.testing.assert_close(iwae(model, x, k), model.log_evidence(x), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("depth", [1, 2])
def test_elbo_of_the_exact_posterior_is_the_evidence(linear_gaussian, depth):
    model = linear_gaussian(depth)
    x = model.draw(20)
    bound = elbo(model, x, samples=2000, batch_size=5000)
    error = bound.elbo - model.log_evidence(x)
    assert error.abs().max() < 0.3
    assert abs(float(error.mean())) < 0.03


@pytest.mark.parametrize("depth", [1, 2])
def test_elbo_of_a_loose_posterior_falls_short_by_its_divergence(linear_gaussian, depth):
    exact, loose = linear_gaussian(depth), linear_gaussian(depth, loosen=1.3)
    x = exact.draw(20)
    p, q = exact.encode(x)[0], loose.encode(x)[0]
    gap = kl_divergence(q, p).sum(-1).detach()
    if depth == 2:  # the same loosening at every z_1, no shift of the mean
        top_p, top_q = Normal(0.0, exact.top_scale), Normal(0.0, loose.top_scale)
        gap = gap + kl_divergence(top_q, top_p).sum()
    short = exact.log_evidence(x) - elbo(loose, x, samples=4000, batch_size=8000).elbo
    assert (short - gap).mean().abs() < 0.03


@pytest.mark.parametrize("depth", [1, 2])
def test_importance_bound_rises_to_the_evidence(linear_gaussian, depth):
    model = linear_gaussian(depth, loosen=1.4)
    x = model.draw(30)
    truth = float(model.log_evidence(x).mean())
    bounds = [float(iwae(model, x, k, batch_size=6000).mean()) for k in (1, 4, 32, 2000)]
    assert bounds == sorted(bounds)
    assert bounds[0] < truth - 0.1
    assert abs(bounds[-1] - truth) < 0.01


def test_parts_add_up_and_average(linear_gaussian):
    model = linear_gaussian(2, loosen=1.2)
    bound = elbo(model, model.draw(7), samples=3)
    torch.testing.assert_close(bound.elbo, bound.log_likelihood - bound.layer_kl.sum(-1))
    per_dimension = torch.stack([kl.sum() for kl in bound.dimension_kl])
    torch.testing.assert_close(per_dimension, bound.layer_kl.mean(0))
    summary = bound.summary()
    assert summary["elbo"] == pytest.approx(summary["log_likelihood"] - summary["kl_1"] - summary["kl_2"])
    assert summary["elbo_error"] == pytest.approx(float(bound.elbo.std()) / math.sqrt(7))
    assert summary["elbo"] == float(bound.elbo.mean())
    error = bound.log_likelihood.std().item() / math.sqrt(len(bound.log_likelihood))
    assert summary["log_likelihood_error"] == pytest.approx(error)
    assert {f"{name}_error" for name in ("elbo", "kl", "kl_1", "kl_2")} < set(summary)


def test_top_kl_is_analytic(linear_gaussian):
    model = linear_gaussian(1, loosen=1.2)
    x = model.draw(4)
    q = model.encode(x)[0]
    expected = kl_divergence(q, Normal(torch.zeros_like(q.loc), torch.ones_like(q.loc))).sum(-1)
    torch.testing.assert_close(elbo(model, x, samples=1).layer_kl[:, 0], expected)


@pytest.mark.parametrize("measure", [lambda *a, **k: elbo(*a, **k).elbo, lambda *a, **k: iwae(*a, **k)])
def test_batching_and_laziness_change_nothing(linear_gaussian, measure):
    model = linear_gaussian(2, loosen=1.2)
    x = model.draw(5)
    whole = measure(model, x, 6, batch_size=1000)
    for batch_size in (1, 4, 13):  # below 6 the draws of one image take several passes
        torch.testing.assert_close(measure(model, Lazy(x), 6, batch_size=batch_size), whole)
    assert not torch.equal(measure(model, x, 6, seed=1), whole)


def test_precision_of_the_model_does_not_matter(linear_gaussian):
    model = linear_gaussian(2, loosen=1.2)
    x = model.draw(5)
    truth = elbo(model, x, samples=2).elbo
    single = elbo(model.float(), x, samples=2).elbo
    assert single.dtype == torch.float64
    torch.testing.assert_close(single, truth, atol=1e-4, rtol=1e-5)


def test_a_real_model_keeps_its_mode():
    model = seatbelt_vae((1, 32, 32), latent_sizes=(4, 2), network="conv")
    model.train()
    model.posterior.eval()
    before = [module.training for module in model.modules()]
    assert elbo(model, torch.rand(3, 1, 32, 32)).elbo.isfinite().all()
    assert iwae(model, torch.rand(3, 1, 32, 32), k=3).isfinite().all()
    assert [module.training for module in model.modules()] == before


def test_refusals(linear_gaussian):
    model = linear_gaussian(1)
    with pytest.raises(InputError, match="0 images"):
        elbo(model, model.draw(0))
    with pytest.raises(InputError, match="at least 1"):
        iwae(model, model.draw(2), k=0)
