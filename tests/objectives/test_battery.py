"""The full product: every model × objective × likelihood × {grey, colour} × {28, 64}, 1568 combinations.

Tiny networks of the caller's own stand in for the encoder and decoder here, so that all of it runs; everything between
them (posterior, prior, likelihood, objective) is the library's. test_battery_training.py trains a covering subset, and
tests/models/test_battery_networks.py puts the library's own convolutional networks and MLPs in.
"""

from pathlib import Path

import pytest
import torch

from seatbelt_vae.models import LIKELIHOODS, HierarchicalVAE
from seatbelt_vae.objectives import Terms
from tests.objectives.battery import DATA_SIZE, MODELS, OBJECTIVES, SHAPES, built, double, images, sizes

BATCH = 4


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape[0]}x{shape[1]}")
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("model", MODELS)
def test_shapes_gradients_and_halves(model: str, objective: str, likelihood: str, shape: tuple[int, int, int]) -> None:
    """In float64 and evaluation mode, where batch normalisation does not tie the examples together."""
    vae, loss = built(model, likelihood, shape).double().eval(), double(OBJECTIVES[objective]())
    x, noise = images(likelihood, BATCH, shape, torch.float64), vae.draw_noise(BATCH)
    encoding = vae(x, noise)
    terms = loss(encoding, x, DATA_SIZE)

    assert encoding.likelihood.mean.shape == x.shape
    assert terms.loss.shape == ()
    assert (terms.log_likelihood.shape, terms.elbo.shape) == ((BATCH,), (BATCH,))
    assert [tuple(kl.shape) for kl in terms.kl] == [(BATCH, size) for size in sizes(model)]
    assert all(torch.isfinite(torch.tensor(value)) for value in terms.summary().values())

    # No exception: every weight of every member is reached. (The discriminator is not the model's: its weights are
    # held back by FactorVAE, which test_factor_vae.py checks.)
    for weight, gradient in zip(vae.parameters(), torch.autograd.grad(terms.loss, list(vae.parameters())), strict=True):
        assert gradient.shape == weight.shape
        assert torch.isfinite(gradient).all()
        assert gradient.abs().max() > 0

    halves = [
        loss(vae(x[half], [eps[half] for eps in noise]), x[half], DATA_SIZE) for half in (slice(0, 2), slice(2, BATCH))
    ]
    for whole, parts in per_example(terms, halves, objective):
        assert torch.allclose(whole, torch.cat(parts), atol=1e-9, rtol=1e-10)


def per_example(terms: Terms, halves: list[Terms], objective: str) -> list[tuple[torch.Tensor, list[torch.Tensor]]]:
    """The terms that belong to an example alone; log q̂ belongs to a batch, a discriminator's logit does not."""
    names = ["log_likelihood", "layer_kl", "elbo"] + ["total_correlation"] * (objective == "factor-vae")
    return [(getattr(terms, name), [getattr(half, name) for half in halves]) for name in names]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape[0]}x{shape[1]}")
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("model", MODELS)
def test_save_and_load(model: str, likelihood: str, shape: tuple[int, int, int], tmp_path: Path) -> None:
    """No objective plays a part in a saved model."""
    vae = built(model, likelihood, shape).eval()
    own = built(model, likelihood, shape)
    encoder = own.posterior.features
    loaded = HierarchicalVAE.from_pretrained(vae.save_pretrained(tmp_path), network=(encoder, own.likelihood.network))
    x, noise = images(likelihood, 2, shape), vae.draw_noise(2)
    assert torch.equal(vae(x, noise).likelihood.log_prob(x), loaded(x, noise).likelihood.log_prob(x))
    assert torch.equal(vae.reconstruct(x), loaded.reconstruct(x))
