"""The script for a machine with a GPU runs from start to end, at a tiny size."""

import importlib
from pathlib import Path

import pytest

from seatbelt_vae.storage import read_json

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_the_prepared_script_measures_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    out = tmp_path / "gpu.json"
    assert importlib.import_module("gpu").main(["--tiny", "--device", "cpu", "--out", str(out)]) == 0
    found = read_json(out)
    assert [row["precision"] for row in found["training"]] == ["float32", "bfloat16"]
    assert found["model"]["steps"] == found["model"]["steps_wanted"]
    assert found["model"]["elbo"] < 0
    attacks = found["attacks"]
    assert (attacks["paper_grid"]["pairs"], attacks["many_pairs"]["pairs"]) == (2, 3)
    for table in (attacks["paper_grid"], attacks["many_pairs"]):
        assert table["floor_seconds"] < table["seconds"]
        assert table["evaluations"] >= table["calls"] > 0


def test_a_section_that_fails_is_noted_and_the_rest_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    gpu = importlib.import_module("gpu")
    monkeypatch.setattr(gpu, "training_table", lambda *_: 1 / 0)
    monkeypatch.setattr(gpu, "trained", lambda scale, device, images: (None, {}))
    monkeypatch.setattr(gpu, "held_out", lambda *_: -1.0)
    monkeypatch.setattr(gpu, "attack_table", lambda *_: {})
    assert gpu.main(["--tiny", "--device", "cpu", "--out", str(tmp_path / "gpu.json")]) == 1
    found = read_json(tmp_path / "gpu.json")
    assert "ZeroDivisionError" in found["training"]["failed"]
    assert found["model"] == {"elbo": -1.0}
