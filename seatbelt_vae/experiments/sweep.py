"""A sweep: its runs in a store, and an engine that does what is left of them, whatever happens on the way."""

import hashlib
import json
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.engines.protocol import Engine, Job
from seatbelt_vae.experiments.images import open_data
from seatbelt_vae.experiments.lock import lock
from seatbelt_vae.experiments.spec import DataSpec, ExperimentSpec, flat
from seatbelt_vae.experiments.status import State, Status, status
from seatbelt_vae.experiments.store import SPEC, RunFolder
from seatbelt_vae.experiments.sweep_spec import SweepSpec
from seatbelt_vae.experiments.table import Table, leave_out
from seatbelt_vae.experiments.tasks import Task, forget_failure, record_failure
from seatbelt_vae.experiments.training_run import completed, ingredients
from seatbelt_vae.settings import checked
from seatbelt_vae.storage import begin
from seatbelt_vae.training import choose_device

OWN = ".sweep"
"""Folder of a store that holds what is no run; hidden, so that ``STORE/*`` are the runs."""

TRIES = 3
"""How often a run is given to a worker that ends without a step forward, before it counts as failed."""

PAUSE = 0.5
"""Seconds between two looks at what others do."""


@dataclass(frozen=True)
class Sweep:
    """Runs in a store.

    Attributes:
        store: the folder of the run folders, absolute.
        runs: the runs; each folder's name comes from the hash of its spec.
        task: what is to be done to each.
        task_path: the file in the store that says so to workers.
    """

    store: Path
    runs: tuple[RunFolder, ...]
    task: Task
    task_path: Path

    @classmethod
    def plan(cls, spec: SweepSpec, store: str | Path, *, write: bool = True, **settings: Any) -> Self:
        """Check all of a sweep and make its run folders; those that are there are taken up.

        Args:
            spec: the sweep.
            store: the folder of the run folders.
            write: False only looks, and makes nothing.
            **settings: ``device``, ``checkpoint_every``, ``log_every`` and ``threads`` of `Task`.

        Raises:
            InputError: a run cannot be trained as it is described, its data cannot be read, or the store is a file.
            RunError: the store cannot be written.
        """
        store = Path(store).expanduser().resolve()
        if store.exists() and not store.is_dir():
            raise InputError(f"{store}: is a file, a sweep needs a folder")
        task = checked(Task, {"evaluate": spec.evaluate, "attacks": spec.attacks, **settings}, "sweep")
        choose_device(task.device)
        runs = []
        for run in {each.digest: each for each in _completed(spec.runs, store)}.values():
            folder = RunFolder(store / run.run_name, run)
            if write:
                folder = RunFolder.create(folder.path, run)
            if task.attacks:
                _ = folder.attacks  # refuses those of an earlier version
            runs.append(folder)
        name = hashlib.sha256(task.model_dump_json().encode()).hexdigest()[:12]
        path = store / OWN / f"{name}.json"
        if write:
            begin(path.parent)  # it is checked when a worker reads it
            task.write(path)
        return cls(store, tuple(runs), task, path)

    def statuses(self) -> list[Status]:
        """Tell how far each run has come."""
        return [status(run, self.task) for run in self.runs]

    def table(self) -> Table:
        """All numbers of the runs."""
        return table_of(self.runs)

    def job(self, run: RunFolder) -> Job:
        """Describe the task on a run to an engine."""
        return Job(str(run.path), str(self.task_path))


def table_of(runs: Sequence[RunFolder]) -> Table:
    """The table of some runs; those whose files are damaged are left out, with a warning."""
    records = []
    for run in runs:
        try:
            records.append(run.record())
        except InputError as error:
            leave_out(error)
    return Table(records)


def run_sweep(
    sweep: Sweep,
    engine: Engine,
    *,
    retry: bool = False,
    settled: Callable[[RunFolder, Status], None] = lambda run, now: None,
) -> list[Status]:
    """Do what is left of a sweep. What is done is not done again, what was interrupted goes on.

    Runs that another sweep is at are left to it, and taken up where that ends without finishing them.

    Args:
        sweep: the runs.
        engine: what does the task on them.
        retry: also try again what has failed before.
        settled: called with each run that is done or has failed since.

    Returns:
        How far each run has come at the end: done or failed.

    Raises:
        KeyboardInterrupt: Ctrl-C; the same call goes on.
    """
    if retry:
        for run in sweep.runs:
            forget_failure(run.path)
    attempts = _Attempts()
    waiting = deque(run for run in sweep.runs if not status(run, sweep.task).settled)
    submitted: dict[Job, RunFolder] = {}
    try:
        while waiting or submitted:
            _submit(sweep, engine, waiting, submitted)
            for job, details in engine.ended(PAUSE):
                run = submitted.pop(job)
                now = status(run, sweep.task)
                if not now.settled and now.state is not State.RUNNING and attempts.exhausted(run, now):
                    _give_up(run, details)
                    now = status(run, sweep.task)
                if now.settled:
                    settled(run, now)
                else:
                    waiting.append(run)
    finally:
        engine.close()
    return sweep.statuses()


def varying(specs: Sequence[ExperimentSpec]) -> list[str]:
    """Name the settings in which specs differ, such as ``objective.beta``.

    Example:
        >>> varying([ExperimentSpec(), ExperimentSpec().changed(training={"seed": 1})])
        ['training.seed']
    """
    tables = [flat(spec.model_dump(mode="json")) for spec in specs]
    found = []
    for name in tables[0]:
        if len({json.dumps(settings[name]) for settings in tables}) > 1:
            found.append(name)
    return found


def _submit(sweep: Sweep, engine: Engine, waiting: deque[RunFolder], submitted: dict[Job, RunFolder]) -> None:
    """Give the engine as many runs as it takes, but for those that others have done meanwhile or are at."""
    for _ in range(len(waiting)):
        if len(submitted) >= engine.slots:
            return
        run = waiting.popleft()
        now = status(run, sweep.task)
        if now.state is State.RUNNING:
            waiting.append(run)
        elif not now.settled:
            submitted[sweep.job(run)] = run
            engine.submit(sweep.job(run))
    if not submitted and waiting:
        time.sleep(PAUSE)


class _Attempts:
    """How often each run came back as it was."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, float]] = {}

    def exhausted(self, run: RunFolder, now: Status) -> bool:
        count, progress = self._last.get(run.name, (0, -1.0))
        if now.progress > progress:
            count = 0
        self._last[run.name] = (count + 1, now.progress)
        return count + 1 >= TRIES


def _give_up(run: RunFolder, details: str) -> None:
    with lock(run.path) as ours:
        if ours:
            reason = "killed, out of memory, out of time or unable to start"
            record_failure(run.path, f"its worker ended {TRIES} times without a step forward: {reason}", details)


def _completed(specs: Sequence[ExperimentSpec], store: Path) -> list[ExperimentSpec]:
    """Every spec as its run's folder holds it; refuses what cannot be trained before there is a folder."""
    found = list(specs)
    by_data: dict[DataSpec, list[int]] = {}
    for place, spec in enumerate(specs):
        by_data.setdefault(spec.data, []).append(place)
    for data, places in by_data.items():
        dataset = open_data(data)
        images = dataset.split(data.test, data.seed).train
        tried: set[str] = set()
        for place in places:
            spec = completed(specs[place], dataset)
            found[place] = spec
            kind = spec.changed(training={"seed": 0}).digest
            if kind not in tried and not (store / spec.run_name / SPEC).exists():
                ingredients(spec, images)
            tried.add(kind)
    return found
