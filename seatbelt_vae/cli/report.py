"""``seatbelt report``: one page about trained models and the attacks on them, and the same as text."""

from collections.abc import Sequence
from pathlib import Path

from seatbelt_vae.cli.console import columns, show
from seatbelt_vae.cli.options import Json
from seatbelt_vae.experiments import Record, RunFolder
from seatbelt_vae.report import Table, attack_table, clean_tables, groups, write_report
from seatbelt_vae.report.tables import damage_table


def command(runs: list[Path], /, *, out: Path = Path("report"), json: Json = False) -> None:
    """Write a page.

    Args:
        runs: Run folders, in the order in which they are to be shown.
        out: Folder of the report.
    """
    page, lines = write_page([RunFolder.open(run) for run in runs], out)
    show({"report": str(page), "runs": [str(run) for run in runs]}, json, [*lines, "", f"report: {page}"])


def write_page(folders: Sequence[RunFolder], out: Path) -> tuple[Path, list[str]]:
    """Write the report of some runs; give its page, and its tables as lines of text."""
    records = named_apart(folders)
    tables = list(clean_tables(records)[:1])
    for group in groups(records):
        tables.append(attack_table(group) if group.targeted else damage_table(group))
    page = write_report(records, out, model=folders[0].model(), progress=True)
    lines = []
    for table in tables:
        lines += text_table(table)
    return page, lines


def named_apart(folders: Sequence[RunFolder]) -> list[Record]:
    """What is known of runs; those of one name in two folders have the folder's name before their own."""
    names = [folder.name for folder in folders]
    places = {folder.path.resolve() for folder in folders}
    records = []
    for folder in folders:
        name = folder.name
        if names.count(name) > 1 and len(places) == len(folders):
            name = f"{folder.path.resolve().parent.name}/{name}"
        records.append(folder.record(name))
    return records


def text_table(table: Table) -> list[str]:
    """A table as text: a row for each measure and a column for each model, so that it fits a terminal."""
    rows = [["", *(line.label for line in table.lines)]]
    for place, column in enumerate(table.columns):
        rows.append([column.with_unit, *(str(line.cells[place] or "–") for line in table.lines)])
    return ["", table.title, *columns(rows)]
