"""Exported files: the model's numbers, for batches of any size."""

import logging
from pathlib import Path

import pytest
import torch
from torch import Tensor

from seatbelt_vae.errors import InputError, RunError
from seatbelt_vae.models import HierarchicalVAE, build, export
from seatbelt_vae.models import exported as module
from tests.tiny import network

SHAPE = (1, 6, 6)
KINDS = ["onnx", "torch"]


def model_of(name: str) -> HierarchicalVAE:
    torch.manual_seed(0)
    sizes = (3, 2)
    if name == "vae":
        sizes = (3,)
    return build(name, SHAPE, latent_sizes=sizes, network=network(SHAPE, 5 if name == "seatbelt" else 3)).eval()


def encode(folder: Path, kind: str, x: Tensor) -> list[Tensor]:
    """What another program makes of images."""
    if kind == "torch":
        return list(torch.export.load(folder / "encoder.pt2").module()(x))
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(folder / "encoder.onnx", providers=["CPUExecutionProvider"])
    return [torch.from_numpy(array) for array in session.run(None, {"image": x.numpy()})]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["vae", "seatbelt"])
def test_a_file_encodes_as_the_model_does(
    tmp_path: Path, name: str, kind: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("torch"), "propagate", True)
    if kind == "onnx":
        pytest.importorskip("onnxruntime")
    model = model_of(name)
    export(model, tmp_path, kind)
    assert [each.message for each in caplog.records if each.levelno >= logging.WARNING] == []
    for count in (1, 7):
        x = torch.rand(count, *SHAPE)
        wanted = [part for q in model.encode(x) for part in (q.loc, q.scale)]
        for ours, theirs in zip(wanted, encode(tmp_path, kind, x), strict=True):
            torch.testing.assert_close(theirs, ours, atol=1e-5, rtol=0)


def test_a_model_in_training_is_exported_in_evaluation_mode_and_left_alone(tmp_path: Path) -> None:
    model = model_of("vae").double().train()
    export(model, tmp_path, "torch")
    assert model.training
    assert next(model.parameters()).dtype == torch.float64


def test_a_file_that_differs_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = module.Program(b"", lambda inputs: [1 + tensor for tensor in module._outputs(part, inputs)])
    part = module.Encoder(model_of("vae"))
    monkeypatch.setitem(module.PROGRAMS, "torch", (".pt2", lambda _: wrong))
    with pytest.raises(RunError, match=r"encoder\.pt2: would differ from the model by 1"):
        export(model_of("vae"), tmp_path, "torch")
    assert not list(tmp_path.iterdir())


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(InputError, match="kind 'tf': must be one of onnx, torch"):
        export(model_of("vae"), "nowhere", "tf")  # type: ignore[arg-type]
