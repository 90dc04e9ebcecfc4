import pytest
import torch
from torch.distributions import Normal

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.posteriors import encode_images
from seatbelt_vae.metrics.traversals import traverse
from seatbelt_vae.models import dlgm, seatbelt_vae


def with_prior(model):
    model.prior = lambda z: (Normal(z[1] @ model.link.T.to(z[1]), model.link_noise), Normal(torch.zeros(2), 1.0))
    return model


def test_a_linear_decoder_in_closed_form(linear_gaussian):
    model = linear_gaussian(1)
    x = model.draw(50)
    (layer,) = traverse(model, x[0], encode_images(model, x), [torch.tensor([0.1, 3.0, 1.0])], most=2, steps=5)
    assert layer.dimensions == (1, 2)
    assert layer.kl.tolist() == [3.0, 1.0]
    q = model.encode(x)[0]
    spread = (q.loc.var(0, correction=0) + q.scale.square().mean(0)).sqrt()
    for place, j in enumerate(layer.dimensions):
        for step, t in enumerate((-3.0, -1.5, 0.0, 1.5, 3.0)):
            z = q.loc[0].clone()
            z[j] = q.loc[:, j].mean() + t * spread[j]
            expected = (model.decoder @ z + model.bias).view(1, 2, 3)
            torch.testing.assert_close(layer.images[place, step], expected.detach())
            assert layer.positions[place, step] == pytest.approx(z[j].item())


def test_the_layers_below_follow_the_prior(linear_gaussian):
    model = with_prior(linear_gaussian(2))
    x = model.draw(20)
    kl = [torch.ones(3), torch.tensor([1.0, 2.0])]
    _, top = traverse(model, x[0], encode_images(model, x), kl, most=1, steps=3, reach=1.0)
    assert (top.layer, top.dimensions) == (1, (1,))
    q = model.encode(x[:1])[1].loc[0]
    for step in range(3):
        z2 = torch.stack([q[0], top.positions[0, step]])
        expected = model.decoder @ (model.link @ z2) + model.bias
        torch.testing.assert_close(top.images[0, step].flatten(), expected.detach())


@pytest.mark.parametrize("factory", [dlgm, seatbelt_vae])
def test_every_layer_of_a_hierarchy_changes_the_picture(factory):
    torch.manual_seed(0)
    model = factory((1, 28, 28), (4, 3, 2), network="mlp", hidden_sizes=(8, 8))
    x = torch.rand(6, 1, 28, 28)
    model.train()
    layers = traverse(model, x[0], encode_images(model, x), [torch.ones(4), torch.ones(3), torch.ones(2)], most=9)
    assert model.training
    assert [tuple(layer.images.shape) for layer in layers] == [(n, 9, 1, 28, 28) for n in (4, 3, 2)]
    for layer in layers:
        assert (layer.images[:, 0] - layer.images[:, -1]).flatten(1).abs().amax(1).min() > 0


def test_bad_input(linear_gaussian):
    model = linear_gaussian(1)
    with pytest.raises(InputError, match="most 0"):
        traverse(model, model.draw(1)[0], encode_images(model, model.draw(3)), [torch.ones(3)], most=0)
