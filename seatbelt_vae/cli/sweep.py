"""``seatbelt sweep``: many runs from one file, on this machine or on a cluster."""

import shlex
from pathlib import Path

from seatbelt_vae.cli.console import columns, number, show
from seatbelt_vae.cli.options import EngineOptions, Json

NAME = "sweep"
EXAMPLE = "seatbelt sweep examples/sweep.toml --out STORE --table STORE/results.csv"


def command(
    spec: Path,
    /,
    *,
    out: Path = Path("runs"),
    engines: EngineOptions | None = None,
    retry: bool = False,
    status: bool = False,
    table: Path | None = None,
    checkpoint_every: int = 500,
    log_every: int = 50,
    device: str = "auto",
    json: Json = False,
) -> None:
    """Train, measure and attack every run that a file with lists describes.

    The same command goes on where it was stopped: what is done is not done again. Several of them may share a store.

    Args:
        spec: TOML file with the tables data, model, objective and training, whose settings may be lists; with runs
            for several such grids, evaluate to measure each run, and attack to attack it.
        out: The store: the folder of the run folders.
        engines: What does the runs.
        retry: Also try again what has failed before.
        status: Only show what there is.
        table: Where to write the results as a table: .csv, or .parquet.
        checkpoint_every: Steps between checkpoints.
        log_every: Steps between records in metrics.jsonl.
        device: auto, cpu, cuda or mps.
        json: Print one JSON document.
    """
    from seatbelt_vae.cli.live import Watch, counts, shown, tell
    from seatbelt_vae.errors import RunError
    from seatbelt_vae.experiments import Sweep, SweepSpec, results, run_sweep, write_table
    from seatbelt_vae.experiments.engines import make_engine, threads
    from seatbelt_vae.experiments.results import check_table
    from seatbelt_vae.experiments.sweep import OWN

    if table is not None:
        check_table(table)
    engines = engines or EngineOptions()
    engine, resources = engines.engine, engines.resources()
    every = {"checkpoint_every": checkpoint_every, "log_every": log_every}
    settings = {"device": device, **every, "threads": threads(engine, resources)}
    sweep = Sweep.plan(SweepSpec.read(spec), out, write=not status, **settings)
    watch = Watch(sweep)
    if status:
        standings = watch.look()
    else:
        doer = make_engine(engine, sweep.store / OWN / "logs", resources)
        if retry:
            watch.forget()
        try:
            with shown(watch):
                standings = run_sweep(sweep, doer, retry=retry, settled=lambda run, now: tell(watch, run, now))
        except KeyboardInterrupt:
            again = shlex.join(["seatbelt", "sweep", str(spec), "--out", str(out), "--engine", engine])
            raise KeyboardInterrupt(f"{watch.summary(watch.look())}; nothing is lost, go on with: {again}") from None
    rows = results(sweep, standings)
    if table is not None:
        write_table(rows, table)
    failed = [(run, now) for run, now in zip(sweep.runs, standings, strict=True) if now.state == "failed"]
    document = {"store": str(sweep.store), "counts": counts(standings), "runs": rows}
    names = ["run", *watch.settings, "state", "step", *(name for name in ("elbo",) if name in rows[0])]
    words = [[name.rpartition(".")[2] for name in names]]
    words += [["" if row[name] is None else number(row[name]) for name in names] for row in rows]
    lines = [*columns(words), "", f"{sweep.store}: {watch.summary(standings)}"]
    show(document, json, [*lines, *(f"{run.path}: {now.error}" for run, now in failed)])
    if failed and not status:
        run, now = failed[0]
        raise RunError(
            f"{len(failed)} of {len(standings)} runs failed, the first is {run.name}: {now.error}; "
            f"see {run.path / 'error.json'}, and try again with --retry"
        )
