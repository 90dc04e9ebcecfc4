"""``seatbelt evaluate``: how good a trained model is, in nats per image and without beta."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from seatbelt_vae.cli.console import columns, note, number, show
from seatbelt_vae.cli.options import Device, Json, Moved, Settings, takes
from seatbelt_vae.experiments import EvaluationSettings, RunFolder, Table, run_evaluation
from seatbelt_vae.measures import MEASURES


@takes(evaluation=EvaluationSettings)
def command(
    run: Path, /, *, data: Moved = None, evaluation: Settings, device: Device = "auto", json: Json = False
) -> None:
    """Measure a trained model. What was interrupted goes on.

    Args:
        run: The run's folder.
    """
    folder = RunFolder.open(run, data)
    settings = EvaluationSettings(**evaluation)
    found = run_evaluation(folder, settings, device=device, say=note, progress=True)
    rows = [["", "", "", "better"]]
    for row in Table([replace(folder.record(), attacks={})]).rows():
        measure = MEASURES[row["measure"]]
        if measure.listed:
            name = f"{measure.key} {row['at']}".strip()
            rows.append([name, _with_error(row), measure.unit, measure.better])
    show({"run": str(run), **found}, json, columns(rows))


def _with_error(row: Mapping[str, Any]) -> str:
    if row["error"] is None:
        return number(row["value"])
    return f"{number(row['value'])} ± {row['error']:.2g}"
