"""Do what recipes ask for, in one store, whatever is left of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from seatbelt_vae.experiments.engines import Engine
from seatbelt_vae.experiments.recipes.plan import Plan
from seatbelt_vae.experiments.recipes.results import Results
from seatbelt_vae.experiments.recipes.rotated_heart import run_heart_attack
from seatbelt_vae.experiments.recipes.scales import Scale
from seatbelt_vae.experiments.standing import State
from seatbelt_vae.experiments.store import RunFolder
from seatbelt_vae.experiments.sweep import Sweep, run_sweep


def reproduce(
    planned: Plan,
    scale: Scale,
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
        scale: how large.
        store: the folder of the run folders.
        engine: makes the engine that does the work of a sweep.
        retry: also try again what has failed before.
        settled: called with each run that is done or has failed.
        **settings: ``device``, ``checkpoint_every`` and ``threads`` of `seatbelt_vae.experiments.Work`.

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
        for run, now in zip(sweep.runs, sweep.standings(), strict=True):
            if now.state is State.DONE or (now.settled and not retry):
                settled(run)
        standings = run_sweep(sweep, engine(), retry=retry, settled=lambda run, now: settled(run))
        for run, now in zip(sweep.runs, standings, strict=True):
            if now.state is State.DONE:
                done.append(run)
            else:
                failed[str(run.path)] = now.error
    results = Results.of(scale, done, planned.points)
    for data, point, attack in planned.hearts:
        for run in results.folders(data, point):
            run_heart_attack(run, attack, device=settings.get("device", "auto"))
    return results, failed


def so_far(planned: Plan, scale: Scale, store: str | Path) -> tuple[Results, dict[str, str]]:
    """What is known by now; nothing is done, and whoever is at work on it is left alone.

    Args:
        planned: what recipes ask for.
        scale: how large.
        store: the folder of the run folders.

    Returns:
        What is known of every run that is trained, and by folder what is left to do or why it failed.

    Raises:
        InputError: a run cannot be trained as it is described, or its data cannot be read.
    """
    trained, missing = [], {}
    for sweep in (Sweep.plan(each, store, write=False) for each in planned.sweeps):
        for run, now in zip(sweep.runs, sweep.standings(), strict=True):
            if run.finished:
                trained.append(run)
            if now.state is not State.DONE:
                missing[str(run.path)] = now.error or (
                    "trained, measured and attacked in part" if run.finished else "not trained yet"
                )
    return Results.of(scale, trained, planned.points), missing
