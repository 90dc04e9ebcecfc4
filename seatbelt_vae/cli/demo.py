"""``seatbelt demo``: everything once, in minutes."""

from pathlib import Path
from shlex import join

from seatbelt_vae.cli.console import note, show
from seatbelt_vae.cli.options import Device, Json
from seatbelt_vae.cli.report import write_page
from seatbelt_vae.experiments import run_demo
from seatbelt_vae.report.export import converter


def command(
    *, out: Path = Path("demo"), quick: bool = False, seed: int = 0, device: Device = "auto", json: Json = False
) -> None:
    """Train, attack and report. The same command goes on where it was stopped.

    Args:
        out: Folder of the runs and of report.html.
        quick: A minute of tiny models, to see that everything works.
        seed: Seed of the training and the attacks.
    """
    converter()  # ten minutes later would be too late
    try:
        folders = run_demo(out, quick=quick, seed=seed, device=device, say=note, progress=True)
    except KeyboardInterrupt as error:
        again = ["seatbelt", "demo", "--out", str(out), "--seed", str(seed)]
        if quick:
            again.append("--quick")
        error.args = (f"nothing is lost, go on with: {join(again)}",)
        raise
    note("writing the report")
    page, lines = write_page(folders, out)
    runs = [str(run.path) for run in folders]
    show({"report": str(page), "runs": runs}, json, [*lines, "", f"report: {page}"])
