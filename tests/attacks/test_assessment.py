"""What an attack gained, measured again from the model itself."""

import pytest
import torch

from seatbelt_vae.attacks import (
    Assessment,
    Ball,
    Cold,
    Damage,
    Latent,
    Penalty,
    assess,
    attack,
    reconstruct,
)
from seatbelt_vae.errors import InputError
from seatbelt_vae.storage import write_tensors


@pytest.fixture
def targeted(hierarchy, images):
    return attack(hierarchy, images[:2], images[2:], Latent(), Penalty([0.0, 1.0]), Cold(3))


@pytest.fixture
def damage(hierarchy, images):
    return attack(hierarchy, images[:2], None, Damage(), Ball([0.1, 0.5, 1.0]), Cold(3))


def test_reconstructions_are_those_of_the_model(hierarchy, targeted):
    found = assess(hierarchy, targeted, samples=2)
    torch.testing.assert_close(found.source_reconstruction, hierarchy.reconstruct(targeted.source).detach())
    torch.testing.assert_close(found.target_reconstruction, hierarchy.reconstruct(targeted.target).detach())
    for column in range(2):
        expected = hierarchy.reconstruct(targeted.adversarial[:, column]).detach()
        torch.testing.assert_close(found.adversarial_reconstruction[:, column], expected)


def test_likelihood_is_the_mean_over_fresh_samples(hierarchy, targeted):
    found = assess(hierarchy, targeted, samples=3, seed=5)
    images = targeted.adversarial.flatten(0, 1)
    generator = torch.Generator().manual_seed(5)
    values = []
    for _ in range(3):
        noise = [torch.randn(4, size, generator=generator).double() for size in hierarchy.latent_sizes]
        q = hierarchy.encode(images, noise)
        z = [layer.loc + layer.scale * eps for layer, eps in zip(q, noise, strict=True)]
        values.append(hierarchy.decode(z).log_prob(targeted.target.repeat_interleave(2, dim=0)).detach())
    values = torch.stack(values).view(3, 2, 2)
    torch.testing.assert_close(found.nll, -values.mean(0))
    torch.testing.assert_close(found.nll_error, values.std(0) / 3**0.5)


def test_one_sample_has_no_error(hierarchy, targeted):
    found = assess(hierarchy, targeted, samples=1)
    assert found.nll.isfinite().all()
    assert found.nll_error.isnan().all()


def test_without_a_target_the_target_is_the_source(hierarchy, damage):
    found = assess(hierarchy, damage, samples=2)
    assert found.nll.shape == (2, 3)
    assert torch.equal(found.target_reconstruction, found.source_reconstruction)
    moved = (found.adversarial_reconstruction - found.source_reconstruction[:, None]).flatten(2).norm(dim=-1)
    torch.testing.assert_close(moved, -damage.discrepancy)


def test_more_images_than_a_chunk_holds(hierarchy, images):
    many = images.repeat(20, 1, 1, 1)
    torch.testing.assert_close(reconstruct(hierarchy, many), hierarchy.reconstruct(many).detach())


def test_a_model_in_training_is_left_as_it_was(hierarchy, targeted):
    before = assess(hierarchy, targeted, samples=2)
    after = assess(hierarchy.train(), targeted, samples=2)
    assert hierarchy.training
    assert torch.equal(before.nll, after.nll)


def test_saved_assessment_comes_back_to_the_bit(hierarchy, targeted, tmp_path):
    found = assess(hierarchy, targeted, samples=2)
    found.save(tmp_path, "latent")
    assert (tmp_path / "latent.assessment.safetensors").exists()
    again = Assessment.load(tmp_path, "latent")
    assert torch.equal(again.nll, found.nll)
    assert torch.equal(again.adversarial_reconstruction, found.adversarial_reconstruction)


def test_what_is_no_assessment_is_named(tmp_path):
    write_tensors(tmp_path / "latent.assessment.safetensors", {"success": torch.zeros(1)})
    with pytest.raises(InputError, match="is not an assessment of this version"):
        Assessment.load(tmp_path, "latent")
