"""A pair of functions that cannot be attacked: one line says why."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Bernoulli, Normal

import seatbelt_vae as sb
from seatbelt_vae.attacks import Cold, Latent, Penalty, attack
from seatbelt_vae.errors import InputError

SHAPE = (1, 6, 6)


def code(x):
    return x.flatten(1)[:, :3]


def image(z):
    return z[:, :1, None, None].expand(-1, *SHAPE)


def scaled(scale):
    return lambda x: Normal(code(x), torch.full((len(x), 3), scale), validate_args=False)


@torch.no_grad()
def without_gradient(x):
    return code(x)


def in_numpy(x):
    return torch.from_numpy(np.asarray(x))[:, 0, 0, :3]


class Session:
    __module__ = "onnxruntime.capi"


ENCODERS = [
    (without_gradient, "encode: no gradient reaches the image"),
    (lambda x: code(x.detach()), "encode: no gradient reaches the image"),
    (lambda x: torch.zeros(len(x), 3, requires_grad=True), "encode: no gradient reaches the image"),
    (in_numpy, r"encode: fails on images of shape \(1, 1, 6, 6\): RuntimeError: Can't call numpy"),
    (lambda x: code(x).numpy(), "encode: gives a numpy array, which has no gradient"),
    (scaled(0.0), "encode: gives a scale of 0; every scale must be finite and above 0"),
    (scaled(float("nan")), "encode: gives a scale of nan; every scale"),
    (scaled(float("inf")), "encode: gives a scale of inf; every scale"),
    (lambda x: code(x) / 0, "encode: gives NaN or infinite means"),
    (lambda x: code(x).mean(0), r"encode: gives means \(3,\) for 2 images; must be \(2, …\)"),
    (lambda x, label: code(x), r"encode: fails on images of shape .*TypeError.*label"),
    (Session(), "encode: an ONNX graph has no gradients; turn it into a torch module"),
    ("model", "encode: a str; must be a module or function"),
]


@pytest.mark.parametrize(("encode", "message"), ENCODERS)
def test_an_encoder_that_cannot_be_attacked_is_named(encode, message):
    with pytest.raises(InputError, match=message) as caught:
        sb.wrap(encode, image, image_shape=SHAPE)
    assert "\n" not in str(caught.value)


DECODERS = [
    (lambda z: z, r"decode: gives images \(2, 3\) for 2 latents; must be \(2, 1, 6, 6\)"),
    (lambda z: image(z) / 0, "decode: gives NaN or infinite pixels"),
    (lambda z: {"x": z}, "decode: gives a dict; must give an image tensor or a distribution"),
    (lambda z: z @ torch.zeros(4, 4), r"decode: fails on .*RuntimeError: mat1 and mat2"),
    (None, "decode: a NoneType; must be a module or function"),
]


@pytest.mark.parametrize(("decode", "message"), DECODERS)
def test_a_decoder_that_cannot_be_used_is_named(decode, message):
    with pytest.raises(InputError, match=message):
        sb.wrap(code, decode, image_shape=SHAPE)


def test_a_bernoulli_is_of_pixels_from_0_to_1():
    def decode(z):
        return Bernoulli(logits=image(z))

    with pytest.raises(InputError, match=r"decode: gives a Bernoulli, whose pixels are from 0 to 1; say decoded="):
        sb.wrap(code, decode, image_shape=SHAPE, bounds=(-1, 1))
    sb.wrap(code, decode, image_shape=SHAPE, bounds=(-1, 1), decoded=(0, 1))


def test_a_model_in_two_places_or_in_none_is_named():
    here, nowhere = nn.Linear(36, 3), nn.Linear(3, 36, device="meta")
    encode = nn.Sequential(nn.Flatten(), here)
    with pytest.raises(InputError, match="model: has no weights"):
        sb.wrap(encode, nowhere, image_shape=SHAPE)


def test_a_plain_function_is_taken_to_be_in_evaluation_mode_and_the_attack_finds_out():
    net = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(36, 3)).train()
    model = sb.wrap(lambda x: net(x), image, image_shape=SHAPE)
    assert "encode is a plain function: what it calls is taken to be in evaluation mode" in model.assumptions
    x = torch.rand(2, *SHAPE)
    with pytest.raises(InputError, match=r"model: says something else when it is asked again"):
        attack(model, x[:1], x[1:], Latent(), Penalty([1.0]), Cold(2))
    seen = sb.wrap(net, image, image_shape=SHAPE)
    assert "encode is a plain function: what it calls is taken to be in evaluation mode" not in seen.assumptions
    assert net.training
    attack(seen, x[:1], x[1:], Latent(), Penalty([1.0]), Cold(2))
    assert net.training
