import pytest
import torch
from torch.distributions import Normal, kl_divergence

from seatbelt_vae.attacks import Latent
from seatbelt_vae.attacks.divergences import DIVERGENCES, find_divergence, kl
from seatbelt_vae.attacks.latent import choose_layers
from seatbelt_vae.attacks.noise import Noise
from seatbelt_vae.errors import InputError


def random_normal(seed, shape=(6, 3)):
    generator = torch.Generator().manual_seed(seed)
    loc = torch.randn(shape, generator=generator, dtype=torch.float64)
    return Normal(loc, 0.2 + torch.rand(shape, generator=generator, dtype=torch.float64))


def test_kl_family_agrees_with_torch():
    q, t = random_normal(0), random_normal(1)
    forward, reverse = kl_divergence(q, t).sum(-1), kl_divergence(t, q).sum(-1)
    torch.testing.assert_close(DIVERGENCES["kl"](q, t), forward)
    torch.testing.assert_close(DIVERGENCES["reverse-kl"](q, t), reverse)
    torch.testing.assert_close(DIVERGENCES["skl"](q, t), forward + reverse)


EXACT = {
    "kl": lambda q, t: kl_divergence(q, t).sum(1),
    "reverse-kl": lambda q, t: kl_divergence(t, q).sum(1),
    "skl": lambda q, t: (kl_divergence(q, t) + kl_divergence(t, q)).sum(1),
    "w2": lambda q, t: ((q.loc - t.loc) ** 2 + (q.scale - t.scale) ** 2).sum(1).sqrt(),
    "l2-means": lambda q, t: ((q.loc - t.loc) ** 2).sum(1),
}


@pytest.mark.parametrize("name", list(EXACT))
@pytest.mark.parametrize("gap", [1e-1, 1e-3, 1e-5])
def test_divergences_keep_their_digits_near_the_target(name, gap):
    # The textbook forms of the KLs cancel: in float32 they are off by 1e-7 a dimension, however small the KL.
    generator = torch.Generator().manual_seed(0)
    loc, scale = torch.randn(3, 50, generator=generator), torch.rand(3, 50, generator=generator) + 0.1
    q, t = Normal(loc + gap, scale * (1 + gap)), Normal(loc, scale)
    exact = EXACT[name](*(Normal(n.loc.double(), n.scale.double()) for n in (q, t)))
    torch.testing.assert_close(DIVERGENCES[name](q, t).double(), exact, rtol=3e-3, atol=0)


def test_kl_is_finite_for_a_posterior_far_narrower_than_the_target():
    q, t = Normal(torch.zeros(1, 1), torch.full((1, 1), 1e-12)), Normal(torch.zeros(1, 1), torch.ones(1, 1))
    torch.testing.assert_close(kl(q, t), kl_divergence(q, t).sum(1))


def test_w2_is_the_distance_of_the_optimal_coupling():
    # For Gaussians the optimal map is monotone: couple equal standard normals and average the squared distance.
    q, t = random_normal(0, (1, 1)), random_normal(1, (1, 1))
    grid = (torch.arange(200_000, dtype=torch.float64) + 0.5) / 200_000
    eps = Normal(0.0, 1.0).icdf(grid)
    squared = ((q.loc + q.scale * eps) - (t.loc + t.scale * eps)).square().mean()
    torch.testing.assert_close(DIVERGENCES["w2"](q, t), squared.sqrt()[None], rtol=1e-4, atol=0)


@pytest.mark.parametrize("name", list(DIVERGENCES))
def test_every_divergence_is_zero_at_the_target_and_positive_elsewhere(name):
    q, t = random_normal(0), random_normal(1)
    divergence = find_divergence(name)
    torch.testing.assert_close(divergence(t, t), torch.zeros(6, dtype=torch.float64))
    assert (divergence(q, t) > 0).all()


@pytest.mark.parametrize("layers", [(0,), (2,), (0, 1, 2)])
def test_objective_is_the_sum_over_the_chosen_layers(hierarchy, images, layers):
    source, target = images[:2], images[2:]
    d = 0.1 * torch.randn(2, 784, dtype=torch.float64)
    objective = Latent(layers=layers).pose(hierarchy, source, target, Noise())
    q, t = hierarchy.encode(source + d.view_as(source)), hierarchy.encode(target)
    expected = sum(kl_divergence(q[i], t[i]).sum(-1) for i in layers)
    torch.testing.assert_close(objective(d, torch.arange(2)), expected)


def test_rows_may_come_in_any_order_and_repeat(hierarchy, images):
    objective = Latent(layers=(0, 1, 2)).pose(hierarchy, images[:2], images[2:], Noise())
    d = 0.1 * torch.randn(3, 784, dtype=torch.float64)
    rows = torch.tensor([1, 0, 1])
    one_by_one = torch.cat([objective(d[i : i + 1], rows[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(objective(d, rows), one_by_one)


def test_common_noise_averages_over_its_paths(hierarchy, images):
    source, target = images[:2], images[2:]
    noise = [torch.randn(2, 3, size, dtype=torch.float64) for size in hierarchy.latent_sizes]
    d = torch.zeros(2, 784, dtype=torch.float64)
    objective = Latent(layers=(2,), samples=3).pose(hierarchy, source, target, Noise(noise))
    value = objective(d, torch.arange(2))
    paths = []
    for s in range(3):
        path = [eps[:, s] for eps in noise]
        paths.append(kl_divergence(hierarchy.encode(source, path)[2], hierarchy.encode(target, path)[2]).sum(-1))
    torch.testing.assert_close(value, torch.stack(paths).mean(0))


def test_l2_of_samples_compares_the_same_draw(hierarchy, images):
    source, target = images[:2], images[2:]
    noise = [torch.randn(2, 1, size, dtype=torch.float64) for size in hierarchy.latent_sizes]
    objective = Latent("l2-samples", layers=(0,)).pose(hierarchy, source, target, Noise(noise))
    path = [eps[:, 0] for eps in noise]
    q, t = hierarchy.encode(source, path)[0], hierarchy.encode(target, path)[0]
    difference = (q.loc + q.scale * path[0]) - (t.loc + t.scale * path[0])
    torch.testing.assert_close(objective(torch.zeros(2, 784).double(), torch.arange(2)), (difference**2).sum(-1))


@pytest.mark.parametrize("layers", ["middle", [], [3], [0, 0], [-1]])
def test_layers_that_do_not_exist_are_named(layers):
    with pytest.raises(InputError, match="layers"):
        choose_layers(layers, 3)


def test_unknown_divergence_is_named():
    with pytest.raises(InputError, match="'chi2': must be one of kl"):
        find_divergence("chi2")
