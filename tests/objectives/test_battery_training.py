"""Fifty steps of every model × objective; likelihoods and image shapes go round so that every pair of settings meets.

56 runs cover each of the pairs model-objective, model-likelihood, objective-likelihood, and each of those three with
the four image shapes, which the first test counts.
"""

import itertools

import pytest
import torch

from seatbelt_vae.models import LIKELIHOODS
from seatbelt_vae.objectives import FactorVAE
from tests.objectives.battery import DATA_SIZE, MODELS, OBJECTIVES, SHAPES, built, images

STEPS, BATCH = 50, 4
RUNS = [
    (model, objective, list(LIKELIHOODS)[(m + o) % len(LIKELIHOODS)], SHAPES[(m + o // 2) % len(SHAPES)])
    for (m, model), (o, objective) in itertools.product(enumerate(MODELS), enumerate(OBJECTIVES))
]


def test_every_pair_of_settings_meets() -> None:
    columns = [list(MODELS), list(OBJECTIVES), list(LIKELIHOODS), SHAPES]
    for a, b in itertools.combinations(range(4), 2):
        assert {(run[a], run[b]) for run in RUNS} == set(itertools.product(columns[a], columns[b]))


@pytest.mark.parametrize(("model", "objective", "likelihood", "shape"), RUNS)
def test_fifty_steps(model: str, objective: str, likelihood: str, shape: tuple[int, int, int]) -> None:
    """Every number stays finite, every weight moves, and the loss on the same images falls."""
    vae, loss = built(model, likelihood, shape).train(), OBJECTIVES[objective]()
    x = images(likelihood, BATCH, shape)
    x = 0.25 * x + 0.5 * (likelihood != "bernoulli")  # something to learn: noise has no mean but 1/2
    if likelihood == "bernoulli":
        x = (x > 0).float().roll(1, 0)
    before = [weight.detach().clone() for weight in vae.parameters()]
    optimisers = [torch.optim.Adam(vae.parameters(), lr=1e-2)]
    if isinstance(loss, FactorVAE):
        optimisers.append(torch.optim.Adam(loss.discriminator.parameters(), lr=1e-3, betas=loss.discriminator.betas))
    losses = []
    for step in range(STEPS):
        encoding = vae(x)
        terms = loss.at(step)(encoding, x, DATA_SIZE)
        for optimiser in optimisers:
            optimiser.zero_grad()
        terms.loss.backward()
        if isinstance(loss, FactorVAE):
            loss.discriminator.loss(encoding.z[-1]).backward()
        for optimiser in optimisers:
            optimiser.step()
        losses.append(terms.loss.item())
    assert all(torch.isfinite(torch.tensor(value)) for value in (*losses, *terms.summary().values()))
    for was, weight in zip(before, vae.parameters(), strict=True):
        assert torch.isfinite(weight).all()
        assert not torch.equal(was, weight)
    assert sum(losses[-5:]) < sum(losses[:5])
