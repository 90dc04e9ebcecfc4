"""Chen et al.'s networks from 28 to 128 pixels, squares or not: shapes, channels, parameters counted by hand."""

import pytest
import torch
from torch import nn

from seatbelt_vae.errors import InputError
from seatbelt_vae.models import vae
from seatbelt_vae.models.networks import (
    NETWORKS,
    ConvDecoder,
    ConvFeatures,
    check_image_shape,
    stage_channels,
    stage_sizes,
)

SIDES = [28, 30, 32, 45, 48, 64, 96, 100, 128]


def count(module: nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


def conv_count(fan_in: int, fan_out: int, kernel: int, normalised: bool = True) -> int:
    """Weights and biases of a convolution, with two more for every channel that is normalised."""
    return fan_in * fan_out * kernel**2 + fan_out + (2 * fan_out if normalised else 0)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("network", NETWORKS)
def test_shapes(side: int, channels: int, network: str) -> None:
    """Perceptrons are built without memory: of 80 million weights only the shapes are looked at."""
    features, decoder = NETWORKS[network]
    shape = (channels, side, side)
    with torch.device("meta" if network != "conv" else "cpu"):
        x, z = torch.zeros(2, *shape), torch.zeros(2, 3)
        assert features(shape)(x).shape == (2, features.size)
        assert decoder(3, shape, maps=2 * channels)(z).shape == (2, 2 * channels, side, side)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(("height", "width"), [(48, 64), (64, 28), (28, 128), (45, 33)])
def test_images_that_are_no_squares(network: str, height: int, width: int) -> None:
    features, decoder = NETWORKS[network]
    shape = (3, height, width)
    with torch.device("meta"):
        assert features(shape)(torch.zeros(2, *shape)).shape == (2, features.size)
        assert decoder(3, shape, maps=6)(torch.zeros(2, 3)).shape == (2, 6, height, width)


def test_the_shorter_side_says_how_often_an_image_is_halved() -> None:
    assert stage_sizes(48, 64) == [(48, 64), (24, 32), (12, 16), (6, 8)]
    last = [layer for layer in ConvFeatures((1, 64, 48)) if isinstance(layer, nn.Conv2d)][-1]
    assert last.kernel_size == (8, 6)


@pytest.mark.parametrize("side", range(28, 129))
def test_the_decoder_is_the_encoders_mirror_at_any_side(side: int) -> None:
    with torch.device("meta"):
        encoder, decoder = ConvFeatures((1, side, side)), ConvDecoder(3, (1, side, side), maps=1)
        assert decoder(torch.zeros(2, 3)).shape == (2, 1, side, side)
    down = [layer.out_channels for layer in encoder if isinstance(layer, nn.Conv2d)]
    up = [layer.in_channels for layer in decoder.layers if isinstance(layer, nn.ConvTranspose2d)]
    assert up[1:] == down[::-1]
    assert 4 <= stage_sizes(side, side)[-1][0] <= 7


def test_chens_channels_at_64() -> None:
    for colours, expected in ((1, [32, 32, 64, 64, 512]), (3, [64, 64, 128, 128, 512])):
        layers = [layer for layer in ConvFeatures((colours, 64, 64)) if isinstance(layer, nn.Conv2d)]
        assert [layer.out_channels for layer in layers] == expected
        assert [layer.kernel_size for layer in layers] == [(4, 4)] * 5
        assert [layer.stride for layer in layers] == [(2, 2)] * 4 + [(1, 1)]
        assert [layer.padding for layer in layers] == [(1, 1)] * 4 + [(0, 0)]
    assert stage_channels(4, colour=False) == [32, 32, 64, 64]


def test_normalisation_and_relu_after_every_layer_but_the_last() -> None:
    kinds = [type(layer) for layer in ConvDecoder(10, (1, 64, 64), maps=1).layers]
    hidden = [nn.ConvTranspose2d, nn.BatchNorm2d, nn.ReLU]
    assert kinds == hidden * 5 + [nn.ConvTranspose2d]
    kinds = [type(layer) for layer in ConvFeatures((1, 64, 64))]
    assert kinds == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU] * 5 + [nn.Flatten]


def test_parameters_of_chens_convolutional_vae() -> None:
    """dSprites, 10 latents: encoder 1-32-32-64-64-512-20, decoder 10-512-64-64-32-32-1."""
    model = vae((1, 64, 64), latent_sizes=(10,), network="conv")
    encoder = sum(conv_count(*layer) for layer in [(1, 32, 4), (32, 32, 4), (32, 64, 4), (64, 64, 4), (64, 512, 4)])
    encoder += conv_count(512, 20, 1, normalised=False)
    decoder = sum(
        conv_count(*layer) for layer in [(10, 512, 1), (512, 64, 4), (64, 64, 4), (64, 32, 4), (32, 32, 4)]
    ) + conv_count(32, 1, 4, normalised=False)
    assert count(model.posterior) == encoder
    assert count(model.likelihood) == decoder
    assert count(model.generative) == 0


def test_parameters_of_chens_mlp_vae() -> None:
    """D-1200-1200-20 with ReLU, 10-1200-1200-1200-D with tanh."""
    model = vae((1, 64, 64), latent_sizes=(10,), network="mlp")

    def dense(*sizes: int) -> int:
        return sum(a * b + b for a, b in zip(sizes[:-1], sizes[1:], strict=True))

    assert count(model.posterior) == dense(4096, 1200, 1200, 20)
    assert count(model.likelihood) == dense(10, 1200, 1200, 1200, 4096)
    kinds = {type(layer) for layer in model.likelihood.modules()}
    assert nn.Tanh in kinds
    assert nn.ReLU not in kinds
    assert nn.Tanh not in {type(layer) for layer in model.posterior.modules()}


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 27, 27), "image side 27"),
        ((1, 129, 129), "image side 129"),
        ((2, 64, 64), "1 or 3 channels"),
        ((1, 64, 27), "image side 27"),
        ((1, 129, 64), "image side 129"),
        ((64, 64), "1 or 3 channels"),
    ],
)
def test_refuses_images_that_the_networks_cannot_take(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_image_shape(shape)
