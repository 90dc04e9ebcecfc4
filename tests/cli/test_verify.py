"""``seatbelt verify``, data that were moved, and runs that go on for longer, as a user meets them."""

import json
import shutil
from pathlib import Path

import pytest

from tests.commands import TINY, Run, refused


@pytest.fixture
def run(untouched_path: Path, tmp_path: Path) -> Path:
    return shutil.copytree(untouched_path, tmp_path / "store" / "tiny")


def test_a_table_and_a_document(seatbelt: Run, run: Path) -> None:
    seatbelt("evaluate --measure weights", run)
    done = seatbelt("verify", run.parent)
    assert done.code == 0
    assert [line.split() for line in done.out.splitlines()] == [
        ["run", "ok", "changed", "missing", "unnamed", "same", "differs", "not", "computed"],
        ["tiny", "7", "0", "0", "0", "1", "0", "0"],
    ]
    document = json.loads(seatbelt("verify --json", run).out)
    assert document["wrong"] == []
    assert document["runs"][0]["results"] == {"weights": "same"}
    assert set(document["runs"][0]["files"].values()) == {"ok"}


def test_damage_is_named_and_the_code_is_1(seatbelt: Run, run: Path) -> None:
    path = run / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    (run / "metrics.jsonl").unlink()
    done = seatbelt("verify", run)
    assert done.code == 1
    assert f"{path}: changed\n" in done.out
    assert f"{run / 'metrics.jsonl'}: missing\n" in done.out
    assert done.last.startswith("seatbelt: 2 things are wrong, the first is ")
    done = seatbelt("evaluate", run)
    refused(done, str(path), "is damaged or of another run", "put back a copy")


def test_a_run_of_before_is_accepted_with_a_word(seatbelt: Run, run: Path) -> None:
    (run / "manifest.jsonl").unlink()
    done = seatbelt("verify", run)
    assert done.code == 0
    assert f"{run}: 6 files in no manifest; seatbelt upgrade notes them" in done.out
    assert seatbelt("upgrade", run).code == 0
    assert "no manifest" not in seatbelt("verify", run).out


def test_no_run_is_wrong_input(seatbelt: Run, tmp_path: Path) -> None:
    refused(seatbelt("verify", tmp_path), "holds no run")
    refused(seatbelt("verify --rows -1", tmp_path), "rows: -1 is too small, use 0 or more")
    refused(seatbelt("verify --device abacus", tmp_path), "device: 'abacus' is unknown")


def test_data_that_were_moved(seatbelt: Run, tmp_path: Path, blobs: Path) -> None:
    here, run = tmp_path / "here.npz", tmp_path / "run"
    shutil.copy(blobs, here)
    assert seatbelt(f"train {TINY}", "--data", here, "--out", run).code == 0
    there = here.rename(tmp_path / "there.npz")
    words = {"evaluate": "evaluate --measure elbo", "attack": "attack --pairs 1 --lambdas 1 --max-iterations 2"}
    for command in words.values():
        refused(seatbelt(command, run), "here.npz", "say where they are with --data")
        assert seatbelt(command, run, "--data", there).code == 0
    assert "not computed" in seatbelt("verify --json", run).out
    document = json.loads(seatbelt("verify --json", run, "--data", there).out)
    assert set(document["runs"][0]["results"].values()) == {"same"}


def test_a_finished_run_goes_on_for_more_steps(seatbelt: Run, run: Path) -> None:
    attack = "attack --pairs 1 --lambdas 1 --max-iterations 2 --json"
    made = json.loads(seatbelt(attack, run).out)["attack"]
    seatbelt("evaluate --measure elbo", run)
    refused(
        seatbelt("train --resume --steps 6", "--out", run),
        "training.steps is 4 there, 6 here",
        "or go on for more steps with --extend",
    )
    refused(seatbelt("train --extend --steps 6 --batch-size 8", "--out", run), "only the number of steps may change")
    done = seatbelt("train --extend --steps 6 --json", "--out", run)
    assert json.loads(done.out)["steps"] == 6
    assert json.loads((run / "spec.json").read_text())["training"]["steps"] == 6
    assert "elbo" not in json.loads(seatbelt("evaluate --measure weights --json", run).out)  # it was of the shorter run
    assert json.loads(seatbelt(attack, run).out)["attack"] == made
    document = json.loads(seatbelt("verify --json", run).out)
    assert document["runs"][0]["results"] == {"weights": "same", made: "same"}
    refused(seatbelt("train --extend --steps 3", "--out", run), "has done 6 steps, use more, not 3")
    assert seatbelt("train --extend --steps 6", "--out", run).code == 0


def test_what_is_extended_goes_on_after_a_kill(seatbelt: Run, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The spec asks for more steps already, the last checkpoint does not: --resume goes on, to the bit."""
    again = shutil.copytree(run, run.with_name("again"))
    assert seatbelt("train --extend --steps 6", "--out", again).code == 0

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("seatbelt_vae.experiments.training_run.train", killed)
    assert seatbelt("train --extend --steps 6", "--out", run).code == 130
    monkeypatch.undo()
    refused(seatbelt("evaluate", run), "is trained for 4 of 6 steps, finish it with")
    assert seatbelt("train --resume", "--out", run).code == 0
    assert (run / "model.safetensors").read_bytes() == (again / "model.safetensors").read_bytes()
