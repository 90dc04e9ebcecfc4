import numpy as np
import pytest
import torch

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.active_units import active_units, collapse
from seatbelt_vae.metrics.likelihood import elbo


def test_variance_of_means_per_layer():
    layers = [
        torch.randn(50, 3, generator=torch.Generator().manual_seed(d)) * torch.tensor([1.0, 0.2, 0.05]) for d in (0, 1)
    ]
    result = active_units(layers)
    for variance, layer in zip(result.variance, layers, strict=True):
        assert variance.numpy() == pytest.approx(np.var(layer.double().numpy(), axis=0, ddof=1))
    assert [active.tolist() for active in result.active] == [[True, True, False]] * 2
    assert result.counts == (2, 2)
    assert active_units(layers, threshold=0.5).counts == (1, 1)


def test_only_the_mean_counts_not_its_size():
    assert active_units(torch.full((10, 2), 7.0)).counts == (0,)


def test_collapse_shares():
    bottom, top = torch.tensor([3.0, 0.13, 0.125, 0.0]), torch.tensor([0.005, 0.2])
    result = collapse([bottom, top])
    assert result.collapsed == (0.25, 0.5)
    assert result.layer_kl == pytest.approx((3.255, 0.205))


def test_collapse_averages_per_image_kls_as_elbo_does(linear_gaussian):
    model = linear_gaussian(2)
    bound = elbo(model, model.draw(5), samples=2)
    assert collapse(bound.dimension_kl).layer_kl == pytest.approx(tuple(bound.layer_kl.mean(0).tolist()))
    per_image = torch.rand(6, 3)
    torch.testing.assert_close(collapse([per_image]).dimension_kl[0], per_image.double().mean(0))


def test_refusals():
    with pytest.raises(InputError, match="at least two images"):
        active_units(torch.zeros(1, 3))
    with pytest.raises(InputError, match="image 1 is not finite"):
        active_units(torch.tensor([[0.0], [torch.nan], [1.0]]))
