"""A sweep: its runs in a store, and an engine that does what is left of them, whatever happens on the way."""

import hashlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.claim import claim
from seatbelt_vae.experiments.engines.protocol import Engine, Job
from seatbelt_vae.experiments.run import completed, ingredients
from seatbelt_vae.experiments.spec import DataSpec, ExperimentSpec, checked
from seatbelt_vae.experiments.standing import Standing, State, standing
from seatbelt_vae.experiments.store import SPEC, RunFolder, open_data
from seatbelt_vae.experiments.sweep_spec import SweepSpec
from seatbelt_vae.experiments.work import Work, forget_failure, record_failure
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
        work: what is to be done to each.
        work_path: the file in the store that says so to workers.
    """

    store: Path
    runs: tuple[RunFolder, ...]
    work: Work
    work_path: Path

    @classmethod
    def plan(cls, spec: SweepSpec, store: str | Path, *, write: bool = True, **settings: Any) -> Self:
        """Check all of a sweep and make its run folders; those that are there are taken up.

        Args:
            spec: the sweep.
            store: the folder of the run folders.
            write: False only looks, and makes nothing.
            **settings: ``device``, ``checkpoint_every``, ``log_every`` and ``threads`` of `Work`.

        Raises:
            InputError: a run cannot be trained as it is described, its data cannot be read, or the store is a file.
            RunError: the store cannot be written.
        """
        store = Path(store).expanduser().resolve()
        if store.exists() and not store.is_dir():
            raise InputError(f"{store}: is a file, a sweep needs a folder")
        work = checked(Work, {"evaluate": spec.evaluate, "attacks": spec.attacks, **settings}, "sweep")
        choose_device(work.device)
        specs = {run.digest: run for run in _completed(spec.runs, store)}.values()
        take = RunFolder.create if write else RunFolder
        runs = tuple(take(store / run.run_name, run) for run in specs)
        path = store / OWN / f"{hashlib.sha256(work.model_dump_json().encode()).hexdigest()[:12]}.json"
        return cls(store, runs, work, work.write(path) if write else path)

    def standings(self) -> list[Standing]:
        """Tell where each run stands."""
        return [standing(run, self.work) for run in self.runs]

    def job(self, run: RunFolder) -> Job:
        """Describe the work on a run to an engine."""
        return Job(str(run.path), str(self.work_path))


def run_sweep(
    sweep: Sweep, engine: Engine, *, retry: bool = False, settled: Callable[[RunFolder, Standing], None] | None = None
) -> list[Standing]:
    """Do what is left of a sweep. What is done is not done again, what was interrupted goes on.

    Runs that another sweep is at are left to it, and taken up where that ends without finishing them.

    Args:
        sweep: the runs.
        engine: what does the work.
        retry: also try again what has failed before.
        settled: called with each run that is done or has failed since.

    Returns:
        Where each run stands at the end: done or failed.

    Raises:
        KeyboardInterrupt: Ctrl-C; the same call goes on.
    """
    if retry:
        for run in sweep.runs:
            forget_failure(run.path)
    attempts = _Attempts()
    waiting = deque(run for run in sweep.runs if not standing(run, sweep.work).settled)
    flying: dict[Job, RunFolder] = {}
    try:
        while waiting or flying:
            _submit(sweep, engine, waiting, flying)
            for job, details in engine.ended(PAUSE):
                run = flying.pop(job)
                now = standing(run, sweep.work)
                if not now.settled and now.state is not State.RUNNING and attempts.exhausted(run, now):
                    _give_up(run, details)
                    now = standing(run, sweep.work)
                if not now.settled:
                    waiting.append(run)
                elif settled:
                    settled(run, now)
    finally:
        engine.close()
    return sweep.standings()


def _submit(sweep: Sweep, engine: Engine, waiting: deque[RunFolder], flying: dict[Job, RunFolder]) -> None:
    """Give the engine as many runs as it takes, but for those that others have done meanwhile or are at."""
    for _ in range(len(waiting)):
        if len(flying) >= engine.slots:
            return
        run = waiting.popleft()
        now = standing(run, sweep.work)
        if now.state is State.RUNNING:
            waiting.append(run)
        elif not now.settled:
            flying[sweep.job(run)] = run
            engine.submit(sweep.job(run))
    if not flying and waiting:
        time.sleep(PAUSE)


class _Attempts:
    """How often each run came back as it was."""

    def __init__(self) -> None:
        self.last: dict[str, tuple[int, float]] = {}

    def exhausted(self, run: RunFolder, now: Standing) -> bool:
        count, progress = self.last.get(run.name, (0, -1.0))
        count = count + 1 if now.progress <= progress else 1
        self.last[run.name] = count, now.progress
        return count >= TRIES


def _give_up(run: RunFolder, details: str) -> None:
    with claim(run.path) as ours:
        if ours:
            reason = "killed, out of memory, out of time or unable to start"
            record_failure(run.path, f"its worker ended {TRIES} times without a step forward: {reason}", details)


def _completed(specs: tuple[ExperimentSpec, ...], store: Path) -> list[ExperimentSpec]:
    """Every spec as its run's folder holds it; refuses what cannot be trained before there is a folder."""
    found: dict[int, ExperimentSpec] = {}
    by_data: dict[DataSpec, list[int]] = {}
    for place, spec in enumerate(specs):
        by_data.setdefault(spec.data, []).append(place)
    for data, places in by_data.items():
        dataset = open_data(data)
        images = dataset.split(data.test, data.seed).train
        known: set[str] = set()
        for place in places:
            spec = found[place] = completed(specs[place], dataset)
            kind = spec.changed(training={"seed": 0}).digest
            if kind not in known and not (store / spec.run_name / SPEC).exists():
                ingredients(spec, images)
            known.add(kind)
    return [found[place] for place in range(len(specs))]
