"""``seatbelt attack``: turn source images into target images behind the model's back."""

from pathlib import Path

from seatbelt_vae.cli.console import show
from seatbelt_vae.cli.options import Device, Json, Settings, takes
from seatbelt_vae.experiments import AttackSpec, RunFolder, run_attack


@takes(attack=AttackSpec)
def command(
    run: Path, /, *, preset: str | None = None, attack: Settings, device: Device = "auto", json: Json = False
) -> None:
    """Attack a run.

    Args:
        run: The run's folder.
        preset: A published attack: paper, tabacof, gondim-ribeiro, kos, kuzina or camuto. Other options go before it.
    """
    spec = AttackSpec.of(preset, **attack)
    folder = RunFolder.open(run)
    name = run_attack(folder, spec, device=device, progress=True)
    show({"run": str(run), "attack": name}, json, [])
