"""``seatbelt audit``: a factory or a run; its document, its exit codes, one line for bad input."""

import json
from pathlib import Path

import numpy as np
import pytest

from seatbelt_vae.audits import suite
from seatbelt_vae.storage import write_tensors
from tests.audits.base import Small, blobs, trained
from tests.commands import Run, refused

FACTORY = """
import torch
from tests.audits.base import Small
from seatbelt_vae.storage import read_tensors

def best():
    model = Small()
    model.load_state_dict(read_tensors({path!r}))
    return model.eval()

def nothing():
    return None
"""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = trained(Small(), blobs(512, seed=0), steps=200)
    return write_tensors(tmp_path_factory.mktemp("model") / "weights.safetensors", model.state_dict())


@pytest.fixture
def factory(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module in the current folder, images beside it, and the quick suite made as short as can be."""
    monkeypatch.setitem(suite.SUITES, "quick", suite.SMOKE)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "audited_here.py").write_text(FACTORY.format(path=str(weights)))
    images = (255 * blobs(16, seed=1)[:, 0]).round().byte().numpy()
    np.savez(tmp_path / "images.npz", images=images)
    return tmp_path


def test_a_factory_from_end_to_end_with_a_requirement_that_is_not_met(seatbelt: Run, factory: Path) -> None:
    words = "audit audited_here:best --data images.npz --pairs 2 --out out --json"
    made = seatbelt(f"{words} --require success>=0 --require f50>=0.99")
    assert made.code == 1
    assert made.last.endswith("audited_here:best: does not meet f50>=0.99")
    document = json.loads(made.out)
    assert document == json.loads((factory / "out" / "audit.json").read_text())
    assert (document["model"], document["pairs"]) == ("audited_here:best", 2)
    assert "time: " in made.err
    assert {path.name for path in (factory / "out").glob("*.png")} == {"curve.png", "panel.png"}


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("audit audited_here:best", "--data"),
        ("audit audited_here:worst --data images.npz", "no function worst"),
        ("audit audited_here:nothing --data images.npz", "gave a NoneType"),
        ("audit audited_here:best --data other.npz", "other.npz"),
        ("audit audited_here:best --data images.npz --pairs 200", "200 pairs"),
        ("audit audited_here:best --data images.npz --size 28 --pairs 2", "encode: fails on images of shape"),
        ("audit audited_here:best --data images.npz --require f50", "--require"),
        ("audit no/run", "no/run"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(seatbelt: Run, factory: Path, words: str, part: str) -> None:
    answer = seatbelt(words)
    assert answer.code == 2
    refused(answer, part)


def test_a_run_is_audited_on_its_own_test_images(
    seatbelt: Run, run_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(suite.SUITES, "quick", suite.SMOKE)
    made = seatbelt("audit", run_path, "--pairs", "1", "--json", "--strict")
    document = json.loads(made.out)
    assert document["flags"]["memorised"]["value"] is not None
    assert made.code == int(not document["trusted"])
