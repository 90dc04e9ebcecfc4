"""``seatbelt`` started twice by torchrun: a run is trained by both, written and spoken of by one."""

import json
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from seatbelt_vae.cli import main
from seatbelt_vae.storage import read_json
from tests.commands import TINY, Run, refused
from tests.processes import together


def test_two_processes_train_a_run_that_one_writes(blobs: Path, seatbelt: Run, tmp_path: Path) -> None:
    words = f"train {TINY} --data {blobs} --json --out"
    alone = json.loads(seatbelt(f"{words} {tmp_path / 'alone'}").out)

    def work(rank: int) -> None:
        with (tmp_path / f"{rank}.txt").open("w") as file, redirect_stdout(file):
            assert main([*words.split(), str(tmp_path / "run")]) == 0

    assert together(work) == [0, 0]
    assert json.loads((tmp_path / "0.txt").read_text())["last"] == pytest.approx(alone["last"], rel=1e-4)
    assert (tmp_path / "1.txt").read_text() == ""
    assert read_json(tmp_path / "run" / "environment.json")[0]["processes"] == 2
    assert seatbelt(words, tmp_path / "run").code == 0  # finished: there is nothing left to do
    assert seatbelt("verify", tmp_path / "run").code == 0


def test_both_refuse_and_one_says_so(blobs: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = TINY.replace("--batch-size 16", "--batch-size 15")

    def work(rank: int) -> None:
        assert main(f"train {words} --data {blobs} --out {tmp_path / 'run'}".split()) == 2

    assert together(work) == [0, 0]
    (line,) = capfd.readouterr().err.strip().splitlines()
    assert "batch_size: 15 cannot be shared by 2 processes" in line


def test_commands_that_share_no_work_are_refused(seatbelt: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    refused(seatbelt("attack somewhere"), "attack: does not share its work among the 2 processes of torchrun")
