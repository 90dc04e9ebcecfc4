"""The table of the lineage: one truth for every default."""

import dataclasses

import pytest
import torch

from seatbelt_vae.errors import InputError
from seatbelt_vae.models import VARIANTS, Architecture, build, completed
from seatbelt_vae.models.parts import POSTERIORS


def test_default_sizes_and_likelihoods() -> None:
    assert completed("seatbelt", Architecture(), 1).latent_sizes == (96, 48, 24, 12)
    assert completed("seatbelt", Architecture(layers=5), 1).latent_sizes == (96, 48, 24, 12, 6)
    assert completed("biva", Architecture(layers=2), 3).latent_sizes == (256, 128)
    assert completed("vae", Architecture(), 3).latent_sizes == (32,)
    assert completed("dlgm", Architecture(layers=1), 1).latent_sizes == (32,)
    assert completed("vae", Architecture(), 1).likelihood == "bernoulli"
    assert completed("vae", Architecture(), 3).likelihood == "gaussian"


@pytest.mark.parametrize("name", VARIANTS)
def test_completing_twice_changes_nothing(name: str) -> None:
    once = completed(name, Architecture(), 1)
    assert completed(name, once, 1) == once
    missing = [key for key, value in dataclasses.asdict(once).items() if value is None]
    assert missing == ([] if VARIANTS[name].certified else ["constants"])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", VARIANTS)
def test_a_factory_builds_what_the_table_says(name: str, channels: int) -> None:
    shape = (channels, 28, 28)
    with torch.device("meta"):
        model = build(name, shape, network="mlp")
    expected = completed(name, Architecture(network="mlp"), channels)
    arguments = {key: value for key, value in dataclasses.asdict(expected).items() if key != "layers" and value}
    arguments = {key: list(value) if isinstance(value, tuple) else value for key, value in arguments.items()}
    assert model.recipe == {"model": VARIANTS[name].factory, "arguments": {"image_shape": list(shape), **arguments}}
    assert model.latent_sizes == expected.latent_sizes


def test_the_table_is_whole() -> None:
    for name, variant in VARIANTS.items():
        assert variant.posterior in POSTERIORS
        assert VARIANTS[variant.factory].factory == variant.factory
        same = dataclasses.replace(variant, label="", objective="")
        assert same == dataclasses.replace(VARIANTS[variant.factory], label="", objective=""), name


@pytest.mark.parametrize(
    ("name", "architecture", "message"),
    [
        (
            "seatbelr",
            Architecture(),
            r"model: 'seatbelr' is unknown \(did you mean seatbelt\?\), use one of vae, beta-vae",
        ),
        ("vae", Architecture(layers=2), "layers: vae has one layer, not 2; models that take more: dlgm,"),
        ("dlgm", Architecture(layers=3, latent_sizes=(4, 2)), "layers: 3 do not go with 2 latent_sizes"),
        ("dlgm", Architecture(layers=6), "layers: there are default sizes for at most 5, give latent_sizes for 6"),
    ],
)
def test_settings_that_do_not_go_together(name: str, architecture: Architecture, message: str) -> None:
    with pytest.raises(InputError, match=message):
        completed(name, architecture, 1)
