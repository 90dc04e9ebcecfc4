"""``seatbelt attack``: turn source images into target images behind the model's back."""

from pathlib import Path
from typing import Any

from seatbelt_vae.cli.console import columns, number, show
from seatbelt_vae.cli.options import Device, Json, Moved, Settings, takes
from seatbelt_vae.experiments import AttackSpec, Cell, RunFolder, Table, run_attack
from seatbelt_vae.measures import Attacked, measures_of
from seatbelt_vae.metrics import Interval

GRIDS = {"penalty": "lambdas", "ball": "radii", "success": "levels", "discrepancy": "levels"}
"""What the values of a budget are called in the document."""


@takes(attack=AttackSpec)
def command(
    run: Path,
    /,
    *,
    preset: str | None = None,
    data: Moved = None,
    attack: Settings,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Attack a run.

    Args:
        run: The run's folder.
        preset: A published attack: paper, tabacof, gondim-ribeiro, kos, kuzina or camuto. Other options go before it.
    """
    spec = AttackSpec.of(preset, **attack)
    folder = RunFolder.open(run, data)
    name = run_attack(folder, spec, device=device, progress=True)
    record = folder.record()
    attacked = record.attacks[name]
    gained = _gained(Table([record]), Cell(record, name), attacked)
    document = {
        "run": str(run),
        "attack": name,
        "pairs": len(attacked.result.source),
        GRIDS[attacked.result.budget.kind]: attacked.result.budget.values.tolist(),
        "evaluations": int(attacked.result.evaluations.sum()),
        "violations": int(attacked.result.violations.sum()),
        "settings": attacked.result.settings,
        **gained,
    }
    show(document, json, [*_head(f"{run}: attack {name}", attacked), *_lines(gained, attacked)])


def _head(title: str, attacked: Attacked) -> list[str]:
    """What was attacked, how many solves certainly failed, and where success means nothing."""
    result = attacked.result
    subject = "pairs"
    if not result.targeted:
        subject = "images"
    head = [f"{title}, {len(result.source)} {subject}"]
    worse = int(result.violations.sum())
    if worse:
        head.append(f"{worse} of {result.status.numel()} solves failed: the target itself has a lower Δ")
    if result.targeted and not bool(attacked.defined.all()):
        without = int((~attacked.defined).sum())
        head.append(
            f"success is not defined on {without} of {len(result.source)} pairs: the model does not bring the "
            "target's own code nearer to the target (was it trained for too few steps?)"
        )
    return head


def _gained(table: Table, cell: Cell, attacked: Attacked) -> dict[str, Any]:
    """Every measure of the attack with its 95 % interval: one, or one at each value of the budget."""
    gained: dict[str, Any] = {}
    for measure in measures_of(attacked.result, "pair"):
        gained[measure.key] = _ends(table.interval([cell], measure.key))
    for measure in measures_of(attacked.result, "curve"):
        gained[measure.key] = []
        for place in table.places(cell, measure.key):
            gained[measure.key].append(_ends(table.interval([cell], f"{measure.key}@{place}")))
    return gained


def _ends(interval: Interval) -> dict[str, float]:
    return {"value": interval.value, "low": interval.low, "high": interval.high}


def _lines(gained: dict[str, Any], attacked: Attacked) -> list[str]:
    """What was gained for each pair, and the means along the budget."""
    rows = []
    for measure in measures_of(attacked.result, "pair"):
        if measure.listed:
            found = gained[measure.key]
            ends = f"[{number(found['low'])}, {number(found['high'])}]"
            rows.append([measure.key, number(found["value"]), ends, measure.unit_in(attacked.result), measure.better])
    grid = attacked.result.budget
    curves = measures_of(attacked.result, "curve")
    along = [[grid.symbol, *(measure.key for measure in curves)]]
    for place, value in enumerate(grid.values.tolist()):
        means = [number(gained[measure.key][place]["value"]) for measure in curves]
        along.append([number(value), *means])
    return [*columns(rows), "", *columns(along)]
