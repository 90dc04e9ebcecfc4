"""Robust training resumes to the bit: inner steps too are a function of the seed and the step."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from seatbelt_vae.data import ImageDataset
from seatbelt_vae.models import HierarchicalVAE
from seatbelt_vae.objectives import AVAE, ELBO, Adversarial, Denoising, HoldMSE, Objective, SmoothEncoder, Terms
from seatbelt_vae.training import Settings, Update, train

Make = Callable[..., HierarchicalVAE]
STEPS, STOP = 9, 5
ROBUST: dict[str, Callable[[Any], Objective]] = {
    "adversarial": lambda base: Adversarial(base, radius=2.0),
    "denoising": lambda base: Denoising(base, radius=2.0),
    "smooth": lambda base: SmoothEncoder(base, radius=2.0),
    "avae": lambda base: AVAE(base),
    "held": lambda base: HoldMSE(Adversarial(base, radius=2.0, spread=1.0), mse=0.01),
    "adversarial + smooth": lambda base: SmoothEncoder(Adversarial(base, radius=2.0), radius=2.0),
}


@dataclass(frozen=True)
class Interrupting(ELBO):
    """The ELBO, with Ctrl-C pressed in the middle of one step; by its name it is the ELBO."""

    def __call__(self, encoding: Any, x: Tensor, data_size: int) -> Terms:
        if self.step == STOP - 1:
            os.kill(os.getpid(), signal.SIGINT)
        return super().__call__(encoding, x, data_size)

    def __repr__(self) -> str:
        return repr(ELBO(step=self.step))


def trained(images: ImageDataset, model: HierarchicalVAE, objective: Objective, **options: Any) -> dict[str, Tensor]:
    result = train(model, images, objective, steps=STEPS, batch_size=8, device="cpu", **options)
    return {name: value.clone() for name, value in result.model.state_dict().items()}


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("wrap", ROBUST.values(), ids=ROBUST)
def test_interrupted_and_resumed_is_the_same_to_the_bit(
    images: ImageDataset, make_model: Make, tmp_path: Path, wrap: Callable[[Any], Objective], precision: str
) -> None:
    whole = trained(images, make_model(), wrap(ELBO()), precision=precision)
    with pytest.raises(KeyboardInterrupt):
        trained(images, make_model(), wrap(Interrupting()), precision=precision, out=tmp_path)
    torch.manual_seed(99)  # no global generator may matter
    resumed = trained(images, make_model(), wrap(ELBO()), precision=precision, out=tmp_path, resume=True)
    assert same(whole, resumed)
    plain = trained(images, make_model(), ELBO(), precision=precision)
    assert not same(whole, plain)


def test_radius_zero_trains_the_base_s_model_to_the_bit(images: ImageDataset, make_model: Make) -> None:
    plain = trained(images, make_model(), ELBO())
    assert same(plain, trained(images, make_model(), Adversarial(ELBO(), radius=0.0)))


@pytest.mark.parametrize("seed", [0, 1])
def test_what_is_perturbed_follows_from_the_seed_and_the_step(
    images: ImageDataset, make_model: Make, seed: int
) -> None:
    def encoded(step: int, seed: int) -> Tensor:
        settings = Settings(steps=10, batch_size=8, seed=seed)
        return Update(make_model().train(), images, Adversarial(ELBO(), radius=2.0), settings).encode(step)[0].q[0].loc

    assert torch.equal(encoded(5, seed), encoded(5, seed))
    assert not torch.equal(encoded(5, seed), encoded(5, seed + 1))
    assert not torch.equal(encoded(5, seed), encoded(6, seed))


def test_another_radius_is_another_run(images: ImageDataset, make_model: Make, tmp_path: Path) -> None:
    from seatbelt_vae.errors import InputError

    trained(images, make_model(), Adversarial(ELBO(), radius=1.0), out=tmp_path)
    with pytest.raises(InputError, match="was trained with objective Adversarial"):
        trained(images, make_model(), Adversarial(ELBO(), radius=2.0), out=tmp_path, resume=True)
