"""What an attack refuses at the door, of any model and on the images that it is given."""

import pytest
import torch
from torch import nn
from torch.distributions import Bernoulli, Independent, Normal

from seatbelt_vae.attacks import Cold, Latent, Output, Penalty, assess, attack
from seatbelt_vae.attacks.probe import check_whole, one_line
from seatbelt_vae.errors import InputError
from seatbelt_vae.models import vae

X = torch.rand(4, 1, 4, 4, generator=torch.Generator().manual_seed(0))


class Model(nn.Module):
    """Every answer is a setting; the scale vanishes where the first pixel is 0."""

    def __init__(self, encode=None, decode=None) -> None:
        super().__init__()
        self.answer, self.image = encode, decode

    def encode(self, x, noise=None):
        if self.answer is not None:
            return self.answer(x)
        return (Normal(x.flatten(1), x[:, 0, 0, :1].expand(-1, 16), validate_args=False),)

    def decode(self, z):
        mean = z[0].view(-1, 1, 4, 4)
        if self.image is not None:
            mean = self.image(mean)
        return Independent(Normal(mean, 1.0, validate_args=False), 3, validate_args=False)


def unit(x):
    return Normal(x.flatten(1), 1.0, validate_args=False)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Model(lambda x: x), "encode: returns a Tensor; must return a tuple of Normals: seatbelt_vae.wrap"),
        (Model(lambda x: (x, x)), "posterior Tensor: attacks need a diagonal Gaussian.*seatbelt_vae.wrap"),
        (Model(lambda x: ()), "encode: gives no layer"),
        (Model(lambda x: (unit(x.detach()),)), "encode: no gradient reaches the image"),
        (Model(lambda x: (unit(x), unit(x / 0))), "encode, layer 1: gives NaN or infinite means"),
        (
            Model(lambda x: (unit(x[:, :, :, :3] @ x),)),
            r"encode: fails on images of shape \(1, 1, 4, 4\): RuntimeError",
        ),
        (Model(decode=lambda x: x[..., :2]), r"decode: gives images of shape \(1, 1, 4, 2\) for \(1, 1, 4, 4\)"),
        (Model(decode=lambda x: x.nothing), "decode: fails on images of shape .*AttributeError"),
    ],
)
def test_a_model_that_cannot_be_attacked_is_one_line(model, message):
    with pytest.raises(InputError, match=message) as caught:
        attack(model, X[:2], X[2:])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("where", ["source", "target"])
def test_a_scale_that_vanishes_for_one_image_alone_is_found(where):
    images = X + 0.1
    images[1 if where == "source" else 3, 0, 0, 0] = 0
    with pytest.raises(InputError, match="encode: gives a scale of 0; every scale must be finite and above 0"):
        attack(Model(), images[:2].clamp(0, 1), images[2:].clamp(0, 1))


def test_a_model_in_two_places_is_named():
    model = vae((1, 28, 28), latent_sizes=(3,), network="tiny")
    check_whole(model)
    name, weight = next(iter(model.named_parameters()))
    place, _, last = name.rpartition(".")
    setattr(model.get_submodule(place), last, nn.Parameter(torch.empty(weight.shape, device="meta")))
    with pytest.raises(InputError, match="model: has no weights"):
        check_whole(model)


def test_a_long_message_of_others_is_cut():
    assert len(one_line(ValueError("word " * 1000))) < 250


def test_rows_of_numbers_are_images_enough():
    class Flat(Model):
        def encode(self, x, noise=None):
            return (unit(x),)

        def decode(self, z):
            return Independent(Normal(z[0], 1.0), 1)

    rows = X.flatten(1)
    found = attack(Flat(), rows[:2], rows[2:], Latent(), Penalty([0.0]), Cold(20))
    assert (found.distortion[:, 0] - (rows[2:] - rows[:2]).norm(dim=1)).abs().max() < 1e-3
    with pytest.raises(InputError, match="source and target: must both be"):
        attack(Flat(), rows[0], rows[1])


def test_images_and_bounds_that_are_no_tensors_and_no_numbers_are_named():
    with pytest.raises(InputError, match=r"images: a ndarray; must be a tensor: torch.as_tensor"):
        attack(Model(), X[:2].numpy(), X[2:].numpy())
    with pytest.raises(InputError, match=r"bounds .*: must be two numbers; a model of other units is wrapped"):
        attack(Model(), X[:2], X[2:], bounds=(torch.zeros(3), torch.ones(3)))
    with pytest.raises(InputError, match="the lower must be below the upper"):
        attack(Model(), X[:2], X[2:], bounds=(1.0, 0.0))


def test_a_model_without_encode_is_told_what_would_help() -> None:
    wrapped = nn.DataParallel(vae((1, 28, 28), latent_sizes=(3,), network="tiny"))
    with pytest.raises(InputError, match=r"model: DataParallel has no encode; give its \.module"):
        check_whole(wrapped)
    with pytest.raises(InputError, match=r"model: Linear has no encode; seatbelt_vae\.wrap"):
        check_whole(nn.Linear(2, 2))


def test_weights_that_are_no_numbers_are_named() -> None:
    model = vae((1, 28, 28), latent_sizes=(3,), network="tiny")
    name, weight = next(iter(model.named_parameters()))
    weight.data.view(-1)[0] = float("nan")
    with pytest.raises(InputError, match=f"model: its weight {name} holds NaN or infinity"):
        check_whole(model)


class Strict(Model):
    """Its Bernoulli takes 0 and 1 alone, as torch's do unless they are told not to look."""

    def decode(self, z):
        # said, since torch.export turns the default off for the whole process
        return Independent(Bernoulli(logits=z[0].view(-1, 1, 4, 4), validate_args=True), 3)


def test_a_likelihood_that_refuses_grey_values_says_how_it_takes_them():
    model = Strict(lambda x: (unit(x),))
    message = "^decode: its Bernoulli refuses these images; make it with validate_args=False$"
    result = attack(model, X[:2], X[2:], Latent(), Penalty([1.0]), Cold(1))
    with pytest.raises(InputError, match=message):
        assess(model, result)
    with pytest.raises(InputError, match=message):
        attack(model, X[:2], X[2:], Output(), Penalty([1.0]), Cold(1))
