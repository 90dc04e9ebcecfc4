from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.distributions import Normal

from seatbelt_vae.data import ImageDataset
from seatbelt_vae.models import HierarchicalVAE, vae
from seatbelt_vae.objectives import ELBO, BetaTC
from seatbelt_vae.training.update import Settings, Update

Make = Callable[..., HierarchicalVAE]


def test_one_update_against_adam_written_out(images: ImageDataset, make_model: Make) -> None:
    model, reference = make_model().train(), make_model().train()
    update = Update(model, images, ELBO(), Settings(steps=10, batch_size=8, lr=1e-2, clip_norm=5.0))
    _, record = update(0)

    mirrored = Update(reference, images, ELBO(), update.settings)
    encoding, x = mirrored.encode(0)
    ELBO()(encoding, x, len(images)).loss.backward()
    norm = torch.stack([p.grad.square().sum() for p in reference.parameters() if p.grad is not None]).sum().sqrt()
    assert record["gradient_norm"] == pytest.approx(float(norm), rel=1e-3)
    assert float(norm) > 5.0, "the test is about clipping"
    for after, before in zip(model.parameters(), reference.parameters(), strict=True):
        gradient = before.grad * 5.0 / norm
        # Adam's first step: the bias-corrected moments are g and g².
        expected = before - 1e-2 * gradient / (gradient.abs() + 1e-8)
        torch.testing.assert_close(after, expected, rtol=1e-3, atol=1e-6)


def test_tc_samples_gives_the_objective_the_whole_epoch(images: ImageDataset, make_model: Make) -> None:
    """Batch and others together are the epoch; without gradient, encoded as the batch is."""
    update = Update(make_model().train(), images, BetaTC(tc_samples=40), Settings(steps=1, batch_size=8))
    encoding, _ = update.encode(0)
    assert isinstance(encoding.others, Normal)
    assert encoding.others.loc.shape == (32, 2)
    assert not encoding.others.loc.requires_grad
    seen = torch.cat([update.schedule.batch(0), update.schedule.others(0, 32)])
    assert sorted(seen.tolist()) == list(range(40))


def test_others_of_one_layer_are_the_posteriors_of_the_rest(
    images: ImageDataset, make_networks: Callable[..., Any]
) -> None:
    model = vae((1, 28, 28), latent_sizes=(3,), network=make_networks(latent_size=3)).train()
    update = Update(model, images, BetaTC(tc_samples=24), Settings(steps=1, batch_size=8))
    others = update.encode(5)[0].others
    assert others is not None
    chunks = update.schedule.others(5, 16).split(8)  # batch norm sees batches of 8, as in training
    expected = [model.encode(images[chunk])[0] for chunk in chunks]
    torch.testing.assert_close(others.loc, torch.cat([q.loc for q in expected]))
    torch.testing.assert_close(others.scale, torch.cat([q.scale for q in expected]))
