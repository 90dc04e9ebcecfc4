"""``seatbelt table``: every number of runs as one long table."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from seatbelt_vae.cli.console import show
from seatbelt_vae.cli.options import Json
from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments import RunFolder, check_format
from seatbelt_vae.experiments.store import SPEC
from seatbelt_vae.experiments.sweep import table_of


def command(paths: Annotated[list[Path], Parameter(name="RUNS")], /, *, out: Path, json: Json = False) -> None:
    """Write a table: a row for each number, with its run, settings, attack, pair and unit.

    Args:
        paths: Run folders, or stores of them.
        out: Where to write it: numbers.csv or numbers.parquet.
    """
    check_format(out)
    table = table_of(folders_in(paths))
    table.write(out)
    runs = [record.name for record in table.records]
    show({"table": str(out), "runs": runs}, json, [f"table: {out}, {len(runs)} runs"])


def folders_in(paths: list[Path]) -> list[RunFolder]:
    """The run folders that are named, and those in the stores that are named.

    Raises:
        InputError: a path is neither.
    """
    found = []
    for path in paths:
        inside = sorted(spec.parent for spec in path.glob(f"*/{SPEC}"))
        if (path / SPEC).exists() or not inside:
            inside = [path]
        found += inside
    if not found:
        raise InputError("RUNS: nothing was named, give run folders or a store")
    return [RunFolder.open(path) for path in found]
