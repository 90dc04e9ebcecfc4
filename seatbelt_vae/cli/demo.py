"""``seatbelt demo``: everything once, in minutes."""

from pathlib import Path

from seatbelt_vae.cli.console import note, show
from seatbelt_vae.cli.options import Json

NAME = "demo"
EXAMPLE = "seatbelt demo --out demo"


def command(
    *, out: Path = Path("demo"), quick: bool = False, seed: int = 0, device: str = "auto", json: Json = False
) -> None:
    """Train a VAE, a β-TCVAE and a Seatbelt-VAE on sprites, attack each in both modes, and write a report.

    About four minutes on two idle cores. The same command goes on where it was stopped.

    Args:
        out: Folder of the runs and of report.html.
        quick: A minute of tiny models, to see that everything works.
        seed: Seed of the training and the attacks.
        device: auto, cpu, cuda or mps.
        json: Print one JSON document.
    """
    from seatbelt_vae.cli.folders import write_page
    from seatbelt_vae.experiments import run_demo

    folders = run_demo(out, quick=quick, seed=seed, device=device, say=note, progress=True)
    note("writing the report")
    page, lines = write_page(folders, out)
    show({"report": str(page), "runs": [str(run.path) for run in folders]}, json, [*lines, "", f"report: {page}"])
