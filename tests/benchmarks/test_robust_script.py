"""The measures of the robustness benchmark, by hand."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import nn

from seatbelt_vae.models import vae

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "robust.py"


@pytest.fixture(scope="module")
def robust() -> ModuleType:
    spec = importlib.util.spec_from_file_location("robust", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_f50_is_where_the_envelope_reaches_one_half(robust: ModuleType) -> None:
    """From (.2, .25) to (.4, .75) it is at .3; a dip changes nothing, order neither; without a half there is none."""
    distortion = torch.tensor([[0.2, 0.4, 0.3, 1.0], [0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4], [0.6, 0.7, 0.8, 0.9]])
    success = torch.tensor([[0.25, 0.75, 0.1, 1.0], [0.75, 0.1, 0.25, 0.0], [0.1, 0.2, 0.3, 0.4], [1.0, 1.0, 1.0, 1.0]])
    found = robust.smallest(distortion, success)
    torch.testing.assert_close(found, torch.tensor([0.3, 0.3, float("inf"), 0.3]))


def test_blending_a_model_that_copies_its_image_reaches_one_half_half_way(robust: ModuleType) -> None:
    encoder = nn.Flatten()
    model = vae((1, 2, 2), latent_sizes=(4,), network=(encoder, nn.Unflatten(1, (1, 2, 2))), likelihood="gaussian")
    head = model.posterior.conditionals[0].network
    with torch.no_grad():
        head.weight.zero_()
        head.bias.zero_()
        head.weight[:4] = torch.eye(4)
    source, target = torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2)
    assert float(robust.blend(model.eval(), source, target)) == pytest.approx(0.5, abs=1e-4)


def test_settings_are_numbers_where_they_can_be(robust: ModuleType) -> None:
    assert robust.parsed(["radius=0.1", "target=targeted"]) == {"radius": 0.1, "target": "targeted"}
