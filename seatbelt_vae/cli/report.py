"""``seatbelt report``: one page about trained models and the attacks on them."""

from pathlib import Path

from seatbelt_vae.cli.console import show
from seatbelt_vae.cli.options import Json
from seatbelt_vae.cli.page import write_page
from seatbelt_vae.experiments import RunFolder


def command(runs: list[Path], /, *, out: Path = Path("report"), json: Json = False) -> None:
    """Write a page.

    Args:
        runs: Run folders, in the order in which they are to be shown.
        out: Folder of the report.
    """
    page, lines = write_page([RunFolder.open(run) for run in runs], out)
    show({"report": str(page), "runs": [str(run) for run in runs]}, json, [*lines, "", f"report: {page}"])
