"""Hierarchies of others: any order of layers, with noise or without, and encoders that ignore theirs."""

import pytest
import torch
from torch import nn
from torch.distributions import Normal

import seatbelt_vae as sb
from seatbelt_vae.attacks import Cold, Latent, Output, Penalty, attack
from seatbelt_vae.attacks.divergences import kl

SHAPE = (1, 6, 6)
BRIEF = {"budget": Penalty([0.0, 0.1]), "solver": Cold(10)}
TAKES_NONE = "encode takes no noise: attacks along samples follow the means of the lower layers"
IGNORES = "encode ignores its noise: attacks along samples follow the means of the lower layers"


class Ladder(nn.Module):
    """Two layers, the top one first, as very deep VAEs give them: z_top from x, and z_bottom from x and z_top."""

    def __init__(self) -> None:
        super().__init__()
        self.top, self.bottom, self.out = nn.Linear(36, 4), nn.Linear(36 + 2, 6), nn.Linear(5, 36)

    def encode(self, x, noise=None):
        h = x.flatten(1)
        mean, s = self.top(h).chunk(2, 1)
        top = Normal(mean, s.exp())
        z = mean if noise is None else mean + s.exp() * noise[0]
        mean, s = self.bottom(torch.cat([h, z], 1)).chunk(2, 1)
        return top, Normal(mean, s.exp())

    def decode(self, z):
        top, bottom = z
        return self.out(torch.cat([top, bottom], 1)).view(-1, *SHAPE)


@pytest.fixture
def ladder():
    torch.manual_seed(0)
    return Ladder()


def test_layers_given_top_first_are_attacked_bottom_first(ladder, images):
    model = sb.wrap(ladder.encode, ladder.decode, image_shape=SHAPE, order="top-first")
    bottom, top = model.encode(images)
    theirs_top, theirs_bottom = ladder.encode(images)
    assert torch.equal(bottom.loc, theirs_bottom.loc)
    assert torch.equal(top.loc, theirs_top.loc)
    assert torch.equal(model.decode([bottom.loc, top.loc]).mean, ladder.decode((top.loc, bottom.loc)))
    found = attack(model, images[:2], images[2:], Latent(layers="top"), **BRIEF)
    with torch.no_grad():
        truth = kl(ladder.encode(found.adversarial[:, 0])[0], ladder.encode(images[2:])[0])
    torch.testing.assert_close(found.discrepancy[:, 0].float(), truth, rtol=1e-3, atol=1e-5)


def test_noise_goes_in_in_the_order_of_the_model(ladder, images):
    model = sb.wrap(ladder.encode, ladder.decode, image_shape=SHAPE, order="top-first")
    noise = [torch.randn(4, 3), torch.randn(4, 2)]
    bottom, _ = model.encode(images, noise)
    assert torch.equal(bottom.loc, ladder.encode(images, [noise[1], noise[0]])[1].loc)
    assert not any("noise" in sentence for sentence in model.assumptions)
    assert attack(model, images[:2], images[2:], Output(samples=2), **BRIEF).objective.isfinite().all()


def test_an_encoder_without_noise_or_that_ignores_it_is_said(ladder):
    def takes_none(x):
        return ladder.encode(x)

    def ignores(x, noise=None):
        return ladder.encode(x)

    for encode, sentence in ((takes_none, TAKES_NONE), (ignores, IGNORES)):
        model = sb.wrap(encode, ladder.decode, image_shape=SHAPE, order="top-first")
        assert sentence in model.assumptions


def test_a_decoder_that_sees_the_bottom_alone(ladder, images):
    model = sb.wrap(
        ladder.encode,
        lambda z: ladder.decode((torch.zeros(len(z[1]), 2), z[1])),
        image_shape=SHAPE,
        order="top-first",
        decoder_sees="bottom",
    )
    default = attack(model, images[:2], images[2:], Latent(), **BRIEF)
    bottom = attack(model, images[:2], images[2:], Latent(layers="bottom"), **BRIEF)
    assert torch.equal(default.objective, bottom.objective)


def test_priors_of_layers_are_in_the_order_of_the_model(ladder, images):
    def prior(z):
        top, bottom = z
        return Normal(torch.zeros_like(top), 2.0), Normal(bottom * 0 + top.sum(1, keepdim=True), 1.0)

    model = sb.wrap(ladder.encode, ladder.decode, image_shape=SHAPE, order="top-first", prior=prior)
    z = [torch.randn(4, 3), torch.randn(4, 2)]
    bottom, top = model.prior(z)
    assert top.scale[0, 0] == 2
    torch.testing.assert_close(bottom.loc, z[1].sum(1, keepdim=True).expand(4, 3))
