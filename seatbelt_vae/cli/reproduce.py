"""``seatbelt reproduce``: the paper's figures and tables, made again."""

from collections.abc import Sequence
from pathlib import Path
from shlex import join

from seatbelt_vae.cli.console import note, show
from seatbelt_vae.cli.engines import Workers
from seatbelt_vae.cli.options import Device, Json, Settings, takes
from seatbelt_vae.errors import InputError, RunError
from seatbelt_vae.experiments.sweep import OWN
from seatbelt_vae.progress import progress_bar
from seatbelt_vae.report.export import converter
from seatbelt_vae.report.reproduction import write_reproduction
from seatbelt_vae.reproduction import Plan, estimate_hours, names_of, plan, reproduce, scale_of
from seatbelt_vae.reproduction import so_far as look


@takes(workers=Workers)
def command(
    *names: str,
    scale: str = "smoke",
    out: Path = Path("reproduction"),
    data: list[str] | None = None,
    hide: list[str] | None = None,
    retry: bool = False,
    so_far: bool = False,
    device: Device = "auto",
    json: Json = False,
    **tables: Settings,
) -> None:
    """Reproduce the paper. Recipes share their runs; OUT/reproduction.md says what becomes of each claim.

    Args:
        names: all, or some of fig1, fig3, fig4, fig5, fig6, fig7, fig8, table1, mig, kl-collapse, per-layer,
            traversals, rotated-heart, l2-distances, small-noise, dependence; and larger, as dear as all of them.
        scale: smoke (minutes), laptop (hours for each set of data), or paper (weeks of a core: a cluster).
        out: Folder of the document, its figures and tables, and of the runs in OUT/runs.
        data: Names of data or paths, as often as there are sets; sprites by default.
        hide: Data, of those, of which no image is shown: what their terms do not let you pass on.
        retry: Also try again what has failed before.
        so_far: Show what is known by now, and train and attack nothing.
    """
    chosen = names_of(names)
    size = scale_of(scale)
    workers = Workers.of(tables["workers"])
    converter()
    planned = plan(chosen, size, list(dict.fromkeys(data or ["sprites"])))
    hidden = _hidden(hide or [], planned)
    hours = estimate_hours(planned)
    again = _line(scale, data or [], hide or [], out)
    if not so_far:
        needs = f"a GPU with {size.memory:g} GB for each worker"
        note(f"{scale}: {planned.runs} models, about {_long(hours)} of one CPU core to train and attack, or {needs}")
    store = out / "runs"
    try:
        with progress_bar("Runs", planned.runs, not (json or so_far)) as advance:
            if so_far:
                results, failed = look(planned, store)
            else:
                results, failed = reproduce(
                    planned,
                    store,
                    lambda: workers.start(store / OWN / "logs"),
                    retry=retry,
                    settled=lambda run: advance(note=run.name),
                    device=device,
                    threads=workers.threads,
                )
    except KeyboardInterrupt as error:
        error.args = (f"nothing is lost, go on with: {again.format(' '.join(names))}",)
        raise
    path, sections = write_reproduction(
        planned, results, out, command=again, failed=failed, hidden=hidden, progress=not json
    )
    verdicts = {each.recipe.name: each.word for each in sections}
    document = {"document": str(path), "scale": scale, "verdicts": verdicts, "failed": failed, "hours": hours}
    lines = [f"{name}: {word}" for name, word in verdicts.items()]
    show(document, json, [*lines, "", f"document: {path}"])
    if so_far:
        note(f"{len(failed)} of {planned.runs} runs are not complete, go on with: {again.format(' '.join(names))}")
    elif failed:
        run, why = next(iter(failed.items()))
        raise RunError(
            f"{len(failed)} of {planned.runs} runs failed, the first is {run}: {why}; try again with --retry"
        )


def _hidden(names: Sequence[str], planned: Plan) -> list[str]:
    known = [images.label for images in planned.images]
    hidden = []
    for name in names:
        label = Path(name).stem
        if label not in known:
            raise InputError(f"--hide: {label!r} is none of the data, use some of {', '.join(known)}")
        hidden.append(label)
    return hidden


def _line(scale: str, data: Sequence[str], hide: Sequence[str], out: Path) -> str:
    """The command that goes on, with ``{}`` for the names of recipes."""
    words = ["--scale", scale]
    for name in data:
        words += ["--data", name]
    for name in hide:
        words += ["--hide", name]
    return f"seatbelt reproduce {{}} {join([*words, '--out', str(out)])}"


def _long(hours: float) -> str:
    if hours >= 1:
        return f"{hours:.1f} h"
    return f"{hours * 60:.0f} min"
