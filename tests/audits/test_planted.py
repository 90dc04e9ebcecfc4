"""What only seems robust is flagged, what is honest is not. All thirty cases: ``benchmarks/audit_cases.py``."""

import pytest
import torch
from torch import Tensor, nn

from seatbelt_vae.audits import Audit, audit
from tests.audits.base import Small, trained
from tests.audits.planted import DEFECTS, plant

SLOW = ("dropout that is always on", "random decoder", "answers that drift")
"""Random ones are asked row by row: one of them is enough here."""

BY_SIGNS = [name for name in DEFECTS if name not in (*SLOW, "saturating encoder")]

BY_ATTACK = (
    "saturating encoder",
    "saturated means",
    "detached graph",
    "input ignored",
    "zero scale",
    "gradient not finite",
)
"""Those whose attacks fail soon."""


@pytest.mark.parametrize("name", BY_SIGNS)
def test_no_miss(name: str, base: Small, images: Tensor, training_images: Tensor) -> None:
    model = plant(name, base, training_images)
    found = audit(model, images, suite="signs", pairs=2, train_images=training_images[:256])
    raised = {flag for flag, each in found.flags.items() if each.raised}
    assert set(DEFECTS[name][1]) & raised
    assert not found.record.trusted


@pytest.mark.parametrize("name", BY_ATTACK)
def test_no_attack_makes_them_robust(name: str, base: Small, images: Tensor, training_images: Tensor) -> None:
    found = audit(plant(name, base, training_images), images, suite="smoke", pairs=2)
    raised = {flag for flag, each in found.flags.items() if each.raised}
    assert set(DEFECTS[name][1]) & raised
    assert len(raised) > 1
    assert not found.record.trusted
    assert "robust" not in str(found).lower()


def test_no_false_alarm(honest: Audit) -> None:
    assert honest.raised == []
    assert honest.record.trusted


@pytest.mark.parametrize("activation", [nn.SiLU, nn.Tanh])
def test_no_sign_in_a_smooth_network(activation: type[nn.Module], images: Tensor, training_images: Tensor) -> None:
    model = trained(Small(seed=1, activation=activation), training_images, steps=200)
    found = audit(model, images, suite="signs", pairs=4, train_images=training_images)
    assert found.raised == []
    assert not found.record.probe.smoothed


def test_a_model_in_training_mode_is_given_back_in_it(base: Small, images: Tensor) -> None:
    model = plant("batch norm in training mode", base, images)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    audit(model, images, suite="signs", pairs=2)
    assert model.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
