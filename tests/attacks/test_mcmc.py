"""MCMC at inference on a linear model, whose posterior is a Gaussian: z|x ~ N(A⁻¹Wx, A⁻¹) with A = I + WWᵀ."""

import pytest
import torch

from seatbelt_vae.attacks.mcmc import Hamiltonian, Langevin
from seatbelt_vae.errors import InputError

ETA = 0.2
LEAPFROG = 2


def images(count: int = 2) -> torch.Tensor:
    return torch.rand(count, 1, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def jacobian(model, x):
    return torch.autograd.functional.jacobian(lambda x: model.encode(x)[0].loc.flatten(), x).flatten(1)


def precision(linear):
    w = linear.w.detach()
    return torch.eye(3, dtype=torch.float64) + w @ w.T


def posterior_mean(linear, x):
    return torch.linalg.solve(precision(linear), linear.w.detach() @ x.flatten(1).T).T


def test_langevin_steps_on_a_linear_model_are_an_affine_recursion(linear):
    # z ← z + η(W(x − Wᵀz) − z): with M = (1 − η)I − ηWWᵀ, the Jacobian obeys J ← MJ + ηW from J = W.
    eta, steps = 1e-2, 4
    w, eye = linear.w.detach(), torch.eye(3, dtype=torch.float64)
    through = w
    for _ in range(steps):
        through = ((1 - eta) * eye - eta * w @ w.T) @ through + eta * w
    unrolled = Langevin(linear, steps, eta, temperature=0.0)
    torch.testing.assert_close(unrolled.encode(images())[0].loc[..., 0], images().flatten(1) @ through.T)
    torch.testing.assert_close(jacobian(unrolled, images(1)), through)
    past = Langevin(linear, steps, eta, temperature=0.0, gradient="straight-through")
    torch.testing.assert_close(past.encode(images())[0].loc, unrolled.encode(images())[0].loc)
    torch.testing.assert_close(jacobian(past, images(1)), w)


def test_leapfrog_is_the_power_of_its_matrix_and_the_gain_is_the_energy_lost(linear):
    # In (z − m, p) a leapfrog step is linear: [[1 − η²A/2, η], [−ηA(1 − η²A/4), 1 − η²A/2]].
    a, eye, mean = precision(linear), torch.eye(3, dtype=torch.float64), posterior_mean(linear, images())
    half = eye - ETA**2 / 2 * a
    step = torch.cat([torch.cat([half, ETA * eye], 1), torch.cat([-ETA * a @ (eye - ETA**2 / 4 * a), half], 1)])
    z, p = torch.randn(2, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    begin = torch.cat([z - mean, p], 1)
    end = begin @ torch.linalg.matrix_power(step, LEAPFROG).T
    energy = lambda s: ((s[:, :3] @ a) * s[:, :3]).sum(1) / 2 + s[:, 3:].square().sum(1) / 2  # noqa: E731
    model = Hamiltonian(linear, step_size=ETA, leapfrog=LEAPFROG)
    (moved,), gain = model.proposal(images(), [z[..., None]], [p[..., None]])
    torch.testing.assert_close(moved[..., 0], mean + end[:, :3])
    torch.testing.assert_close(gain, energy(begin) - energy(end))


class Apart(Hamiltonian):
    """The same with random numbers of its own for every image, as statistics need."""

    def _chance(self, z):
        generator = torch.Generator().manual_seed(0)
        momenta = [torch.randn(self.steps, *layer.shape, generator=generator).to(layer) for layer in z]
        return momenta, torch.rand(self.steps, len(z[0]), generator=generator).log().to(z[0])


def test_the_chain_ends_in_the_posterior(linear):
    count = 4000
    x = images(1)
    model = Apart(linear, steps=20, step_size=ETA, leapfrog=LEAPFROG)
    end = model.encode(x.expand(count, -1, -1, -1))[0].loc[..., 0].detach()
    covariance = torch.linalg.inv(precision(linear))
    deviation = covariance.diagonal().sqrt()
    off = (end.mean(0) - posterior_mean(linear, x)[0]) / deviation * count**0.5
    assert off.abs().max() < 4
    spread = torch.outer(deviation, deviation)
    torch.testing.assert_close(end.T.cov() / spread, covariance / spread, rtol=0, atol=4 * (2 / count) ** 0.5)
    assert 0.7 < float(model.accepted.mean()) < 0.99


def test_what_is_never_accepted_stays_at_the_mean_of_the_encoder(linear):
    model = Hamiltonian(linear, steps=3, step_size=5.0, leapfrog=LEAPFROG)  # the leapfrog diverges
    torch.testing.assert_close(model.encode(images())[0].loc, linear.encode(images())[0].base_dist.loc)
    assert not model.accepted.any()


@pytest.mark.parametrize("gradient", ["unrolled", "straight-through"])
def test_the_gradient_is_that_of_the_chain_or_past_it(linear, gradient):
    model = Hamiltonian(linear, steps=3, step_size=0.05, leapfrog=2, gradient=gradient)
    x = images(1)
    found = jacobian(model, x)
    assert model.accepted == 1.0
    if gradient == "straight-through":
        torch.testing.assert_close(found, linear.w.detach())
        return
    ways = torch.eye(16, dtype=torch.float64).view(16, 1, 4, 4)
    rise = [(model.encode(x + way)[0].loc - model.encode(x - way)[0].loc).flatten() / 2 for way in 1e-3 * ways]
    torch.testing.assert_close(found, torch.stack(rise, 1) / 1e-3)


@pytest.mark.parametrize(
    ("defence", "settings", "message"),
    [
        (Langevin, {"steps": 0}, "steps 0"),
        (Langevin, {"step_size": 0.0}, "step_size 0.0"),
        (Langevin, {"temperature": -1.0}, "temperature -1.0"),
        (Hamiltonian, {"gradient": "none"}, "gradient 'none'"),
        (Hamiltonian, {"leapfrog": 0}, "leapfrog 0"),
    ],
)
def test_bad_settings_are_refused(linear, defence, settings, message):
    with pytest.raises(InputError, match=message):
        defence(linear, **settings)
