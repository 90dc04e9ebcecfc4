"""In bfloat16 the networks' memory has another order, and "auto" decides once: both resume to the bit."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from seatbelt_vae.data import ImageDataset
from seatbelt_vae.models import vae
from seatbelt_vae.objectives import ELBO, Terms
from seatbelt_vae.training import Checkpoint, TrainingResult, loop, train
from seatbelt_vae.training.precision import PRECISIONS, fastest


@dataclass(frozen=True)
class Interrupting(ELBO):
    """The ELBO, with Ctrl-C in the middle of the second step."""

    def __call__(self, encoding: Any, x: Tensor, data_size: int) -> Terms:
        if self.step == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return super().__call__(encoding, x, data_size)

    def __repr__(self) -> str:
        return repr(ELBO(step=self.step))


def trained(images: ImageDataset, objective: ELBO, precision: str, **options: Any) -> TrainingResult:
    torch.manual_seed(0)
    model = vae((1, 28, 28), latent_sizes=(2,), network="conv")
    settings = {"steps": 4, "batch_size": 8, "device": "cpu", "log_every": 1}
    return train(model, images, objective, precision=precision, **settings, **options)


def same(a: nn.Module, b: nn.Module) -> bool:
    pairs = zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    return all(torch.equal(one, other) and one.stride() == other.stride() for one, other in pairs)


def test_auto_keeps_what_it_began_with(images: ImageDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trained(images, ELBO(), "bfloat16")
    monkeypatch.setattr(loop, "fastest", lambda device: "bfloat16")
    with pytest.raises(KeyboardInterrupt):
        trained(images, Interrupting(), "auto", out=tmp_path)
    assert Checkpoint.load(tmp_path).settings["precision"] == "bfloat16"
    monkeypatch.setattr(loop, "fastest", lambda device: "float32")  # another machine
    resumed = trained(images, ELBO(), "auto", out=tmp_path, resume=True)
    assert resumed.history == whole.history
    assert same(resumed.model, whole.model)
    assert not same(trained(images, ELBO(), "auto").model, whole.model)


def test_weights_are_given_back_in_the_usual_order(images: ImageDataset) -> None:
    for weight in trained(images, ELBO(), "bfloat16").model.parameters():
        assert weight.is_contiguous()


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, "float32"),
        ({"avx2": True}, "float32"),
        ({"avx512_bf16": True}, "bfloat16"),
        ({"amx_bf16": True}, "bfloat16"),
    ],
)
def test_the_fastest_is_what_the_processor_has_instructions_for(
    monkeypatch: pytest.MonkeyPatch, known: dict[str, bool], expected: str
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: known, raising=False)
    assert fastest(torch.device("cpu")) == expected
    assert expected in PRECISIONS
