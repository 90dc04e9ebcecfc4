"""What only seems robust is flagged, what is honest is not. All thirty cases: ``benchmarks/audit_cases.py``."""

import pytest
import torch
from torch import Tensor, nn

from seatbelt_vae.audits import Audit, audit
from tests.audits.base import Small, trained
from tests.audits.planted import DEFECTS, plant

FAST = (
    "pixels rounded to 8 bits",
    "saturated means",
    "gradient a thousandth",
    "gradient not finite",
    "detached graph",
    "input ignored",
    "zero scale",
    "dropout on",
    "decoder dependent on the batch",
)
"""Those that take a second each."""


@pytest.mark.parametrize("name", FAST)
def test_no_miss(name: str, base: Small, images: Tensor, training_images: Tensor) -> None:
    model = plant(name, base, training_images)
    found = audit(model, images, suite="smoke", pairs=2)
    expected = DEFECTS[name][1]
    assert set(expected) & {flag for flag, each in found.flags.items() if each.raised}
    assert "robust" not in found.record.sentence.lower() or found.record.trusted
    for flag in found.flags.values():
        assert flag.rule
        assert flag.advice.endswith(".") or "it said" in flag.advice


def test_no_false_alarm(honest: Audit) -> None:
    assert honest.raised == []
    assert honest.record.trusted


def test_no_false_alarm_of_a_smooth_network(images: Tensor, training_images: Tensor) -> None:
    model = trained(Small(seed=1, activation=nn.SiLU), training_images, steps=300)
    found = audit(model, images, suite="smoke", pairs=2, seed=2)
    assert found.raised == []
    assert not found.record.probe.smoothed


def test_a_model_in_training_mode_is_given_back_in_it(base: Small, images: Tensor) -> None:
    model = plant("batch norm in training mode", base, images)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    audit(model, images, suite="smoke", pairs=1)
    assert model.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
