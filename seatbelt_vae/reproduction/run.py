"""Do what recipes ask for, in one store, whatever is left of it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from seatbelt_vae.experiments import Record, RunFolder, State, Sweep, run_sweep
from seatbelt_vae.experiments.engines import Engine
from seatbelt_vae.reproduction.blend import blended
from seatbelt_vae.reproduction.images import Images
from seatbelt_vae.reproduction.plan import Plan
from seatbelt_vae.reproduction.points import BLEND, VAE, Point, of_spec
from seatbelt_vae.reproduction.results import Results


def reproduce(
    planned: Plan,
    store: str | Path,
    engine: Callable[[], Engine],
    *,
    retry: bool = False,
    settled: Callable[[RunFolder], None] = lambda run: None,
    **settings: Any,
) -> tuple[Results, dict[str, str]]:
    """Train, measure and attack every run that recipes share; what is done is not done again.

    Args:
        planned: what recipes ask for.
        store: the folder of the run folders.
        engine: makes the engine that does the work of a sweep.
        retry: also try again what has failed before.
        settled: called with each run that is done or has failed.
        **settings: ``device``, ``checkpoint_every``, ``log_every`` and ``threads`` of a task.

    Returns:
        What is known of the runs that are done, and by folder why others failed.

    Raises:
        InputError: a run cannot be trained as it is described, or its data cannot be read.
        KeyboardInterrupt: Ctrl-C; the same call goes on.
    """
    done: list[RunFolder] = []
    failed: dict[str, str] = {}
    sweeps = [Sweep.plan(each, store, **settings) for each in planned.sweeps]
    for sweep in sweeps:
        for run, status in zip(sweep.runs, sweep.statuses(), strict=True):
            if status.state is State.DONE or (status.settled and not retry):
                settled(run)
        found = run_sweep(sweep, engine(), retry=retry, settled=lambda run, status: settled(run))
        for run, status in zip(sweep.runs, found, strict=True):
            if status.state is State.DONE:
                done.append(run)
            else:
                failed[str(run.path)] = status.error
    return arranged(planned, done), failed


def so_far(planned: Plan, store: str | Path) -> tuple[Results, dict[str, str]]:
    """What is known by now; nothing is done, and whoever is at work on it is left alone.

    Returns:
        What is known of every run that is trained, and by folder what is left to do or why it failed.

    Raises:
        InputError: a run cannot be trained as it is described, or its data cannot be read.
    """
    trained = []
    missing = {}
    for each in planned.sweeps:
        sweep = Sweep.plan(each, store, write=False)
        for run, status in zip(sweep.runs, sweep.statuses(), strict=True):
            left = "not trained yet"
            if run.finished:
                trained.append(run)
                left = "trained, measured and attacked in part"
            if status.state is not State.DONE:
                missing[str(run.path)] = status.error or left
    return arranged(planned, trained), missing


def arranged(planned: Plan, folders: Sequence[RunFolder]) -> Results:
    """Arrange run folders by data, point and seed."""
    runs: dict[tuple[str, Point], dict[int, Record]] = {}
    for folder in folders:
        label = Images(folder.spec.data.name).label
        point = of_spec(folder.spec, planned.points)
        seed = folder.spec.training.seed
        runs.setdefault((label, point), {})[seed] = folder.record()
        if point == VAE and BLEND in planned.points:
            runs.setdefault((label, BLEND), {})[seed] = blended(folder)
    return Results(planned.scale, planned.images, runs)
