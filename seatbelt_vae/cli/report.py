"""``seatbelt report``: one page about trained models and the attacks on them, and the same as text."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from seatbelt_vae.audits import Audit
from seatbelt_vae.audits.audit import DOCUMENT
from seatbelt_vae.cli.console import columns, show
from seatbelt_vae.cli.options import Json
from seatbelt_vae.experiments import Record, RunFolder
from seatbelt_vae.report import Table, attack_table, clean_tables, groups, write_report
from seatbelt_vae.report.formats import told_apart
from seatbelt_vae.report.tables import damage_table


def command(runs: list[Path], /, *, out: Path = Path("report"), json: Json = False) -> None:
    """Write a page.

    Args:
        runs: Folders of runs and of audits, in the order in which they are to be shown.
        out: Folder of the report.
    """
    audits = audits_in([run for run in runs if is_audit(run)])
    page, lines = write_page([RunFolder.open(run) for run in runs if not is_audit(run)], out, audits)
    show({"report": str(page), "runs": [str(run) for run in runs]}, json, [*lines, "", f"report: {page}"])


def write_page(folders: Sequence[RunFolder], out: Path, audits: Sequence[Audit] = ()) -> tuple[Path, list[str]]:
    """Write the report of some runs and audits; give its page, and its tables as lines of text."""
    records = named_apart(folders)
    tables = list(clean_tables(records)[:1])
    for group in groups(records):
        tables.append(attack_table(group) if group.targeted else damage_table(group))
    model = None
    if any(record.attacks for record in records):
        model = folders[0].model()
    page = write_report(records, out, model=model, audits=audits, progress=True)
    lines = []
    for audit in audits:
        lines += ["", *str(audit).splitlines()]
    for table in tables:
        lines += text_table(table)
    return page, lines


def is_audit(path: Path) -> bool:
    """Whether a folder is that of an audit."""
    return (path / DOCUMENT).exists()


def audits_in(folders: Sequence[Path]) -> list[Audit]:
    """Read audits; where two are of models of one name, the folder's name is added."""
    audits = [Audit.load(folder) for folder in folders]
    names = told_apart([audit.record.model for audit in audits], [folder.resolve().name for folder in folders])
    found = []
    for audit, name in zip(audits, names, strict=True):
        found.append(replace(audit, record=audit.record.model_copy(update={"model": name})))
    return found


def named_apart(folders: Sequence[RunFolder]) -> list[Record]:
    """What is known of runs; those of one name in two folders have the folder's name before their own."""
    names = [folder.name for folder in folders]
    records = []
    for folder in folders:
        name = folder.name
        if names.count(name) > 1:
            name = f"{folder.path.resolve().parent.name}/{name}"
        records.append(folder.record(name))
    return records


def text_table(table: Table) -> list[str]:
    """A table as text: a row for each measure and a column for each model, so that it fits a terminal."""
    rows = [["", *(line.label for line in table.lines)]]
    for place, column in enumerate(table.columns):
        rows.append([column.with_unit, *(str(line.cells[place] or "–") for line in table.lines)])
    return ["", table.title, *columns(rows)]
