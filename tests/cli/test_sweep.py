"""``seatbelt sweep`` as a user meets it."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from seatbelt_vae.cli import main
from seatbelt_vae.training.update import Update


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Outcome]

SPEC = """
[data]
name = "{blobs}"
test = 0.4
[model]
name = "seatbelt"
latent_sizes = [4, 2]
network = "tiny"
hidden_sizes = [8]
[objective]
beta = [1, 4]
[training]
steps = 2
batch_size = 16
[evaluate]
measures = ["elbo"]
"""


@pytest.fixture
def sweep(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """``seatbelt sweep`` of two tiny runs in this process, with further arguments."""
    blobs, spec = tmp_path / "blobs.npz", tmp_path / "sweep.toml"
    np.savez(blobs, images=np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8))
    spec.write_text(SPEC.format(blobs=blobs))

    def run(*words: Any, spec: Path = spec) -> Outcome:
        capsys.readouterr()
        code = main(["sweep", str(spec), "--out", str(tmp_path / "store"), "--device", "cpu", *map(str, words)])
        printed = capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    return run


def test_one_document_and_a_table(sweep: Run, tmp_path: Path) -> None:
    done = sweep("--json", "--table", tmp_path / "t.csv")
    assert done.code == 0
    document = json.loads(done.out)
    assert document["counts"] == {"done": 2, "failed": 0, "interrupted": 0, "running": 0, "waiting": 0}
    assert [(run["objective.beta"], run["state"]) for run in document["runs"]] == [(1.0, "done"), (4.0, "done")]
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    elbos = {row["run"]: float(row["value"]) for row in rows if row["measure"] == "elbo"}
    assert elbos == {run["run"]: run["elbo"] for run in document["runs"]}
    lines = done.err.strip().splitlines()
    assert len(lines) == 2
    assert lines[0].endswith("to go")
    assert lines[1].endswith("2 done · 0 running · 0 failed · 0 left")


def test_looking_does_nothing(sweep: Run, tmp_path: Path) -> None:
    done = sweep("--status")
    assert done.code == 0
    assert "0 done · 0 running · 0 failed · 2 left" in done.out
    assert not (tmp_path / "store").exists()


def test_for_people(sweep: Run, tmp_path: Path) -> None:
    sweep()
    again = sweep()
    assert again.code == 0
    assert again.err == ""
    head, first, *_ = again.out.splitlines()
    assert head.split() == ["run", "beta", "state", "step", "elbo"]
    assert first.split()[1:4] == ["1", "done", "2"]


def test_a_failure_ends_with_1_and_says_where_it_is_kept(
    sweep: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = Update.__call__

    def failing(this: Update, step: int, advice: str = "") -> object:
        if getattr(this.objective, "beta", 1) == 4:
            raise RuntimeError("a bad\nday")
        return update(this, step, advice)

    with monkeypatch.context() as patch:
        patch.setattr(Update, "__call__", failing)
        done = sweep()
    assert done.code == 1
    assert "a bad day" in done.out
    assert done.err.strip().splitlines()[-1].startswith("seatbelt: 1 of 2 runs failed, the first is seatbelt-L2-b4-")
    assert "error.json" in done.err
    assert sweep("--status").code == 0


def test_a_retry(sweep: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Update, "__call__", lambda *_: (_ for _ in ()).throw(RuntimeError("no")))
        assert sweep().code == 1
    assert sweep().code == 1
    done = sweep("--retry")
    assert done.code == 0
    assert done.err.strip().splitlines()[-1].endswith("2 done · 0 running · 0 failed · 0 left")


def test_an_interrupt_says_how_to_go_on(sweep: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Update, "__call__", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        done = sweep()
    assert done.code == 130
    assert "0 done · 0 running · 0 failed · 2 left" in done.err
    assert "nothing is lost, go on with: seatbelt sweep " in done.err
    assert done.err.count("\n") == 1
    assert sweep().code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--engine", "cluster"], "--engine: 'cluster' is unknown, use one of in-process, local, slurm, ray"),
        (["--workers", "2"], "--workers: means nothing to the engine in-process"),
        (["--table", "t.xls"], "t.xls: the table's format is not known"),
        (["--checkpoint-every", "0"], "checkpoint_every"),
    ],
)
def test_bad_input(sweep: Run, words: list[str], message: str, tmp_path: Path) -> None:
    done = sweep(*words)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "store").exists()


def test_a_missing_or_wrong_file(sweep: Run, tmp_path: Path) -> None:
    assert "none.toml: cannot be read" in sweep(spec=tmp_path / "none.toml").err
    (tmp_path / "typo.toml").write_text("[training]\nsteps = 2\nbatchsize = 3\n")
    done = sweep(spec=tmp_path / "typo.toml")
    assert (done.code, "did you mean batch_size?" in done.err) == (2, True)


def test_the_example_is_twelve_runs() -> None:
    from seatbelt_vae.experiments import SweepSpec

    spec = SweepSpec.read(Path(__file__).parents[2] / "examples" / "sweep.toml")
    assert len(spec.runs) == 12
    assert (spec.evaluate is not None, len(spec.attacks)) == (True, 1)
