"""Somebody's trained VAEs: wrapped in a few lines, they are attacked as the same weights written for this library.

The weights are those of github.com/YannDubs/disentangling-vae (MIT licence), as safetensors.
"""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn
from torch.distributions import Bernoulli, Independent, Normal

import seatbelt_vae as sb
from seatbelt_vae.attacks import Cold, Latent, Output, Penalty, attack

MODELS = Path(os.environ.get("SEATBELT_MODELS", Path(__file__).parents[3] / "shared" / "models"))
DATA = Path(os.environ.get("SEATBELT_DATA", Path(__file__).parents[3] / "shared" / "data"))


class Burgess(nn.Module):
    """The network of Burgess et al. 2018, by the names of its weights."""

    def __init__(self, weights):
        super().__init__()
        self.weights = nn.ParameterDict({name.replace(".", "/"): value for name, value in weights.items()})

    def layer(self, kind, name, x, **settings):
        return kind(x, self.weights[f"{name}/weight"], self.weights[f"{name}/bias"], **settings)

    def encode(self, x):
        for name in ("conv1", "conv2", "conv3", "conv_64"):
            x = self.layer(F.conv2d, f"encoder/{name}", x, stride=2, padding=1).relu()
        x = x.flatten(1)
        for name in ("lin1", "lin2"):
            x = self.layer(F.linear, f"encoder/{name}", x).relu()
        both = self.layer(F.linear, "encoder/mu_logvar_gen", x)
        return both[:, 0::2], both[:, 1::2]

    def logits(self, z):
        for name in ("lin1", "lin2", "lin3"):
            z = self.layer(F.linear, f"decoder/{name}", z).relu()
        z = z.view(-1, 32, 4, 4)
        for name in ("convT_64", "convT1", "convT2"):
            z = self.layer(F.conv_transpose2d, f"decoder/{name}", z, stride=2, padding=1).relu()
        return self.layer(F.conv_transpose2d, "decoder/convT3", z, stride=2, padding=1)

    def decode(self, z):
        return Bernoulli(logits=self.logits(z))


class Native(Burgess):
    """The same, written for this library."""

    def encode(self, x, noise=None):
        mean, log_variance = super().encode(x)
        return (Normal(mean, (0.5 * log_variance).exp(), validate_args=False),)

    def decode(self, z):
        return Independent(Bernoulli(logits=self.logits(z[0]), validate_args=False), 3, validate_args=False)


@pytest.fixture(params=["VAE_chairs", "btcvae_dsprites"])
def weights(request):
    path = MODELS / f"{request.param}.safetensors"
    if not path.exists():
        pytest.skip(f"{path} is absent: the trained models of disentangling-vae; set SEATBELT_MODELS to their folder")
    return load_file(path)


@pytest.fixture
def pictures(weights, request):
    name = {"VAE_chairs": "chairs_aubry_real100", "btcvae_dsprites": "disvae_dsprites100"}[
        request.node.callspec.params["weights"]
    ]
    path = DATA / f"{name}.npz"
    if not path.exists():
        pytest.skip(f"{path} is absent: images that these models were trained on; set SEATBELT_DATA to their folder")
    images = torch.from_numpy(np.load(path)["images"][:4]).float() / 255
    return images.reshape(4, 1, 64, 64)


@pytest.mark.parametrize("objective", [Latent(), Output(samples=1)])
def test_trained_weights_are_attacked_alike_wrapped_and_native(weights, pictures, objective):
    theirs = Burgess(weights)
    wrapped = sb.wrap(theirs.encode, theirs.decode, image_shape=(1, 64, 64), posterior="log-variance")
    settings = {"budget": Penalty([1.0, 16.0]), "solver": Cold(10)}
    found = attack(wrapped, pictures[:2], pictures[2:], objective, **settings)
    native = attack(Native(weights), pictures[:2], pictures[2:], objective, **settings)
    torch.testing.assert_close(found.objective, native.objective, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found.adversarial, native.adversarial, rtol=0, atol=1e-5)
    assert wrapped.assumptions == ("no prior is given: a standard normal is assumed",)
