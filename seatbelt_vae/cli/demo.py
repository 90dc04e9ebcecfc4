"""``seatbelt demo``: everything once, in minutes."""

from pathlib import Path
from shlex import join
from typing import Any

from seatbelt_vae.cli.console import note, show
from seatbelt_vae.cli.options import Device, Json
from seatbelt_vae.cli.report import write_page
from seatbelt_vae.experiments import run_demo
from seatbelt_vae.report.export import converter
from seatbelt_vae.report.release import write_weights


def command(
    *,
    out: Path = Path("demo"),
    quick: bool = False,
    weights: Path | None = None,
    seed: int = 0,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Train, attack and report. The same command goes on where it was stopped.

    Args:
        out: Folder of the runs and of report.html.
        quick: A minute of tiny models, to see that everything works.
        weights: Folder for the trained models as archives to publish, with cards and SHA256SUMS.
        seed: Seed of the training and the attacks.
    """
    converter()  # ten minutes later would be too late
    try:
        folders = run_demo(out, quick=quick, seed=seed, device=device, say=note, progress=True)
    except KeyboardInterrupt as error:
        error.args = (f"nothing is lost, go on with: {_line(out, quick, weights, seed)}",)
        raise
    note("writing the report")
    page, lines = write_page(folders, out)
    document: dict[str, Any] = {"report": str(page), "runs": [str(run.path) for run in folders]}
    if weights is not None:
        document["weights"] = [str(path) for path in write_weights(folders, weights)]
        lines = [*lines, "", f"weights: {weights}"]
    show(document, json, [*lines, "", f"report: {page}"])


def _line(out: Path, quick: bool, weights: Path | None, seed: int) -> str:
    """The same command again."""
    words = ["seatbelt", "demo", "--out", str(out), "--seed", str(seed)]
    if quick:
        words.append("--quick")
    if weights is not None:
        words += ["--weights", str(weights)]
    return join(words)
