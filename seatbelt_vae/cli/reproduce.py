"""``seatbelt reproduce``: the paper's figures and tables, made again."""

import shlex
from pathlib import Path

from seatbelt_vae.cli.console import note, show
from seatbelt_vae.cli.options import EngineOptions, Json

NAME = "reproduce"
EXAMPLE = "seatbelt reproduce all --scale smoke --out reproduction"


def command(
    *names: str,
    scale: str = "smoke",
    out: Path = Path("reproduction"),
    data: list[str] | None = None,
    hide: list[str] | None = None,
    engines: EngineOptions | None = None,
    retry: bool = False,
    so_far: bool = False,
    device: str = "auto",
    json: Json = False,
) -> None:
    """Train, measure and attack what figures and tables of the paper need, and set ours beside the paper's numbers.

    The same command goes on where it was stopped; recipes share their runs. OUT/reproduction.md says what becomes of
    each claim.

    Args:
        names: all, or some of fig1, fig3, fig4, fig5, fig6, fig7, fig8, table1, mig, kl-collapse, per-layer,
            traversals, rotated-heart, l2-distances, small-noise, dependence; and larger, as dear as all of them.
        scale: smoke (minutes), laptop (hours for each set of data), or paper (weeks of a core: a cluster).
        out: Folder of the document, its figures and tables, and of the runs in OUT/runs.
        data: Names of data or paths, as often as there are sets; sprites by default.
        hide: Data, of those, of which no image is shown: what their terms do not let you pass on.
        engines: What does the runs.
        retry: Also try again what has failed before.
        so_far: Show what is known by now, and train and attack nothing.
        device: auto, cpu, cuda or mps.
        json: Print one JSON document.
    """
    from seatbelt_vae.errors import InputError, RunError
    from seatbelt_vae.experiments.engines import make_engine, threads
    from seatbelt_vae.experiments.recipes import data_label, estimate_hours, plan, recipes_of, reproduce, scale_of
    from seatbelt_vae.experiments.recipes import so_far as look
    from seatbelt_vae.experiments.sweep import OWN
    from seatbelt_vae.progress import progress_bar
    from seatbelt_vae.report.export import needed
    from seatbelt_vae.report.reproduction import write_reproduction

    recipes, size, store = recipes_of(names), scale_of(scale), out / "runs"
    engines = engines or EngineOptions()
    engine, resources = engines.engine, engines.resources()
    for module in ("altair", "vl_convert"):
        needed(module)
    names_of_data = list(dict.fromkeys(data or ["sprites"]))
    hidden = [data_label(name) for name in hide or ()]
    for name in hidden:
        if name not in (known := [data_label(each) for each in names_of_data]):
            raise InputError(f"--hide: {name!r} is none of the data, use some of {', '.join(known)}")
    planned = plan(recipes, size, names_of_data)
    hours = estimate_hours(planned, size)
    needs = (
        f"about {_long(hours)} of one CPU core to train and attack, or a GPU with {size.memory:g} GB for each worker"
    )
    if not so_far:
        note(f"{size.name}: {planned.runs} models, {needs}")
    words = [
        "--scale",
        size.name,
        *(word for name in data or () for word in ("--data", name)),
        *(word for name in hide or () for word in ("--hide", name)),
        "--out",
        str(out),
    ]
    line = f"seatbelt reproduce {{}} {shlex.join(words)}"
    try:
        with progress_bar("Runs", planned.runs, not (json or so_far)) as advance:
            results, failed = (
                look(planned, size, store)
                if so_far
                else reproduce(
                    planned,
                    size,
                    store,
                    lambda: make_engine(engine, store / OWN / "logs", resources),
                    retry=retry,
                    settled=lambda run: advance(note=run.name),
                    device=device,
                    threads=threads(engine, resources),
                )
            )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"nothing is lost, go on with: {line.format(' '.join(names))}") from None
    path, sections = write_reproduction(
        recipes, results, out, command=line, failed=failed, hidden=hidden, progress=not json
    )
    verdicts = {each.recipe.name: each.word for each in sections}
    value = {"document": str(path), "scale": size.name, "verdicts": verdicts, "failed": failed, "hours": hours}
    show(value, json, [*(f"{name}: {word}" for name, word in verdicts.items()), "", f"document: {path}"])
    if so_far:
        note(f"{len(failed)} of {planned.runs} runs are not complete, go on with: {line.format(' '.join(names))}")
    elif failed:
        run, why = next(iter(failed.items()))
        raise RunError(
            f"{len(failed)} of {planned.runs} runs failed, the first is {run}: {why}; try again with --retry"
        )


def _long(hours: float) -> str:
    return f"{hours:.1f} h" if hours >= 1 else f"{hours * 60:.0f} min"
