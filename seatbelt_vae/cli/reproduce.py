"""``seatbelt reproduce``: the paper's figures and tables, made again."""

from pathlib import Path
from shlex import join

from seatbelt_vae.cli.console import note, show
from seatbelt_vae.cli.engines import Workers
from seatbelt_vae.cli.options import Device, Json, Settings, takes
from seatbelt_vae.errors import InputError, RunError
from seatbelt_vae.experiments.sweep import OWN
from seatbelt_vae.progress import progress_bar
from seatbelt_vae.report.export import needed
from seatbelt_vae.report.reproduction import write_reproduction
from seatbelt_vae.reproduction import estimate_hours, names_of, plan, reproduce, scale_of, so_far


@takes(workers=Workers)
def command(
    *names: str,
    workers: Settings,
    scale: str = "smoke",
    out: Path = Path("reproduction"),
    data: list[str] | None = None,
    hide: list[str] | None = None,
    retry: bool = False,
    look: bool = False,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Reproduce the paper.

    Args:
        names: recipes.
    """
