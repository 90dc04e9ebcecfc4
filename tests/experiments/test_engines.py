"""Sweeps through real engines: processes by submitit, a local Ray cluster; and Slurm's commands, played by scripts."""

import contextlib
import os
import pickletools
import random
import signal
import socket
import stat
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from seatbelt_vae.errors import InputError, RunError
from seatbelt_vae.experiments import ExperimentSpec, State, Sweep, SweepSpec, run_sweep
from seatbelt_vae.experiments.engines import ENGINES, InProcess, Job, Resources, make_engine, threads
from seatbelt_vae.experiments.lock import locked, owner
from seatbelt_vae.storage import read_tensors


def spec_of(tiny: ExperimentSpec, seeds: int, steps: int = 6) -> SweepSpec:
    model = {"latent_sizes": (4, 2), "hidden_sizes": (8,), "network": "conv"}
    base = tiny.changed(model=model, training={"steps": steps})
    return SweepSpec(tuple(base.changed(training={"seed": seed}) for seed in range(seeds)))


def planned(spec: SweepSpec, store: Path) -> Sweep:
    return Sweep.plan(spec, store, device="cpu", checkpoint_every=2, log_every=1, threads=1)


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def assert_as_in_process(sweep: Sweep, spec: SweepSpec, store: Path) -> None:
    undisturbed = planned(spec, store)
    run_sweep(undisturbed, InProcess())
    for run, other in zip(sweep.runs, undisturbed.runs, strict=True):
        weights, same = (read_tensors(folder.path / "model.safetensors") for folder in (run, other))
        assert all(torch.equal(weights[name], same[name]) for name in same)
        assert [record["step"] for record in run.history] == list(range(1, run.spec.training.steps + 1))


class Killer(threading.Thread):
    """Kills whoever holds a run of a sweep, at seeded moments after it took the run, as often as it is told to."""

    def __init__(self, sweep: Sweep, kills: int, within: float) -> None:
        super().__init__(daemon=True)
        self.sweep, self.left, self.within = sweep, kills, within
        self.killed: list[int] = []
        self.stop = threading.Event()

    def run(self) -> None:
        drawn = random.Random(0)
        while self.left and not self.stop.is_set():
            holders = [owner(run.path) for run in self.sweep.runs if locked(run.path)]
            fresh = [each[1] for each in holders if each and each[1] not in (*self.killed, os.getpid())]
            if not fresh:
                time.sleep(0.01)
                continue
            time.sleep(drawn.random() * self.within)
            with contextlib.suppress(ProcessLookupError):  # it had ended by itself
                os.kill(fresh[0], signal.SIGKILL)
                self.killed.append(fresh[0])
                self.left -= 1


def sweep_of_twelve_killed_thrice(tiny: ExperimentSpec, folder: Path, engine: str, workers: int) -> Sweep:
    spec = spec_of(tiny, seeds=12)
    sweep = planned(spec, folder / "store")
    killer = Killer(sweep, kills=3, within=0.2)
    killer.start()
    settled = []
    workplace = make_engine(engine, sweep.store / ".sweep" / "logs", Resources(workers=workers))
    found = run_sweep(sweep, workplace, settled=lambda run, now: settled.append(run.name))
    killer.stop.set()
    assert [each.state for each in found] == [State.DONE] * 12
    assert sorted(settled) == sorted(run.name for run in sweep.runs)
    assert len(set(killer.killed)) == 3
    assert {each[1] for run in sweep.runs if (each := owner(run.path))}.isdisjoint({os.getpid(), *killer.killed})
    assert_as_in_process(sweep, spec, folder / "undisturbed")
    return sweep


def test_processes_of_this_machine_that_are_killed(tiny: ExperimentSpec, tmp_path: Path, one_thread: None) -> None:
    sweep = sweep_of_twelve_killed_thrice(tiny, tmp_path, "local", workers=2)
    pickles = list(sweep.store.rglob("*_submitted.pkl"))
    assert len(pickles) == 15
    for path in pickles:  # a name and two paths, no code and no state of ours
        words = [argument for _, argument, _ in pickletools.genops(path.read_bytes()) if isinstance(argument, str)]
        assert [word for word in words if "seatbelt" in word and not word.startswith(str(tmp_path))] == [
            "seatbelt_vae.experiments.engines.submitit"
        ]


def test_ray_whose_workers_are_killed(tiny: ExperimentSpec, tmp_path: Path, one_thread: None) -> None:
    sweep_of_twelve_killed_thrice(tiny, tmp_path, "ray", workers=1)


