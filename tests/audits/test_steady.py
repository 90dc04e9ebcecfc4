"""A random model averaged over fixed random numbers is a function of each image, and the average that it should be."""

import torch
from torch import Tensor

from seatbelt_vae.attacks import Cold, Latent, Penalty, attack
from seatbelt_vae.attacks.noise import Noise
from seatbelt_vae.audits.steady import DRAWS, Steady
from tests.audits.base import Small
from tests.audits.planted import plant


def test_a_steady_model_stays_what_it_is(base: Small, images: Tensor) -> None:
    x = images[:3]
    steady = Steady(base, x[:0])
    (q,) = steady.encode(x)
    (expected,) = base.encode(x)
    torch.testing.assert_close(q.loc, expected.mean)
    torch.testing.assert_close(q.scale, expected.stddev)
    torch.testing.assert_close(steady.decode((q.loc,)).mean, base.decode((q.loc,)).mean)


def test_the_average_has_the_mean_and_variance_of_the_draws(base: Small, images: Tensor) -> None:
    model = plant("random encoder", base, images)
    x = images[:1]
    drawn = []
    for seed in range(DRAWS):
        torch.manual_seed(seed)
        drawn.append(model.encode(x)[0])
    locs = torch.stack([q.mean for q in drawn])
    second = torch.stack([q.variance + q.mean.square() for q in drawn]).mean(0)
    (q,) = Steady(model, x[:0]).encode(x)
    torch.testing.assert_close(q.loc, locs.mean(0))
    torch.testing.assert_close(q.scale.square(), second - locs.mean(0).square(), atol=1e-5, rtol=1e-3)


def test_it_can_be_attacked_where_the_model_itself_cannot(base: Small, images: Tensor) -> None:
    x = images[:1]
    for name in ("random encoder", "statistics over the batch"):
        steady = Steady(plant(name, base, images), images[2:4], draws=2)
        result = attack(steady, x, images[4:5], Latent(), Penalty([1.0]), Cold(3))
        r = Latent().pose(steady, x, images[4:5], Noise())
        clean = r(torch.zeros(1, x.numel()), torch.zeros(1, dtype=torch.long))
        assert float(result.discrepancy) < 0.9 * float(clean)


def test_the_callers_random_numbers_are_left_alone(base: Small, images: Tensor) -> None:
    steady = Steady(plant("random encoder", base, images), images[:0])
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    steady.encode(images[:1])
    assert torch.equal(torch.rand(1), expected)
