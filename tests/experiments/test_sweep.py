import json
import math
import tomllib
from pathlib import Path

import pytest
import torch

from seatbelt_vae.errors import InputError, RunError
from seatbelt_vae.experiments import Cell, ExperimentSpec, RunFolder, State, Sweep, SweepSpec, Task, run_sweep, status
from seatbelt_vae.experiments.engines import InProcess, Job
from seatbelt_vae.experiments.lock import lock
from seatbelt_vae.experiments.sweep import TRIES
from seatbelt_vae.experiments.tasks import failure, perform
from seatbelt_vae.storage import read_tensors
from seatbelt_vae.training.update import Update

DONE = [State.DONE] * 2


@pytest.fixture
def spec(tiny: ExperimentSpec) -> SweepSpec:
    return SweepSpec.of(
        tomllib.loads(f"""
        [data]
        name = "{tiny.data.name}"
        test = 0.4
        [model]
        name = "seatbelt"
        latent_sizes = [4, 2]
        network = "tiny"
        hidden_sizes = [8]
        [training]
        steps = 3
        batch_size = 16
        seed = [0, 1]
    """)
    )


@pytest.fixture
def sweep(spec: SweepSpec, tmp_path: Path) -> Sweep:
    return Sweep.plan(spec, tmp_path / "store", device="cpu", checkpoint_every=1, log_every=1)