SLURM = {
    "sbatch": """
        echo $(( $(ls "$SLURM_FAKE" | wc -l) + 1 )) > "$SLURM_FAKE/last"
        job=$(cat "$SLURM_FAKE/last"); cp "$1" "$SLURM_FAKE/$job.sh"
        touch "$SLURM_FAKE/$job.runs"
        (SLURM_JOB_ID=$job bash "$1"; rm "$SLURM_FAKE/$job.runs") > "$SLURM_FAKE/$job.log" 2>&1 &
        echo "Submitted batch job $job"
    """,
    "srun": """
        while [ "${1#-}" != "$1" ]; do if [ "${1#*=}" = "$1" ] && [ "${2#/}" != "$2" ]; then shift; fi; shift; done
        exec "$@"
    """,
    "squeue": 'cd "$SLURM_FAKE"; for job in *.runs; do echo "${job%.runs}"; done',
    "sacct": "echo 'Slurm accounting storage is disabled' >&2; exit 1",
    "scancel": 'echo "$@" >> "$SLURM_FAKE/cancelled"',
}


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Slurm's commands, played by scripts in a folder that also keeps what was submitted."""
    folder, commands = tmp_path / "slurm", tmp_path / "bin"
    folder.mkdir()
    commands.mkdir()
    for name, text in SLURM.items():
        (commands / name).write_text(f"#!/bin/bash\n{text}\n")
        (commands / name).chmod((commands / name).stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{commands}:{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_FAKE", str(folder))
    monkeypatch.setattr("seatbelt_vae.experiments.engines.submitit._LOOK", 0.5)
    return folder


def test_slurm_gets_what_was_asked_for(
    tiny: ExperimentSpec, tmp_path: Path, slurm: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sweep = planned(spec_of(tiny, seeds=1, steps=2), tmp_path / "store")
    asked = Resources(workers=3, gpus=1, cpus=4, memory=7.5, time=90, partition="gpu")
    engine = make_engine("slurm", sweep.store / ".sweep" / "logs", asked)
    assert engine.slots == 3
    assert [each.state for each in run_sweep(sweep, engine)] == [State.DONE]
    (script,) = slurm.glob("*.sh")
    lines = script.read_text().splitlines()
    for line in ("--partition=gpu", "--time=90", "--gpus-per-node=1", "--cpus-per-task=4", "--mem=7680M"):
        assert f"#SBATCH {line}" in lines
    assert "sacct" not in "".join(capfd.readouterr())


def test_a_slurm_job_that_leaves_the_queue_without_a_result_is_over(tmp_path: Path, slurm: Path) -> None:
    engine = make_engine("slurm", tmp_path / "logs", Resources())
    (tmp_path / "bin" / "srun").write_text("#!/bin/bash\nsleep 1\n")
    job = Job(str(tmp_path / "run"), str(tmp_path / "work.json"))
    engine.submit(job)
    assert engine.ended(0.1) == []
    until = time.monotonic() + 20
    while not (ended := engine.ended(0.5)) and time.monotonic() < until:
        pass
    assert [each for each, _ in ended] == [job]


def test_slurm_that_refuses(tmp_path: Path, slurm: Path) -> None:
    (tmp_path / "bin" / "sbatch").write_text("#!/bin/bash\necho 'sbatch: error: invalid partition' >&2; exit 1\n")
    engine = make_engine("slurm", tmp_path / "logs", Resources(partition="none"))
    with pytest.raises(RunError, match=r"run: could not be submitted \(.*invalid partition"):
        engine.submit(Job("run", "work"))


def test_closing_cancels_what_is_at_work(tmp_path: Path, slurm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seatbelt_vae.experiments.engines.submitit._GRACE", 0.1)
    (tmp_path / "bin" / "srun").write_text("#!/bin/bash\nsleep 3\n")
    engine = make_engine("slurm", tmp_path / "logs", Resources())
    engine.submit(Job("run", "work"))
    engine.close()
    assert (slurm / "cancelled").read_text().split() == [(slurm / "last").read_text().strip()]


def test_no_slurm_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="there is no srun on this machine"):
        make_engine("slurm", tmp_path, Resources())


@pytest.mark.parametrize(
    ("name", "resources", "message"),
    [
        ("slrum", Resources(), "--engine: 'slrum' is unknown, use one of in-process, local, slurm, ray"),
        ("in-process", Resources(workers=2), "--workers: means nothing to the engine in-process, only to local, slurm"),
        ("local", Resources(partition="gpu"), "--partition: means nothing to the engine local, only to slurm"),
        ("local", Resources(workers=0), "--workers: 0 is out of range"),
        ("slurm", Resources(memory=-1.0), r"--memory: -1\.0 is out of range"),
        ("local", Resources(gpus=99), "--gpus: 99 for each worker are asked for, this machine has"),
    ],
)
def test_wrong_resources(name: str, resources: Resources, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        make_engine(name, tmp_path, resources)


@pytest.mark.parametrize(("name", "library", "extra"), [("local", "submitit", "slurm"), ("ray", "ray", "ray")])
def test_a_missing_library_says_how_it_is_installed(
    name: str, library: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(InputError, match=rf"pip install 'seatbelt-vae\[{extra}\]'$"):
        make_engine(name, tmp_path, Resources())


def test_a_ray_cluster_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    def refuse(**settings: object) -> None:
        raise ConnectionError(f"Could not find any running Ray instance at {settings['address']}.\nMore words.")

    monkeypatch.setattr(ray, "init", refuse)
    with pytest.raises(RunError, match=r"ray: auto gives no cluster \(Could not find any .* at auto\.\)$"):
        make_engine("ray", tmp_path, Resources(address="auto"))


def test_a_dead_ray_address_is_told_before_ray_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    monkeypatch.setattr(ray, "init", None)
    with socket.socket() as unused:  # bound, and nobody listens
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(RunError, match=rf"ray: {address} gives no cluster \(Connection refused\)$"):
            make_engine("ray", tmp_path, Resources(address=address))


def test_rays_client_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'ray\[client\]'"):
        make_engine("ray", tmp_path, Resources(address="ray://head:10001"))


def test_threads_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert threads("local", Resources(workers=2)) == 4
    assert threads("local", Resources(workers=99)) == 1
    assert threads("local", Resources()) == 1
    assert [threads(name, Resources(workers=2)) for name in ENGINES if name != "local"] == [None] * 3
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads("local", Resources(workers=2)) is None
