"""``seatbelt sweep``: many runs from one file, on this machine or on a cluster."""

from collections.abc import Sequence
from pathlib import Path
from shlex import join
from typing import Any

from seatbelt_vae.cli.console import columns, number, show
from seatbelt_vae.cli.engines import Workers
from seatbelt_vae.cli.live import Watch, counts, elbo_of, shown, tell
from seatbelt_vae.cli.options import Device, Json, Pace, Settings, takes
from seatbelt_vae.errors import RunError
from seatbelt_vae.experiments import Status, Sweep, SweepSpec, check_format, run_sweep
from seatbelt_vae.experiments.sweep import OWN


@takes(workers=Workers, pace=Pace)
def command(
    spec: Path,
    /,
    *,
    out: Path = Path("runs"),
    retry: bool = False,
    status: bool = False,
    table: Path | None = None,
    device: Device = "auto",
    json: Json = False,
    **tables: Settings,
) -> None:
    """Do every run of a file. Several sweeps may share a store.

    Args:
        spec: TOML file with the tables data, model, objective, training and robust, whose settings may be lists; with
            runs for several such grids, evaluate to measure each run, and attack to attack it.
        out: The store: the folder of the run folders.
        retry: Also try again what has failed before.
        status: Only show what there is.
        table: Where to write every number as one long table: .csv, or .parquet.
    """
    if table is not None:
        check_format(table)
    workers = Workers.of(tables["workers"])
    settings = {"device": device, "threads": workers.threads, **tables["pace"]}
    sweep = Sweep.plan(SweepSpec.read(spec), out, write=not status, **settings)
    watch = Watch(sweep)
    statuses = watch.look()
    if not status:
        engine = workers.start(sweep.store / OWN / "logs")
        if retry:
            watch.forget()
        try:
            with shown(watch):
                statuses = run_sweep(sweep, engine, retry=retry, settled=lambda run, now: tell(watch, run, now))
        except KeyboardInterrupt as error:
            again = join(["seatbelt", "sweep", str(spec), "--out", str(out), "--engine", workers.engine])
            error.args = (f"{watch.summary(watch.look())}; nothing is lost, go on with: {again}",)
            raise
    if table is not None:
        sweep.table().write(table)
    _show(sweep, watch, statuses, json)
    failed = [(run, now) for run, now in zip(sweep.runs, statuses, strict=True) if now.state == "failed"]
    if failed and not status:
        run, now = failed[0]
        raise RunError(
            f"{len(failed)} of {len(statuses)} runs failed, the first is {run.name}: {now.error}; "
            f"see {run.path / 'error.json'}, and try again with --retry"
        )


def _show(sweep: Sweep, watch: Watch, statuses: Sequence[Status], json: bool) -> None:
    runs = []
    rows = [["run", *(name.rpartition(".")[2] for name in watch.settings), "state", "step", "elbo"]]
    errors = []
    for run, now in zip(sweep.runs, statuses, strict=True):
        values: dict[str, Any] = watch.settings_of(run)
        found = {"run": run.name, **values, "state": now.state.value, "step": now.step, "elbo": elbo_of(run)}
        runs.append({**found, "error": now.error or None, "path": str(run.path)})
        rows.append(["" if value is None else number(value) for value in found.values()])
        if now.error:
            errors.append(f"{run.path}: {now.error}")
    document = {"store": str(sweep.store), "counts": counts(statuses), "runs": runs}
    show(document, json, [*columns(rows), "", f"{sweep.store}: {watch.summary(statuses)}", *errors])
