"""Training reaches what is best: linear-Gaussian hierarchies against probabilistic PCA, whose optimum is known."""

import pytest
import torch
from torch import Tensor, nn

from seatbelt_vae.models import Decoder, GaussianConditional, Generative, HierarchicalVAE
from seatbelt_vae.models.likelihoods import GaussianLikelihood
from seatbelt_vae.models.posteriors import Chain
from seatbelt_vae.objectives import ELBO
from tests.oracles import LinearGaussian, ppca_optimum

PIXELS = 6


class LinearMean(nn.Module):
    """A linear location, and a log scale that does not depend on the context: the form of the exact conditionals."""

    def __init__(self, context: int, size: int) -> None:
        super().__init__()
        self.loc, self.log_scale = nn.Linear(context, size), nn.Parameter(torch.zeros(size))

    def forward(self, context: Tensor) -> Tensor:
        loc = self.loc(context)
        return torch.cat([loc, self.log_scale.expand_as(loc)], dim=-1)


def linear_model(sizes: list[int], sees_all: bool) -> HierarchicalVAE:
    """Every weight free, the pixels' variance too; the posterior sees x where the decoder sees every layer."""
    contexts = [PIXELS, *(below + (PIXELS if sees_all else 0) for below in sizes[:-1])]
    q = [GaussianConditional(LinearMean(context, size)) for context, size in zip(contexts, sizes, strict=True)]
    p = [GaussianConditional(LinearMean(above, size)) for size, above in zip(sizes[:-1], sizes[1:], strict=True)]
    network = nn.Sequential(nn.Linear(sum(sizes) if sees_all else sizes[0], PIXELS), nn.Unflatten(1, (1, 1, PIXELS)))
    likelihood = Decoder(network, GaussianLikelihood(variance=1.0, learned=True), sees_all)
    posterior = Chain(nn.Flatten(), q, sees_x=sees_all)
    return HierarchicalVAE(posterior, Generative(sizes, p), likelihood, image_shape=(1, 1, PIXELS)).double()


def fit(model: HierarchicalVAE, x: Tensor, steps: int, lr: float = 0.05) -> None:
    optimiser = torch.optim.Adam(model.parameters(), lr=lr, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        optimiser.zero_grad()
        ELBO()(model(x), x, len(x)).loss.backward()
        optimiser.step()
        schedule.step()


@pytest.mark.parametrize(
    ("sizes", "sees_all", "rank"),
    [([2], False, 2), ([2, 1], False, 2), ([2, 2, 1], False, 2), ([2, 1], True, 3)],
    ids=["L=1", "L=2", "L=3", "seatbelt L=2"],
)
def test_adam_brings_the_elbo_to_the_closed_form_optimum(sizes: list[int], sees_all: bool, rank: int) -> None:
    """No hierarchy of linear networks can beat PCA of the rank that its decoder sees, and each can reach it."""
    torch.manual_seed(0)
    x = LinearGaussian.separable([3], sees_all=False, image_shape=(1, 1, PIXELS)).sample(200)
    model = linear_model(sizes, sees_all)
    fit(model, x, steps=600)
    with torch.no_grad():
        draws = torch.stack([ELBO()(model(x), x, 1).elbo.mean() for _ in range(200)])
    reached, error = float(draws.mean()), float(draws.std() / 200**0.5)
    assert ppca_optimum(x, rank) - 0.05 < reached < ppca_optimum(x, rank) + 4 * error
    assert error < 0.01
