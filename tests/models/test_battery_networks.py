"""The library's own networks in the battery: convolutions and MLPs, with real batch normalisation.

What tests/objectives/test_battery.py runs with tiny modules runs here with `conv` and `mlp`, on a subset in which every
model, every likelihood and every objective meets both, and each kind meets {grey, colour} × {28, 64}. The MLP has no
logistic mixture in colour at 64: that output layer alone would hold 221 million weights.
"""

from pathlib import Path

import pytest
import torch

from seatbelt_vae.models import LIKELIHOODS, HierarchicalVAE
from tests.objectives.battery import DATA_SIZE, MODELS, OBJECTIVES, SHAPES, built, double, images

GREY_28, GREY_64, COLOUR_28, COLOUR_64 = (1, 28, 28), (1, 64, 64), (3, 28, 28), (3, 64, 64)
RUNS = [
    ("vae", "elbo", "bernoulli", GREY_64, "conv"),
    ("dlgm", "beta-vae", "continuous-bernoulli", COLOUR_28, "conv"),
    ("beta-tcdlgm", "mss", "gaussian", COLOUR_64, "conv"),
    ("ladder-vae", "mws", "gaussian-scalar", GREY_28, "conv"),
    ("biva", "hfvae", "gaussian-pixel", COLOUR_28, "conv"),
    ("seatbelt", "leave-one-in", "laplace", COLOUR_64, "conv"),
    ("seatbelt-x", "factor-vae", "logistic-mixture", GREY_64, "conv"),
    ("seatbelt-top-down", "mss", "bernoulli", GREY_28, "conv"),
    ("vae", "mws", "logistic-mixture", GREY_28, "mlp"),
    ("dlgm", "hfvae", "gaussian", GREY_64, "mlp"),
    ("beta-tcdlgm", "elbo", "laplace", COLOUR_28, "mlp"),
    ("ladder-vae", "factor-vae", "continuous-bernoulli", COLOUR_64, "mlp"),
    ("biva", "leave-one-in", "bernoulli", GREY_28, "mlp"),
    ("seatbelt", "mss", "gaussian-pixel", GREY_64, "mlp"),
    ("seatbelt-x", "beta-vae", "gaussian-scalar", COLOUR_28, "mlp"),
    ("seatbelt-top-down", "elbo", "bernoulli", GREY_28, "mlp"),
]


def test_every_setting_meets_both_kinds_of_network() -> None:
    for column, settings in enumerate((MODELS, OBJECTIVES, LIKELIHOODS, SHAPES)):
        assert {(run[column], run[4]) for run in RUNS} == {
            (each, kind) for each in settings for kind in ("conv", "mlp")
        }


@pytest.mark.parametrize(("model", "objective", "likelihood", "shape", "kind"), RUNS)
def test_shapes_gradients_and_halves(
    model: str, objective: str, likelihood: str, shape: tuple[int, int, int], kind: str
) -> None:
    """Gradients reach every weight, in evaluation mode: in training, batch normalisation cancels the bias before it."""
    vae, loss = built(model, likelihood, shape, kind).double().eval(), double(OBJECTIVES[objective]())
    x, noise = images(likelihood, 4, shape, torch.float64), vae.draw_noise(4)
    encoding = vae(x, noise)
    terms = loss(encoding, x, DATA_SIZE)
    assert encoding.likelihood.mean.shape == x.shape
    for gradient in torch.autograd.grad(terms.loss, list(vae.parameters())):
        assert torch.isfinite(gradient).all()
        assert gradient.abs().max() > 0
    with torch.no_grad():
        halves = [loss(vae(x[h], [eps[h] for eps in noise]), x[h], DATA_SIZE) for h in (slice(0, 2), slice(2, 4))]
    assert torch.allclose(terms.elbo, torch.cat([half.elbo for half in halves]), atol=1e-8, rtol=1e-10)


@pytest.mark.parametrize(
    ("model", "objective", "likelihood", "shape", "kind"), [run for run in RUNS if run[3] in (GREY_28, COLOUR_28)][:6]
)
def test_training_mode_stays_finite_and_saves(
    model: str, objective: str, likelihood: str, shape: tuple[int, int, int], kind: str, tmp_path: Path
) -> None:
    """Ten steps at the library's learning rate, then the trained model to disk and back, batch statistics and all."""
    vae, loss = built(model, likelihood, shape, kind).train(), OBJECTIVES[objective]()
    x = images(likelihood, 8, shape)
    optimiser = torch.optim.Adam(vae.parameters(), lr=1e-3)
    losses = []
    for step in range(10):
        terms = loss.at(step)(vae(x), x, DATA_SIZE)
        optimiser.zero_grad()
        terms.loss.backward()
        optimiser.step()
        losses.append(terms.loss.item())
    assert all(torch.isfinite(torch.tensor(losses)))
    assert losses[-1] < losses[0]
    vae.eval()
    loaded = HierarchicalVAE.from_pretrained(vae.save_pretrained(tmp_path))
    assert torch.equal(vae.reconstruct(x), loaded.reconstruct(x))
