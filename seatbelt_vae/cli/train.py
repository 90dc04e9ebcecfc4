"""``seatbelt train``: a model from options, from a TOML file, or from both."""

from pathlib import Path
from shlex import quote
from typing import Any

from seatbelt_vae.cli.console import number, show
from seatbelt_vae.cli.options import Device, Json, Pace, Settings, takes
from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments import (
    DataSpec,
    ExperimentSpec,
    ModelSpec,
    ObjectiveSpec,
    RobustSpec,
    RunFolder,
    TrainingSpec,
    run_training,
)


@takes(data=DataSpec, model=ModelSpec, objective=ObjectiveSpec, training=TrainingSpec, robust=RobustSpec, pace=Pace)
def command(
    *,
    out: Path | None = None,
    spec: Path | None = None,
    resume: bool = False,
    extend: bool = False,
    pace: Settings,
    device: Device = "auto",
    json: Json = False,
    **tables: Settings,
) -> None:
    """Train a model.

    Args:
        out: The run's folder; runs/NAME by default, where NAME comes from the settings.
        spec: TOML file with the tables data, model, objective, training and robust. Options go before it.
        resume: Take the settings from the run in --out, and go on.
        extend: Take the settings from the finished run in --out, and go on until it has as many --steps.
    """
    asked = ExperimentSpec()
    if spec is not None:
        asked = ExperimentSpec.read(spec)
    elif resume or extend:
        if out is None:
            raise InputError("--resume and --extend: need --out, the folder of the run to go on with")
        asked = RunFolder.open(out).spec
    given = {name: table for name, table in tables.items() if table}
    folder = run_training(asked.changed(**given), out, extend=extend, device=device, progress=True, **pace)
    last: dict[str, Any] = {}
    if folder.history:
        last.update(folder.history[-1])
        del last["step"]
    document = {"run": str(folder.path), "name": folder.spec.run_name, "steps": folder.step, "last": last}
    lines = [f"{folder.path}: trained for {folder.step} steps"]
    for name in ("elbo", "log_likelihood"):
        if name in last:
            lines.append(f"  {name} {number(last[name])}")
    show(document, json, [*lines, f"next: seatbelt evaluate {quote(str(folder.path))}"])
