"""Models that round, saturate or ignore their input: an attack by gradients says that it had none."""

import warnings

import pytest
import torch
from torch import Tensor

from seatbelt_vae.attacks import Penalty, attack
from seatbelt_vae.attacks.evaluation.masked import MaskedGradient
from tests.attacks.conftest import LinearModel


class Rounding(LinearModel):
    """Takes pixels in steps of 1/255."""

    def encode(self, x: Tensor, noise: object = None) -> tuple[object, ...]:  # type: ignore[override]
        return super().encode((255 * x).round() / 255)


class Saturated(LinearModel):
    """Knows black and white alone."""

    def encode(self, x: Tensor, noise: object = None) -> tuple[object, ...]:  # type: ignore[override]
        return super().encode((1e9 * (x - 0.5)).clamp(0, 1))


def said_of(model: LinearModel) -> list[str]:
    generator = torch.Generator().manual_seed(0)
    x = 0.1 + 0.8 * torch.rand(3, 1, 4, 4, dtype=torch.float64, generator=generator)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        attack(model, x, 1 - x, budget=Penalty([1.0]))
    return [str(each.message) for each in said if each.category is MaskedGradient]


@pytest.mark.parametrize("kind", [Rounding, Saturated])
def test_a_gradient_that_is_zero_is_said(kind: type[LinearModel]) -> None:
    (message,) = said_of(kind(pixels=16, latents=3))
    assert message.startswith("attack: the gradient is 0 for 3 of 3 pairs at the start")


def test_a_model_with_gradients_is_attacked_in_silence() -> None:
    assert said_of(LinearModel(pixels=16, latents=3)) == []


def test_equal_images_have_nothing_to_say() -> None:
    model = Rounding(pixels=16, latents=3)
    x = torch.full((1, 1, 4, 4), 0.6, dtype=torch.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("error", MaskedGradient)
        attack(model, x, x.clone(), budget=Penalty([1.0]))
