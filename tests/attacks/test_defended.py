"""Attacks through defences: closed forms on linear models, and a certified margin that nothing gets inside of."""

import pytest
import torch
from torch import nn
from torch.distributions import Independent, Normal

from seatbelt_vae.attacks import Ball, Cold, Damage, Latent, MinimumNorm, Shrinking, attack
from seatbelt_vae.attacks.defended import Expected, NoiseAveraged
from seatbelt_vae.attacks.protocol import mean_image
from seatbelt_vae.errors import InputError
from seatbelt_vae.models import build


def images(count: int = 2) -> torch.Tensor:
    return torch.rand(count, 1, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def jacobian(model, x):
    return torch.autograd.functional.jacobian(lambda x: model.encode(x)[0].loc.flatten(), x).flatten(1)


def test_averaging_a_linear_encoder_over_noise_moves_its_mean_and_widens_its_scale(linear):
    model = NoiseAveraged(linear, scale=0.3, samples=5, seed=7)
    xi = torch.randn(5, 1, 4, 4, generator=torch.Generator().manual_seed(7)).double()
    q = model.encode(images())[0]
    shift = 0.3 * xi.flatten(1) @ linear.w.T
    expected = linear.encode(images())[0].base_dist
    torch.testing.assert_close(q.loc, expected.loc + shift.mean(0)[:, None])
    torch.testing.assert_close(q.variance, expected.variance + shift.var(0, correction=0)[:, None])
    torch.testing.assert_close(jacobian(model, images(1)), linear.w)


class RandomShift(nn.Module):
    """A random encoder: W(x + u), with u drawn from the global generator."""

    def __init__(self, linear):
        super().__init__()
        self.linear = linear

    def encode(self, x, noise=None):
        return self.linear.encode(x + torch.rand_like(x))

    def decode(self, z):
        return self.linear.decode(z)


def test_the_expectation_over_a_random_encoder_is_a_function_with_its_gradient(linear):
    model = Expected(RandomShift(linear), samples=4)
    drawn = []
    for seed in range(4):
        torch.manual_seed(seed)
        drawn.append(torch.rand(1, 1, 4, 4, dtype=torch.float64))
    state = torch.get_rng_state()
    expected = (images().flatten(1) + torch.stack(drawn).mean(0).flatten()) @ linear.w.T
    loc = model.encode(images())[0].loc[..., 0]
    assert torch.equal(torch.get_rng_state(), state)
    torch.testing.assert_close(loc[1], model.encode(images()[1:])[0].loc[0, :, 0])  # no other image plays a part
    torch.testing.assert_close(jacobian(model, images(1)), linear.w)
    torch.testing.assert_close(loc, expected)
    with pytest.raises(InputError, match="says something else"):
        attack(RandomShift(linear), images(), images().flip(0), Latent())


class Wavy(nn.Module):
    """A mean that is slow one way and a steep wave another way, which noise as long as the wave takes away."""

    def __init__(self):
        super().__init__()
        self.slow = nn.Parameter(torch.full((16,), 0.25, dtype=torch.float64))

    def encode(self, x, noise=None):
        alternating = self.slow * (-1.0) ** torch.arange(16)
        wave = torch.sin(20 * (x.flatten(1) @ alternating))
        loc = (x.flatten(1) @ self.slow + wave)[:, None]
        return (Normal(loc, torch.ones_like(loc)),)

    def decode(self, z):
        mean = z[0].expand(-1, 16).reshape(-1, 1, 4, 4)
        return Independent(Normal(mean, torch.ones_like(mean)), 3)


def test_an_attack_through_the_averaging_goes_where_one_on_the_bare_model_does_not():
    bare = Wavy()
    defended = NoiseAveraged(bare, scale=0.3, samples=256)
    source = torch.full((1, 1, 4, 4), 0.4, dtype=torch.float64)
    target = source + 0.2
    ball = Ball([0.5])
    transferred = attack(bare, source, target, Latent(), ball, Cold(max_iterations=50)).adversarial[:, 0]
    through = attack(defended, source, target, Latent(), ball, Cold(max_iterations=50)).adversarial[:, 0]

    def gap(x):
        return float((defended.encode(x)[0].loc - defended.encode(target)[0].loc).abs().detach())

    assert gap(through) < 0.6 * gap(source)
    assert gap(through) < 0.6 * gap(transferred)


def test_no_attack_gets_inside_the_certified_margin_of_a_lipschitz_vae():
    torch.manual_seed(0)
    parts = {"latent_sizes": (4,), "hidden_sizes": (16,), "constants": (2.0, 1.0, 12.0)}
    model = build("lipschitz-vae", (1, 8, 8), network="mlp", **parts).eval()
    source, target = torch.rand(2, 3, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    clean, goal = mean_image(model, source), mean_image(model, target)

    # No d with ‖d‖ < (‖rec(x) − x_t‖ − ρ)/c brings the reconstruction within ρ of x_t.
    far, best = (clean - target).flatten(1).norm(dim=1), (goal - target).flatten(1).norm(dim=1)
    margin = (0.5 * (far - best) / model.lipschitz.reconstruction).detach()
    found = attack(model, source, target, Latent("l2-means"), MinimumNorm(), Shrinking(evaluations=500, rounds=3))
    assert (found.distortion[:, 0] >= margin.double()).all()

    # And none with ‖d‖ ≤ ε moves it further than c ε.
    worst = attack(model, source, None, Damage(), Ball([0.2, 1.0], restarts=3), Cold(max_iterations=50))
    damage = -worst.discrepancy
    assert (damage <= model.lipschitz.reconstruction * worst.budget.values).all()
    assert (damage[:, 1] >= 0.02 * model.lipschitz.reconstruction).all()  # attacked, not idle


@pytest.mark.parametrize(
    ("defence", "settings", "message"),
    [
        (NoiseAveraged, {"scale": -1.0}, "scale -1.0"),
        (NoiseAveraged, {"scale": 1.0, "samples": 0}, "samples 0"),
        (Expected, {"samples": 0}, "samples 0"),
    ],
)
def test_bad_defences_are_refused(linear, defence, settings, message):
    with pytest.raises(InputError, match=message):
        defence(linear, **settings)
