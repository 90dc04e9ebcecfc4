import pytest
import torch

from seatbelt_vae.attacks import Output
from seatbelt_vae.attacks.noise import Noise
from seatbelt_vae.attacks.output import hierarchical_kl
from seatbelt_vae.models import Encoding, seatbelt_vae, vae
from seatbelt_vae.objectives import ELBO


def elbo_of_target(model, x, target, noise):
    """The ELBO's own terms, with the target put in the place of the encoded image."""
    encoding: Encoding = model(x, noise)
    return ELBO()(encoding, target, data_size=1).elbo


def test_objective_is_the_negative_elbo_of_the_target(hierarchy, images):
    source, target = images[:2], images[2:]
    noise = [torch.randn(2, 1, size, dtype=torch.float64) for size in hierarchy.latent_sizes]
    d = 0.1 * torch.randn(2, 784, dtype=torch.float64)
    value = Output(samples=1).pose(hierarchy, source, target, Noise(noise))(d, torch.arange(2))
    expected = -elbo_of_target(hierarchy, source + d.view_as(source), target, [eps[:, 0] for eps in noise])
    torch.testing.assert_close(value, expected)


def test_samples_are_averaged(hierarchy, images):
    source, target = images[:2], images[2:]
    noise = [torch.randn(2, 4, size, dtype=torch.float64) for size in hierarchy.latent_sizes]
    objective = Output(samples=4).pose(hierarchy, source, target, Noise(noise))
    value = objective(torch.zeros(2, 784).double(), torch.arange(2))
    paths = [-elbo_of_target(hierarchy, source, target, [eps[:, s] for eps in noise]) for s in range(4)]
    torch.testing.assert_close(value, torch.stack(paths).mean(0))


def test_a_foreign_model_has_a_standard_normal_prior(linear):
    x, target = torch.rand(2, 1, 4, 4).double(), torch.rand(2, 1, 4, 4).double()
    objective = Output(samples=0).pose(linear, x, target, Noise())
    value = objective(torch.zeros(2, 16).double(), torch.arange(2))
    (q,) = linear.encode(x)
    loc, scale = q.base_dist.loc, q.base_dist.scale
    kl = (0.5 * (loc**2 + scale**2 - 1) - scale.log()).sum((1, 2))
    torch.testing.assert_close(value, kl - linear.decode([loc]).log_prob(target))


def test_hierarchical_kl_is_that_of_the_objectives(hierarchy, images):
    noise = hierarchy.draw_noise(4)
    encoding = hierarchy(images, noise)
    expected = ELBO()(encoding, images, data_size=1).layer_kl.sum(-1)
    torch.testing.assert_close(hierarchical_kl(encoding.q, encoding.p, encoding.z), expected)


@pytest.mark.parametrize("sizes", [(5,), (5, 3)])
def test_samples_of_one_layer_are_those_of_encoding_every_path(sizes, images):
    # A single layer is encoded once for all paths; several layers along each.
    torch.manual_seed(0)
    model = vae((1, 28, 28), latent_sizes=sizes, network="mlp") if len(sizes) == 1 else seatbelt_vae((1, 28, 28), sizes)
    model = model.double().eval()
    noise = [torch.randn(2, 3, size, dtype=torch.float64) for size in sizes]
    d, rows = 0.1 * torch.randn(2, 784, dtype=torch.float64), torch.arange(2)
    for divergence in ("elbo", "l2"):
        value = Output(divergence, 3).pose(model, images[:2], images[2:], Noise(noise))(d, rows)
        each = [Noise([eps[:, [s]] for eps in noise]) for s in range(3)]
        paths = [Output(divergence, 1).pose(model, images[:2], images[2:], one)(d, rows) for one in each]
        torch.testing.assert_close(value, torch.stack(paths).mean(0))
