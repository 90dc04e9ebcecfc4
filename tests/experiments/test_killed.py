"""Sweeps that are killed, or that meet on one store, end as if nothing had happened."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch

from seatbelt_vae.experiments import RunFolder
from seatbelt_vae.storage import read_tensors

RUNS, STEPS = 12, 6


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory, images_file: Path) -> tuple[Path, dict[str, Any]]:
    """The folder of four stores: undisturbed, counted, killed 20 times, and shared by two sweeps."""
    root = tmp_path_factory.mktemp("stores")
    script = Path(__file__).with_name("killing.py")
    words = [sys.executable, str(script), str(root), str(images_file)]
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    return root, json.loads(done.stdout)


def assert_same_runs(store: Path, undisturbed: Path) -> None:
    names = sorted(path.parent.name for path in undisturbed.glob("*/spec.json"))
    assert len(names) == RUNS
    assert sorted(path.parent.name for path in store.glob("*/spec.json")) == names
    for name in names:
        run, other = (RunFolder.open(folder / name) for folder in (store, undisturbed))
        assert run.finished
        assert (run.path / "model.safetensors").read_bytes() == (other.path / "model.safetensors").read_bytes()
        state, same = (read_tensors(folder.path / "training.safetensors") for folder in (run, other))
        assert all(torch.equal(state[key], same[key]) for key in same if key != "seconds")
        assert [record["step"] for record in run.history] == list(range(1, STEPS + 1))
        assert run.history == other.history
        assert run.evaluation["elbo"] == other.evaluation["elbo"]
        assert run.attacks == other.attacks
        assert torch.equal(*(each.attack(run.attacks[0]).result.adversarial for each in (run, other)))
        assert not (run.path / "error.json").exists()


def test_twenty_kills_leave_no_trace(killed: tuple[Path, dict[str, Any]]) -> None:
    root, told = killed
    kills = told["kills"]
    assert len(kills) == 20
    assert kills[-1]["trained"] > kills[0]["trained"]  # they were spread over the sweep
    assert kills[-1]["attacked"] > kills[0]["attacked"]
    assert not any(kill["wrong"] for kill in kills)
    assert any(kill["torn"] for kill in kills)  # and some were in the midst of a write
    assert_same_runs(root / "killed", root / "undisturbed")
    assert not list((root / "killed").rglob(".*.safetensors.*"))


def test_two_sweeps_at_once_do_no_step_twice_and_lose_none(killed: tuple[Path, dict[str, Any]]) -> None:
    root, _ = killed
    lines = [line.split() for line in (root / "steps.log").read_text().splitlines()]
    assert Counter(tuple(line[1:]) for line in lines) == {
        (str(seed), str(float(beta)), str(layers), str(step)): 1
        for seed in (0, 1, 2)
        for beta in (1, 4)
        for layers in (1, 2)
        for step in range(STEPS)
    }
    assert min(Counter(line[0] for line in lines).values()) >= STEPS  # both had their share
    assert_same_runs(root / "both", root / "undisturbed")
