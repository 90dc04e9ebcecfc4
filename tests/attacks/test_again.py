"""r of a finished attack, computed from its images: against PyTorch's own KL, and against what the attack kept."""

import pytest
import torch
from torch.distributions import kl_divergence

from seatbelt_vae.attacks import Ball, Cold, Damage, Latent, Output, Penalty, attack
from seatbelt_vae.attacks.again import discrepancy, objective_of
from seatbelt_vae.errors import InputError
from seatbelt_vae.models import HierarchicalVAE, seatbelt_vae
from tests.tiny import network

SHAPE = (1, 28, 28)


@pytest.fixture(scope="module")
def model() -> HierarchicalVAE:
    torch.manual_seed(0)
    return seatbelt_vae(SHAPE, (4, 2), network=network(SHAPE, 6), hidden_sizes=(8,)).eval()


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    noise = torch.rand(3, *SHAPE, generator=torch.Generator().manual_seed(1))
    return noise * torch.tensor([0.1, 0.5, 1.0]).view(-1, 1, 1, 1)


def test_it_is_the_divergence_of_the_posteriors(model: HierarchicalVAE, images: torch.Tensor) -> None:
    result = attack(model, images, images.roll(1, 0), Latent("kl"), Penalty([0.1, 100.0]), Cold(max_iterations=3))
    with torch.no_grad():
        theirs = model.encode(result.target[:2])
        assert (result.discrepancy[:, 1] > 1e-4).all()  # there is something to compare
        for place in range(2):
            ours = model.encode(result.adversarial[:2, place])
            expected = sum(kl_divergence(q, p).sum(-1) for q, p in zip(ours, theirs, strict=True))
            assert torch.allclose(discrepancy(model, result, 2)[:, place], expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(
    ("objective", "budget"),
    [
        (Latent("w2", layers="top", samples=3), Penalty([0.1, 1.0])),
        (Latent("kl", samples=2, target_noise="own"), Penalty([1.0])),
        (Output(samples=2), Penalty([1.0])),
        (Damage("skl"), Ball([1.0, 2.0])),
        (Damage(), Ball([0.1], norm="linf")),
    ],
)
def test_it_is_what_the_attack_kept(model: HierarchicalVAE, images: torch.Tensor, objective, budget) -> None:
    target = images.roll(1, 0) if objective.targeted else None
    result = attack(model, images, target, objective, budget, Cold(max_iterations=3), seed=3)
    for pairs in (1, 3):
        kept = result.discrepancy[:pairs]
        most = kept.abs().max().item()
        assert torch.allclose(discrepancy(model, result, pairs).double(), kept.double(), rtol=1e-3, atol=1e-5 * most)


def test_settings_of_no_objective() -> None:
    with pytest.raises(InputError, match="'nope' is unknown"):
        objective_of({"objective": {"name": "nope"}})


@pytest.mark.parametrize("change", [{"seed": None}, {"bounds": [0]}, {"bounds": None}, {"bounds": ["a", "b"]}])
def test_settings_that_say_nothing(model: HierarchicalVAE, images: torch.Tensor, change: dict[str, object]) -> None:
    result = attack(model, images, images.roll(1, 0), Latent(), Penalty([1.0]), Cold(max_iterations=1))
    result.settings.update(change)
    with pytest.raises(InputError, match="do not say how the attack was made"):
        discrepancy(model, result, 1)
