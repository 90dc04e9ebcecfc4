"""``seatbelt report``: one page about trained models and the attacks on them."""

from pathlib import Path

from seatbelt_vae.cli.console import show
from seatbelt_vae.cli.options import Json

NAME = "report"
EXAMPLE = "seatbelt report runs/a runs/b --out report"


def command(runs: list[Path], /, *, out: Path = Path("report"), json: Json = False) -> None:
    """Write an HTML page that opens offline, with its figures and tables, about runs and the attacks on them.

    Args:
        runs: Run folders, in the order in which they are to be shown.
        out: Folder of the report.
        json: Print one JSON document.
    """
    from seatbelt_vae.cli.folders import write_page
    from seatbelt_vae.experiments import RunFolder

    page, lines = write_page([RunFolder.open(run) for run in runs], out)
    show({"report": str(page), "runs": [str(run) for run in runs]}, json, [*lines, "", f"report: {page}"])
