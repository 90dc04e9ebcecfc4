"""Factories: what each is made of, networks of one's own, and refusals of one line."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from seatbelt_vae.errors import InputError
from seatbelt_vae.models import VARIANTS, HierarchicalVAE, build, seatbelt_vae, vae
from seatbelt_vae.models.checks import probe
from tests.tiny import network

SHAPE = (1, 28, 28)


@pytest.mark.parametrize(
    ("name", "posterior", "sees_all", "skips"),
    [
        ("vae", "Chain", True, False),
        ("dlgm", "Chain", False, False),
        ("beta-tcdlgm", "Chain", False, False),
        ("ladder-vae", "Ladder", False, False),
        ("biva", "Bidirectional", True, True),
        ("seatbelt", "Chain", True, False),
    ],
)
def test_what_each_member_is_made_of(name: str, posterior: str, sees_all: bool, skips: bool) -> None:
    sizes = (4,) if name == "vae" else (4, 2)
    model = build(name, SHAPE, latent_sizes=sizes, network=network(SHAPE, 6 if sees_all and name != "vae" else 4))
    assert VARIANTS[name].factory == name
    assert type(model.posterior).__name__ == posterior
    assert model.likelihood.sees_all is sees_all
    assert model.generative.skips is skips
    assert model.recipe is not None
    assert model.recipe["model"] == name


def test_defaults_are_the_papers() -> None:
    with torch.device("meta"):
        model = seatbelt_vae((1, 64, 64))
    assert model.latent_sizes == (96, 48, 24, 12)
    widths = [
        [layer.out_features for layer in conditional.modules() if isinstance(layer, nn.Linear)]
        for conditional in model.posterior.conditionals
    ]
    assert widths == [[192], [1024, 1024, 96], [512, 512, 48], [256, 256, 24]]
    widths = [
        [layer.out_features for layer in conditional.modules() if isinstance(layer, nn.Linear)]
        for conditional in model.generative.conditionals
    ]
    assert widths == [[1024, 1024, 192], [512, 512, 96], [256, 256, 48]]


@pytest.mark.parametrize("sizes", [(4,), (4, 3), (4, 3, 2, 2, 1, 1, 1)])
def test_the_last_hidden_size_repeats_and_spare_ones_are_left(sizes: tuple[int, ...]) -> None:
    model = seatbelt_vae(SHAPE, sizes, network=network(SHAPE, sum(sizes)), hidden_sizes=(9, 8))
    assert model(torch.rand(2, *SHAPE)).z[-1].shape == (2, sizes[-1])


def test_whole_numbers_of_any_kind() -> None:
    """Shapes come out of numpy and torch too."""
    model = vae(torch.zeros(1, 28, 28).shape, latent_sizes=np.array([3]).tolist(), network=network(SHAPE, 3))
    assert model.image_shape == SHAPE
    assert vae((np.int64(1), 28, 28), (np.int32(3),), network=network(SHAPE, 3)).recipe is not None


def test_ones_own_networks_take_any_image_and_dtype() -> None:
    shape = (2, 3, 5)
    encoder, decoder = network(shape, 3)
    model = vae(shape, (3,), network=(encoder.double(), decoder.double()))
    assert {weight.dtype for weight in model.parameters()} == {torch.float64}
    assert model.reconstruct(torch.rand(2, *shape, dtype=torch.float64)).shape == (2, *shape)


class Modes(nn.Module):
    """Batch normalisation in two modes, and a record of what was seen."""

    def __init__(self) -> None:
        super().__init__()
        self.flat, self.frozen, self.live = nn.Flatten(), nn.BatchNorm1d(784).eval(), nn.BatchNorm1d(784)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.live(self.frozen(self.flat(x)))
        return out


def test_probing_leaves_modes_and_statistics_alone() -> None:
    encoder = Modes()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    probe("encoder", encoder, (2, *SHAPE))
    assert [encoder.training, encoder.frozen.training, encoder.live.training] == [True, False, True]
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())


ENCODER, DECODER = network(SHAPE, 3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"network": (nn.Identity(), DECODER)}, "encoder: must map images to \\(batch, features\\)"),
        ({"network": (nn.Linear(3, 3), DECODER)}, "encoder: does not take an input of shape \\(2, 1, 28, 28\\)"),
        (
            {"network": (ENCODER, nn.Linear(3, 3))},
            "decoder: must map .* \\(2, 1, 28, 28\\), gave \\(2, 3\\)",
        ),
        ({"network": (ENCODER, nn.Linear(4, 3))}, "decoder: does not take an input of shape \\(2, 3\\)"),
        ({"network": (ENCODER, DECODER), "likelihood": "gaussian-pixel"}, "decoder: must map .* \\(2, 2, 28, 28\\)"),
        ({"network": ENCODER}, "or a pair of modules"),
        ({"network": (ENCODER,)}, "or a pair of modules"),
        ({"network": 7}, "or a pair of modules"),
        ({"network": "resnet"}, "network 'resnet'"),
        ({"network": "conv", "likelihood": "poisson"}, "likelihood 'poisson': must be one of bernoulli"),
        ({"network": "conv", "posterior": "flow"}, "posterior 'flow': must be one of chain"),
        ({"network": "conv", "latent_sizes": (0,)}, "latent_sizes \\(0,\\)"),
        ({"network": "conv", "latent_sizes": (3, 2)}, "layers: vae has one layer, not 2"),
        ({"network": "conv", "hidden_sizes": ()}, "hidden_sizes \\(\\)"),
        ({"network": "conv", "colour": 3}, "unexpected keyword argument 'colour'"),
    ],
)
def test_refusals(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        build("vae", SHAPE, **{"latent_sizes": (3,), **settings})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shape", [(1, 28), (0, 28, 28), (1, 2.5, 3), "abc", 28, None])
def test_shapes_that_are_none(shape: Any) -> None:
    with pytest.raises(InputError, match="three positive whole numbers"):
        build("vae", shape, latent_sizes=(3,))


def test_unknown_model() -> None:
    with pytest.raises(InputError, match=r"model: 'gan' is unknown, use one of vae, beta-vae, .* seatbelt"):
        build("gan", SHAPE)
    assert isinstance(build("vae", SHAPE, network=(ENCODER, DECODER), latent_sizes=(3,)), HierarchicalVAE)
