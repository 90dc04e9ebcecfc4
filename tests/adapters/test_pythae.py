"""Models of pythae: by a stand-in with its interface, and by the library itself where it is installed."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.distributions import Independent, Normal, kl_divergence

from seatbelt_vae.adapters.pythae import pythae
from seatbelt_vae.attacks import Cold, Latent, Output, Penalty, attack
from seatbelt_vae.errors import InputError

SHAPE = (1, 6, 6)
BRIEF = {"budget": Penalty([0.0, 0.1]), "solver": Cold(5)}


class Part(nn.Module):
    """A linear encoder or decoder; pythae's are asked for attributes of what they return."""

    def __init__(self, inputs: int, **sizes: int) -> None:
        super().__init__()
        self.layers = nn.ModuleDict({name: nn.Linear(inputs, size) for name, size in sizes.items()})

    def forward(self, x):
        return SimpleNamespace(**{name: layer(x.flatten(1)).sigmoid() for name, layer in self.layers.items()})


class VAE(nn.Module):
    def __init__(self, loss: str | None = "mse", input_dim: tuple[int, ...] | None = SHAPE) -> None:
        super().__init__()
        self.model_config = SimpleNamespace(input_dim=input_dim, reconstruction_loss=loss)
        self.encoder = Part(36, embedding=3, log_covariance=3)
        self.decoder = Part(3, reconstruction=36)


class BetaTCVAE(VAE): ...


class SVAE(VAE): ...


class AE(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.model_config = SimpleNamespace(input_dim=SHAPE)
        self.encoder = Part(36, embedding=3)
        self.decoder = Part(3, reconstruction=36)


class VAMP(VAE):
    """Its prior as the library computes it, without the constant (2π)^(-D/2)."""

    number_components = 4

    def __init__(self) -> None:
        super().__init__()
        self.pseudo_inputs = nn.Linear(4, 36)
        self.idle_input = torch.eye(4)

    def log_p(self, z):
        out = self.encoder(self.pseudo_inputs(self.idle_input))
        squares = out.log_covariance + (z[:, None] - out.embedding) ** 2 / out.log_covariance.exp()
        return torch.logsumexp(-0.5 * squares.sum(2) - math.log(4), dim=1)


def test_a_vae_has_the_posterior_of_its_encoder(images):
    theirs = BetaTCVAE()
    model = pythae(theirs)
    out = theirs.encoder(images)
    (q,) = model.encode(images)
    assert torch.equal(q.loc, out.embedding)
    torch.testing.assert_close(q.scale**2, out.log_covariance.exp())
    assert attack(model, images[:2], images[2:], Latent(), **BRIEF).objective.isfinite().all()


@pytest.mark.parametrize("loss", ["mse", "bce"])
def test_the_likelihood_is_that_of_the_loss(loss, images):
    theirs = VAE(loss)
    z = torch.randn(4, 3)
    image = theirs.decoder(z).reconstruction.view(4, *SHAPE)
    if loss == "mse":
        expected = -0.5 * (image - images).square() - 0.5 * math.log(2 * math.pi)
    else:
        expected = images * image.log() + (1 - images) * (1 - image).log()
    torch.testing.assert_close(pythae(theirs).decode([z]).log_prob(images), expected.flatten(1).sum(1))


def test_a_vamp_keeps_its_mixture_prior(images):
    theirs = VAMP()
    model = pythae(theirs)
    z = torch.randn(5, 3)
    constant = -1.5 * math.log(2 * math.pi)
    torch.testing.assert_close(model.prior([z])[0].log_prob(z), theirs.log_p(z) + constant)
    assert not any("prior" in sentence for sentence in model.assumptions)
    assert attack(model, images[:2], images[2:], Output(samples=1), **BRIEF).objective.isfinite().all()


def test_a_plain_autoencoder_is_attacked_by_its_codes():
    assert pythae(AE()).deterministic


def test_what_cannot_be_adapted_is_named():
    with pytest.raises(InputError, match="SVAE: its posterior is a von Mises-Fisher distribution, no Gaussian; wrap"):
        pythae(SVAE())
    with pytest.raises(InputError, match="VAE: its configuration has no input_dim; give image_shape"):
        pythae(VAE(input_dim=None))
    assert pythae(VAE(input_dim=None), image_shape=SHAPE).image_shape == SHAPE


def test_the_library_itself_agrees(images):
    models = pytest.importorskip("pythae.models", reason="pip install pythae, which is not among the extras")
    torch.manual_seed(0)
    config = {"input_dim": SHAPE, "latent_dim": 3}
    theirs = models.BetaTCVAE(models.BetaTCVAEConfig(**config))
    model = pythae(theirs)
    (q,) = model.encode(images)
    torch.testing.assert_close(q.loc, theirs.encoder(images).embedding)
    plain = models.VAE(models.VAEConfig(**config))
    (q,) = pythae(plain).encode(images)
    ours = kl_divergence(q, Normal(torch.zeros(4, 3), 1.0)).sum(1).mean()
    torch.testing.assert_close(plain({"data": images}).reg_loss, ours)
    vamp = models.VAMP(models.VAMPConfig(**config, number_components=5))
    z = torch.randn(4, 3)
    torch.testing.assert_close(pythae(vamp).prior([z])[0].log_prob(z), vamp._log_p_z(z) - 1.5 * math.log(2 * math.pi))


class Native(nn.Module):
    """The default networks of pythae with their weights, written for this library."""

    def __init__(self, weights) -> None:
        super().__init__()
        self.weights = nn.ParameterDict({name.replace(".", "/"): value for name, value in weights.items()})

    def layer(self, name, x):
        name = name.replace(".", "/")
        return nn.functional.linear(x, self.weights[f"{name}/weight"], self.weights[f"{name}/bias"])

    def encode(self, x, noise=None):
        h = self.layer("encoder.layers.0.0", x.flatten(1)).relu()
        scale = (0.5 * self.layer("encoder.log_var", h)).exp()
        return (Normal(self.layer("encoder.embedding", h), scale, validate_args=False),)

    def decode(self, z):
        h = self.layer("decoder.layers.0.0", z[0]).relu()
        image = self.layer("decoder.layers.1.0", h).sigmoid().view(-1, *SHAPE)
        return Independent(Normal(image, torch.ones_like(image), validate_args=False), 3, validate_args=False)


@pytest.mark.parametrize("objective", [Latent(), Output("l2")])
def test_weights_are_attacked_alike_adapted_and_native(images, objective):
    models = pytest.importorskip("pythae.models", reason="pip install pythae, which is not among the extras")
    torch.manual_seed(0)
    theirs = models.BetaTCVAE(models.BetaTCVAEConfig(input_dim=SHAPE, latent_dim=3))
    native = Native(theirs.state_dict())
    found, expected = (attack(each, images[:2], images[2:], objective, **BRIEF) for each in (pythae(theirs), native))
    torch.testing.assert_close(found.objective, expected.objective, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found.adversarial, expected.adversarial, rtol=0, atol=1e-5)