class Worked:
    """The runs on which steps were made, with the steps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.steps: list[tuple[int, int]] = []
        self.fail: tuple[int, int] | None = None
        self.error: BaseException = RuntimeError("a bad day")
        update = Update.__call__

        def noted(this: Update, step: int, advice: str = "") -> object:
            self.steps.append((this.settings.seed, step))
            if self.steps[-1] == self.fail:
                raise self.error
            return update(this, step, advice)

        monkeypatch.setattr(Update, "__call__", noted)


@pytest.fixture
def worked(monkeypatch: pytest.MonkeyPatch) -> Worked:
    return Worked(monkeypatch)


def states(sweep: Sweep) -> list[State]:
    return [each.state for each in sweep.statuses()]


def test_a_plan_makes_the_folders_and_trains_nothing(sweep: Sweep, spec: SweepSpec) -> None:
    assert states(sweep) == [State.WAITING] * 2
    assert [run.path.name for run in sweep.runs] == [run.spec.run_name for run in sweep.runs]
    shown = sorted(path.name for path in sweep.store.iterdir() if not path.name.startswith("."))
    assert shown == sorted(run.name for run in sweep.runs)
    assert all(RunFolder.open(run.path).spec == run.spec for run in sweep.runs)
    assert Task.read(sweep.task_path) == sweep.task


def test_only_looking_makes_nothing(spec: SweepSpec, tmp_path: Path) -> None:
    looked = Sweep.plan(spec, tmp_path / "none", write=False, device="cpu")
    assert states(looked) == [State.WAITING] * 2
    assert not (tmp_path / "none").exists()


def test_what_cannot_be_trained_is_refused_before_there_is_a_folder(spec: SweepSpec, tmp_path: Path) -> None:
    wrong = SweepSpec((*spec.runs, spec.runs[0].changed(training={"batch_size": 99})))
    with pytest.raises(InputError, match="batch_size: 99 does not fit"):
        Sweep.plan(wrong, tmp_path / "store")
    with pytest.raises(InputError, match=r"checkpoint_every: .*greater than or equal to 1, got 0"):
        Sweep.plan(spec, tmp_path / "store", checkpoint_every=0)
    assert not (tmp_path / "store").exists()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is a file, a sweep needs a folder"):
        Sweep.plan(spec, tmp_path / "file")


def test_every_run_once_and_none_again(sweep: Sweep, spec: SweepSpec, worked: Worked) -> None:
    settled = []
    found = run_sweep(sweep, InProcess(), settled=lambda run, now: settled.append((run.name, now.state)))
    assert [each.state for each in found] == DONE
    assert settled == [(run.name, State.DONE) for run in sweep.runs]
    assert worked.steps == [(seed, step) for seed in (0, 1) for step in range(3)]
    run_sweep(Sweep.plan(spec, sweep.store, device="cpu"), InProcess())
    assert len(worked.steps) == 6


def test_a_longer_sweep_does_only_what_is_new(sweep: Sweep, spec: SweepSpec, worked: Worked) -> None:
    run_sweep(sweep, InProcess())
    more = SweepSpec((*spec.runs, spec.runs[0].changed(training={"seed": 7})))
    run_sweep(Sweep.plan(more, sweep.store, device="cpu"), InProcess())
    assert {seed for seed, _ in worked.steps[6:]} == {7}


def test_a_failure_is_kept_and_only_retried_on_request(sweep: Sweep, worked: Worked) -> None:
    worked.fail = (0, 1)
    found = run_sweep(sweep, InProcess())
    assert [each.state for each in found] == [State.FAILED, State.DONE]
    assert found[0].error == "a bad day"
    kept = json.loads((sweep.runs[0].path / "error.json").read_text())
    assert kept["message"] == "a bad day"
    assert "RuntimeError: a bad day" in kept["details"]
    assert "Traceback" in kept["details"]
    worked.fail = None
    before = len(worked.steps)
    assert [each.state for each in run_sweep(sweep, InProcess())] == [State.FAILED, State.DONE]
    perform(*sweep.job(sweep.runs[0]))
    assert len(worked.steps) == before
    assert [each.state for each in run_sweep(sweep, InProcess(), retry=True)] == DONE
    assert worked.steps[before:] == [(0, 1), (0, 2)]  # the first step was kept
    assert failure(sweep.runs[0].path) is None


def test_an_interrupt_is_no_failure(sweep: Sweep, worked: Worked) -> None:
    worked.fail, worked.error = (0, 2), KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        run_sweep(sweep, InProcess())
    first, second = sweep.statuses()
    assert (first.state, first.step, second.state) == (State.INTERRUPTED, 2, State.WAITING)
    assert first.progress == pytest.approx(2 / 3)
    worked.fail = None
    assert [each.state for each in run_sweep(sweep, InProcess())] == DONE


def test_what_another_is_at_is_left_to_it(sweep: Sweep, worked: Worked) -> None:
    with lock(sweep.runs[0].path):
        assert states(sweep) == [State.RUNNING, State.WAITING]
        perform(*sweep.job(sweep.runs[0]))
        assert worked.steps == []


def test_a_run_that_another_lets_go_of_is_taken_up(
    sweep: Sweep, worked: Worked, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = lock(sweep.runs[0].path)
    held.__enter__()
    pauses = []

    def pause(seconds: float) -> None:
        pauses.append(states(sweep))
        held.__exit__(None, None, None)

    monkeypatch.setattr("seatbelt_vae.experiments.sweep.time.sleep", pause)
    assert [each.state for each in run_sweep(sweep, InProcess())] == DONE
    assert pauses == [[State.RUNNING, State.DONE]]
    assert worked.steps[:3] == [(1, 0), (1, 1), (1, 2)]


class Deadly:
    """An engine whose jobs end as if they had been killed, some after a step forward."""

    slots = 2

    def __init__(self, deaths: int, forward: bool) -> None:
        self.deaths, self.forward, self.given, self.closed = deaths, forward, [], 0

    def submit(self, job: Job) -> None:
        self.given.append(job)
        if len(self.given) > self.deaths or self.forward:
            perform(*job)

    def ended(self, timeout: float) -> list[tuple[Job, str]]:
        return [(self.given[-1], "see the log")]

    def close(self) -> None:
        self.closed += 1


def test_a_killed_worker_is_replaced(sweep: Sweep) -> None:
    engine = Deadly(deaths=TRIES - 1, forward=False)
    one = Sweep(sweep.store, sweep.runs[:1], sweep.task, sweep.task_path)
    assert run_sweep(one, engine)[0].state is State.DONE
    assert (len(engine.given), engine.closed) == (TRIES, 1)


def test_a_run_that_only_kills_its_workers_is_given_up(sweep: Sweep) -> None:
    engine = Deadly(deaths=99, forward=False)
    one = Sweep(sweep.store, sweep.runs[:1], sweep.task, sweep.task_path)
    found = run_sweep(one, engine)[0]
    assert found.state is State.FAILED
    assert "ended 3 times without a step forward" in found.error
    assert failure(sweep.runs[0].path) == {"message": found.error, "details": "see the log"}
    assert len(engine.given) == TRIES


def test_deaths_with_steps_forward_in_between_do_not_count(sweep: Sweep, worked: Worked) -> None:
    """SystemExit leaves `perform` as a kill would: nothing is written, the checkpoint of each step is there."""
    engine = Deadly(deaths=99, forward=True)
    one = Sweep(sweep.store, sweep.runs[:1], sweep.task, sweep.task_path)
    longer = one.runs[0].spec.changed(training={"steps": 6})
    one = Sweep(one.store, (RunFolder.create(one.store / "longer", longer),), one.task, one.task_path)
    given = Deadly.submit

    def dying(this: Deadly, job: Job) -> None:
        worked.fail, worked.error = (0, len(this.given) + 1), SystemExit(1)
        with pytest.raises(SystemExit) if len(this.given) < 5 else _nothing():
            given(this, job)

    engine.submit = dying.__get__(engine)  # type: ignore[method-assign]
    assert run_sweep(one, engine)[0].state is State.DONE
    assert len(engine.given) == 6 > TRIES


def _nothing():
    from contextlib import nullcontext

    return nullcontext()


def test_a_damaged_file_is_that_runs_failure_alone(sweep: Sweep) -> None:
    run_sweep(sweep, InProcess())
    (sweep.runs[0].path / "training.safetensors").write_bytes(b"torn")
    found = run_sweep(sweep, InProcess())
    assert [each.state for each in found] == [State.FAILED, State.DONE]
    assert "training.safetensors: is not a training state" in found[0].error


def test_what_a_killed_write_left_behind_is_removed(sweep: Sweep) -> None:
    left = sweep.runs[0].path / ".training.safetensors.x7k2m1qz"
    left.write_bytes(b"half")
    run_sweep(sweep, InProcess())
    assert not left.exists()
    assert not list(sweep.store.rglob(".*.safetensors.*"))


def test_attacks_and_measurements_follow_and_are_not_made_again(
    spec: SweepSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """
        [evaluate]
        measures = ["elbo", "weights"]
        [[attack]]
        pairs = 2
        lambdas = [0.1, 10.0]
        max_iterations = 3
        [[attack]]
        objective = "damage"
        pairs = 2
        radii = [0.5]
        max_iterations = 3
    """
    asked = SweepSpec.of(tomllib.loads(text))
    full = SweepSpec(spec.runs[:1], asked.evaluate, asked.attacks)
    sweep = Sweep.plan(full, tmp_path / "store", device="cpu")
    run = sweep.runs[0]
    names = [attack.name for attack in full.attacks]
    assert sweep.task.left(run) == ["training", "evaluation", *names]
    assert run_sweep(sweep, InProcess())[0].progress == 1.0
    assert set(run.attacks) == set(names)
    table = sweep.table()
    (record,) = table.records
    assert table.values(Cell(record), "elbo").item() == run.evaluation["elbo"]
    assert table.values(Cell(record), "weight_norms@encoder").item() > 0
    gained = Cell(record, names[0])
    assert table.values(gained, "auddc").isnan().all()  # barely trained, it reconstructs every image alike
    assert math.isnan(table.interval([gained], "auddc").value)
    damage = table.interval([Cell(record, names[1])], "damage@0.5")
    assert damage.low <= damage.value <= damage.high
    (run.attacks_path / f"{names[1]}.assessment.safetensors").unlink()
    now = status(run, sweep.task)
    assert (now.state, now.progress) == (State.INTERRUPTED, 0.75)
    made = (run.attacks_path / f"{names[0]}.json").stat().st_mtime_ns
    assert run_sweep(sweep, InProcess())[0].state is State.DONE
    assert (run.attacks_path / f"{names[0]}.json").stat().st_mtime_ns == made


def test_threads_are_those_asked_for(spec: SweepSpec, tmp_path: Path) -> None:
    before = torch.get_num_threads()
    one = SweepSpec(spec.runs[:1])
    sweep = Sweep.plan(one, tmp_path / "store", device="cpu", threads=before + 1)
    try:
        run_sweep(sweep, InProcess())
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)


def test_a_store_that_cannot_be_written(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise RunError("no space left on device")

    monkeypatch.setattr("seatbelt_vae.experiments.tasks.run_training", full)
    monkeypatch.setattr("seatbelt_vae.experiments.tasks.write_json", full)
    with pytest.raises(RunError, match="no space left"):
        run_sweep(sweep, InProcess())


def test_weights_are_those_of_a_run_by_itself(sweep: Sweep, spec: SweepSpec, tmp_path: Path) -> None:
    from seatbelt_vae.experiments import run_training

    run_sweep(sweep, InProcess())
    alone = run_training(spec.runs[1], tmp_path / "alone", device="cpu")
    first, second = (read_tensors(run.path / "model.safetensors") for run in (sweep.runs[1], alone))
    assert all(torch.equal(first[name], second[name]) for name in first)
