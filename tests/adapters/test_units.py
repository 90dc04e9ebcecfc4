"""Images in [0, 1] outside, and in anybody's units inside."""

import pytest
import torch
from torch.distributions import Bernoulli, Independent, Laplace, Normal, TransformedDistribution
from torch.distributions.transforms import AffineTransform

from seatbelt_vae.adapters.images import read_image
from seatbelt_vae.adapters.units import units_of
from seatbelt_vae.errors import InputError

SHAPE = (3, 2, 4)
X = torch.rand(5, *SHAPE, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("bounds", [(0.0, 1.0), (-1.0, 1.0), (0, 255), (-0.5, 0.5)])
def test_black_and_white_are_the_bounds_and_come_back(bounds):
    units = units_of(bounds, SHAPE)
    assert (units.inward(torch.zeros(1)).item(), units.inward(torch.ones(1)).item()) == bounds
    torch.testing.assert_close(units.outward(units.inward(X)), X)
    assert units.is_unit() == (bounds == (0.0, 1.0))


def test_imagenet_takes_off_the_mean_of_each_channel():
    units = units_of("imagenet", SHAPE)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    torch.testing.assert_close(units.inward(X), ((X.movedim(1, -1) - mean) / std).movedim(-1, 1))
    torch.testing.assert_close(units.outward(units.inward(X)), X)


@pytest.mark.parametrize("bounds", [(-1.0, 1.0), (0, 255), "imagenet"])
def test_a_density_in_other_units_is_one_of_images_in_0_to_1(bounds):
    units = units_of(bounds, SHAPE)
    loc, scale = units.inward(X).flip(0), 0.3 + X
    ours = read_image(Laplace(loc, scale), units, 0.1)
    back = AffineTransform(-units.offset / units.slope, 1 / units.slope)
    oracle = TransformedDistribution(Laplace(loc, scale), back, validate_args=False)
    torch.testing.assert_close(ours.log_prob(X), oracle.log_prob(X).flatten(1).sum(1), rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(ours.mean, X.flip(0))


@pytest.mark.parametrize("bounds", [(0.0, 1.0), (-1.0, 1.0), "imagenet"])
def test_an_image_is_the_mean_of_a_gaussian_in_units_of_0_to_1(bounds):
    units = units_of(bounds, SHAPE)
    ours = read_image(units.inward(X.flip(0)), units, 0.04)
    oracle = Normal(X.flip(0), 0.2).log_prob(X).flatten(1).sum(1)
    torch.testing.assert_close(ours.log_prob(X), oracle, rtol=1e-5, atol=1e-4)


def test_a_bernoulli_takes_grey_pixels_independent_or_not():
    units = units_of((0.0, 1.0), SHAPE)
    logits = X.logit()
    oracle = (X.flip(0) * X.log() + (1 - X.flip(0)) * (1 - X).log()).flatten(1).sum(1)
    for distribution in (Bernoulli(logits=logits), Independent(Bernoulli(logits=logits), 3), Bernoulli(probs=X)):
        ours = read_image(distribution, units, 0.1)
        torch.testing.assert_close(ours.log_prob(X.flip(0)), oracle)
        torch.testing.assert_close(ours.mean, X)


def test_a_decoder_that_gives_something_else_is_named():
    with pytest.raises(InputError, match="decode: gives a tuple; must give an image tensor or a distribution"):
        read_image((X, X), units_of((0.0, 1.0), SHAPE), 0.1)


@pytest.mark.parametrize(
    ("bounds", "shape", "message"),
    [
        ("clip", SHAPE, "bounds 'clip': must be two numbers"),
        ((1.0, 0.0), SHAPE, r"bounds \(1.0, 0.0\): must be black and white"),
        ((0.0, float("nan")), SHAPE, "must be black and white"),
        (1.0, SHAPE, "bounds 1.0: must be black and white"),
        ("imagenet", (1, 2, 4), r"bounds 'imagenet': needs images \(3, H, W\)"),
    ],
)
def test_bounds_that_are_none_are_named(bounds, shape, message):
    with pytest.raises(InputError, match=message):
        units_of(bounds, shape)
