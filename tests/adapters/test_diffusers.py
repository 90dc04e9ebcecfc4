"""Autoencoders of diffusers, tiny and untrained, against a computation by hand."""

import pytest
import torch
from torch import nn
from torch.distributions import Normal

from seatbelt_vae.adapters.diffusers import autoencoder_kl
from seatbelt_vae.attacks import Cold, Latent, Output, Penalty, assess, attack
from seatbelt_vae.attacks.divergences import kl
from seatbelt_vae.errors import InputError

diffusers = pytest.importorskip("diffusers", reason="needs pip install 'seatbelt-vae[adapters]'")

BRIEF = {"budget": Penalty([0.0, 1.0]), "solver": Cold(4)}


@pytest.fixture
def autoencoder():
    torch.manual_seed(0)
    return diffusers.AutoencoderKL(
        block_out_channels=(8, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        norm_num_groups=4,
        latent_channels=2,
    ).eval()


@pytest.fixture
def pictures():
    return torch.rand(2, 3, 16, 24, generator=torch.Generator().manual_seed(0))


def test_what_an_autoencoder_says_is_what_is_attacked(autoencoder, pictures):
    model = autoencoder_kl(autoencoder)
    found = attack(model, pictures[:1], pictures[1:], Latent(), **BRIEF)
    with torch.no_grad():
        reached = autoencoder.encode(2 * found.adversarial[:, 0] - 1).latent_dist
        wanted = autoencoder.encode(2 * pictures[1:] - 1).latent_dist
        image = (autoencoder.decode(reached.mean).sample + 1) / 2
    torch.testing.assert_close(found.discrepancy[:, 0].float(), reached.kl(wanted), rtol=1e-3, atol=1e-3)
    measured = assess(model, found, samples=1)
    torch.testing.assert_close(measured.adversarial_reconstruction[:, 0], image, rtol=1e-4, atol=1e-5)
    assert attack(model, pictures[:1], pictures[1:], Output("l2"), **BRIEF).objective.isfinite().all()


def test_half_precision_tiling_and_slicing_are_undone_in_a_copy(autoencoder, pictures):
    autoencoder.tile_sample_min_size = autoencoder.tile_latent_min_size = 8
    plain = autoencoder_kl(autoencoder).encode(pictures)[0].loc
    autoencoder.enable_tiling()
    autoencoder.enable_slicing()
    whole = autoencoder_kl(autoencoder)
    assert "tiling and slicing are off: images are encoded whole" in whole.assumptions
    torch.testing.assert_close(whole.encode(pictures)[0].loc, plain)
    half = autoencoder_kl(autoencoder.bfloat16())
    assert any(sentence.startswith("the weights are in bfloat16") for sentence in half.assumptions)
    assert half.encode(pictures)[0].loc.dtype == torch.float32
    assert autoencoder.use_tiling
    assert autoencoder.dtype == torch.bfloat16


def test_posteriors_are_those_of_the_library_and_kl_agrees(autoencoder, pictures):
    with torch.no_grad():
        theirs = autoencoder.encode(2 * pictures - 1).latent_dist
        (ours,) = autoencoder_kl(autoencoder).encode(pictures)
    flat = Normal(ours.loc.flatten(1), ours.scale.flatten(1))
    unit = Normal(torch.zeros_like(flat.loc), torch.ones_like(flat.loc))
    torch.testing.assert_close(kl(flat, unit), theirs.kl())


@pytest.mark.parametrize("kind", ["AutoencoderTiny", "VQModel"])
def test_what_has_no_posterior_is_refused_with_what_works(kind):
    class Codes(nn.Module):
        config = None

        def encode(self, x): ...

    Codes.__name__ = kind
    with pytest.raises(InputError, match=f"{kind}: has no Gaussian posterior; wrap.*attacks the distance of its codes"):
        autoencoder_kl(Codes())


def test_images_that_the_strides_do_not_divide_are_named(autoencoder):
    with pytest.raises(InputError, match=r"decode: gives images of shape \(1, 3, 16, 24\) for \(1, 3, 17, 24\)"):
        attack(autoencoder_kl(autoencoder), torch.rand(1, 3, 17, 24), torch.rand(1, 3, 17, 24))
