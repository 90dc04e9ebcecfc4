"""A model by the path of its factory: it works, or one line says what to return."""

from pathlib import Path

import pytest

from seatbelt_vae.adapters import load_factory
from seatbelt_vae.attacks import Attackable
from seatbelt_vae.errors import InputError

MODULE = """
import torch
from torch import nn
import seatbelt_vae as sb

class AutoencoderKL(nn.Module):
    def encode(self, x): ...
    def decode(self, z): ...
AutoencoderKL.__module__ = "diffusers.models.autoencoders.autoencoder_kl"

class BetaVAE(nn.Module): ...
BetaVAE.__module__ = "pythae.models.beta_vae.beta_vae_model"

def good():
    return sb.models.vae((1, 28, 28), latent_sizes=(2,), network="mlp", hidden_sizes=(4,))

def raises():
    raise FileNotFoundError("weights.pt\\nis not there")

def leaves():
    raise SystemExit(3)

def takes(argument): ...
def layer(): return nn.Linear(2, 2)
def nothing(): return None
def diffusers_model(): return AutoencoderKL()
def pythae_model(): return BetaVAE()
def on_meta(): return good().to("meta")
number = 3
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of a name of its own in the current folder."""
    name = f"mine_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    (tmp_path / "broken.py").write_text("import seatbelt_vae.nowhere")
    monkeypatch.chdir(tmp_path)
    return name


def test_a_factory_of_the_current_folder_gives_its_model(module):
    model = load_factory(f"{module}:good")
    assert isinstance(model, Attackable)


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("raises", r": raised FileNotFoundError: weights.pt is not there$"),
        ("leaves", r": raised SystemExit: 3$"),
        ("takes", r": raised TypeError: takes\(\) missing 1 required positional argument"),
        ("layer", r": gave a Linear, which has no encode and decode; return seatbelt_vae.wrap\(encode, decode"),
        ("nothing", r": gave a NoneType, which has no encode and decode"),
        ("diffusers_model", r": gave a AutoencoderKL; return seatbelt_vae.adapters.diffusers.autoencoder_kl\(model\)$"),
        ("pythae_model", r": gave a BetaVAE; return seatbelt_vae.adapters.pythae.pythae\(model\)$"),
        ("on_meta", r"^model: has no weights"),
        ("number", r"has no function number$"),
        ("missing", r"has no function missing$"),
        ("", r": must be module:function, such as my.models:best$"),
    ],
)
def test_what_is_wrong_with_a_factory_is_one_line(module, factory, message):
    with pytest.raises(InputError, match=message) as caught:
        load_factory(f"{module}:{factory}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere.at.all:f", "cannot import nowhere.at.all: ModuleNotFoundError: No module named 'nowhere'"),
        ("broken:f", "cannot import broken: ModuleNotFoundError: No module named 'seatbelt_vae.nowhere'"),
        ("model.pt", "must be module:function"),
        (":f", "must be module:function"),
    ],
)
def test_what_is_wrong_with_a_path_is_one_line(path, message):
    with pytest.raises(InputError, match=message):
        load_factory(path)
