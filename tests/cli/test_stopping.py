"""A signal in the midst of evaluate, attack and sweep: the unit at hand ends or is left, one line, nothing is lost."""

import json
import os
import pkgutil
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seatbelt_vae.experiments import RunFolder
from tests.commands import Run

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGUSR1: 143}
ATTACK = "attack --pairs 1 --lambdas 1 --max-iterations 2"

SWEEP = """
[data]
name = "{blobs}"
test = 0.4
[model]
name = "vae"
latent_sizes = [2]
network = "tiny"
[training]
steps = 2
batch_size = 16
seed = [0, 1]
[evaluate]
measures = ["weights"]
[attack]
pairs = 1
lambdas = [1.0]
max_iterations = 2
"""


@pytest.fixture
def run(untouched_path: Path, tmp_path: Path) -> Path:
    return shutil.copytree(untouched_path, tmp_path / "tiny")


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Send a signal when a function is entered for the time of that number."""

    def stop(where: str, number: int, time: int = 0) -> None:
        holder, _, name = where.rpartition(".")
        owner: Any = pkgutil.resolve_name(holder)
        real = getattr(owner, name)
        calls = []

        def signalled(*words: Any, **more: Any) -> Any:
            calls.append(name)
            if len(calls) == time + 1:
                os.kill(os.getpid(), number)
            return real(*words, **more)

        monkeypatch.setattr(owner, name, signalled)

    return stop


def without_leftovers(folder: Path) -> bool:
    return not list(folder.rglob(".*.*.*"))


@pytest.mark.parametrize(("number", "code"), CODES.items())
def test_in_a_measurement(seatbelt: Run, run: Path, stopped: Callable[..., None], number: int, code: int) -> None:
    stopped("seatbelt_vae.metrics.noise_robustness", number)
    done = seatbelt("evaluate --measure elbo,noise", run)
    assert (done.code, done.out) == (code, "")
    assert (
        done.last
        == "seatbelt: interrupted: stopped in noise; what was measured before is kept, the same command goes on"
    )
    assert list(RunFolder.open(run).evaluation["measurements"]) == ["elbo"]
    assert seatbelt("evaluate --measure elbo,noise", run).err.startswith("[1/1] noise\n")


def test_while_a_measurement_is_written(seatbelt: Run, run: Path, stopped: Callable[..., None]) -> None:
    stopped("seatbelt_vae.experiments.store.RunFolder.save_measured", signal.SIGTERM, time=1)
    done = seatbelt("evaluate --measure elbo,noise,weights", run)
    assert done.code == 143
    assert done.last == "seatbelt: interrupted: stopped after noise, which is kept; the same command goes on"
    folder = RunFolder.open(run)
    assert list(folder.evaluation["measurements"]) == ["elbo", "noise"]
    assert folder.measured("noise")
    assert without_leftovers(run)


@pytest.mark.parametrize(("number", "code"), CODES.items())
def test_in_an_attack(seatbelt: Run, run: Path, stopped: Callable[..., None], number: int, code: int) -> None:
    stopped("seatbelt_vae.experiments.attacking.assess", number)
    done = seatbelt(ATTACK, run)
    assert (done.code, done.out) == (code, "")
    assert "interrupted: stopped in the attack latent-" in done.last
    assert done.last.endswith("of which nothing is kept; the same command starts it again")
    assert RunFolder.open(run).attacks == ()
    assert not (run / "attacks").exists()
    assert seatbelt(ATTACK, run).code == 0


def test_while_an_attack_is_written(seatbelt: Run, run: Path, stopped: Callable[..., None]) -> None:
    stopped("seatbelt_vae.attacks.result.write_json", signal.SIGTERM)
    done = seatbelt(ATTACK, run)
    assert done.code == 143
    (name,) = RunFolder.open(run).attacks
    assert (
        done.last == f"seatbelt: interrupted: stopped after the attack {name}, which is kept; the same command goes on"
    )
    assert without_leftovers(run)
    assert seatbelt("verify", run).code == 0


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize(
    ("where", "time", "done"),
    [
        ("seatbelt_vae.training.update.Update.__call__", 2, 1),
        ("seatbelt_vae.metrics.weight_norms", 1, 1),
        ("seatbelt_vae.experiments.attacking.attack", 1, 1),
        ("seatbelt_vae.attacks.result.write_json", 1, 2),
    ],
)
def test_in_any_part_of_a_sweep(
    seatbelt: Run,
    blobs: Path,
    tmp_path: Path,
    stopped: Callable[..., None],
    number: int,
    where: str,
    time: int,
    done: int,
) -> None:
    file = tmp_path / "sweep.toml"
    file.write_text(SWEEP.format(blobs=blobs))
    words = ("sweep --device cpu --json --out", tmp_path / "store", file)
    stopped(where, number, time)
    ended = seatbelt(*words)
    assert (ended.code, ended.out) == (CODES[signal.Signals(number)], "")
    assert f"{done} done" in ended.last
    assert "nothing is lost, go on with: seatbelt sweep" in ended.last
    assert without_leftovers(tmp_path / "store")
    again = seatbelt(*words)
    assert again.code == 0
    assert json.loads(again.out)["counts"]["done"] == 2
    assert seatbelt("verify --rows 0", tmp_path / "store").code == 0
