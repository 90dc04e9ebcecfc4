"""Every way to say a posterior is the same Normal; what cannot be read is named."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Independent, Normal

from seatbelt_vae.adapters.posteriors import gives_codes, read_layers
from seatbelt_vae.errors import InputError

MEAN = torch.tensor([[1.0, -2.0], [0.5, 0.0]])
SCALE = torch.tensor([[0.5, 2.0], [1.0, 0.1]])
NORMAL = Normal(MEAN, SCALE)
MOMENTS = SimpleNamespace(mean=MEAN, std=SCALE)

WAYS = {
    "Normal": (NORMAL, None),
    "Independent": (Independent(NORMAL, 1), None),
    "twice Independent": (Independent(Independent(Normal(MEAN[None], SCALE[None]), 1), 1), None),
    "moments, as in diffusers": (MOMENTS, None),
    "output of diffusers": (SimpleNamespace(latent_dist=MOMENTS), None),
    "log-variance": ((MEAN, 2 * SCALE.log()), "log-variance"),
    "a list": ([MEAN, 2 * SCALE.log()], "log-variance"),
    "log-scale": ((MEAN, SCALE.log()), "log-scale"),
    "variance": ((MEAN, SCALE**2), "variance"),
    "scale": ((MEAN, SCALE), "scale"),
    "one layer in a tuple": ((NORMAL,), None),
    "a pair in a tuple": (((MEAN, SCALE),), "scale"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_posterior_can_be_said_in_many_ways(way):
    (layer,) = read_layers(*WAYS[way])
    torch.testing.assert_close(layer.loc.view(2, 2), MEAN)
    torch.testing.assert_close(layer.scale.view(2, 2), SCALE)


def test_layers_keep_their_order():
    for out, posterior in (((NORMAL, Independent(NORMAL, 1)), None), (((MEAN, SCALE), (MEAN, SCALE)), "scale")):
        first, second = read_layers(out, posterior)
        assert torch.equal(first.loc, second.loc)
    first, second = read_layers((MEAN, MEAN + 1), "code")
    assert torch.equal(second.loc, first.loc + 1)


def test_half_the_kl_of_codes_is_their_squared_distance():
    (a,) = read_layers(MEAN)
    (b,) = read_layers(MEAN + SCALE)
    kl = torch.distributions.kl_divergence(a, b).sum()
    torch.testing.assert_close(2 * kl, SCALE.square().sum())
    assert gives_codes(MEAN, None)
    assert gives_codes((MEAN, MEAN), "code")
    assert not gives_codes(NORMAL, None)
    assert not gives_codes((MEAN, SCALE), "scale")


@pytest.mark.parametrize(
    ("out", "posterior", "message"),
    [
        ((MEAN, SCALE), None, "gives two tensors; say what the second is"),
        (MEAN, "scale", "gives a Tensor; posterior='scale' needs a pair"),
        ((MEAN, SCALE, MEAN), "scale", "gives a tuple; posterior='scale' needs a pair"),
        ((MEAN, MEAN, MEAN), None, "gives a tuple; must give a Normal"),
        ((), None, "gives a tuple; must give a Normal"),
        ({"mean": MEAN}, None, "gives a dict; must give a Normal"),
        (np.zeros((2, 2)), None, "gives a numpy array, which has no gradient"),
        (Bernoulli(SCALE / 2), None, r"posterior Bernoulli: attacks need a diagonal Gaussian.*seatbelt_vae.wrap"),
        ((NORMAL, None), None, "gives a tuple; must give a Normal"),
    ],
)
def test_what_cannot_be_read_is_named(out, posterior, message):
    with pytest.raises(InputError, match=message):
        read_layers(out, posterior)
