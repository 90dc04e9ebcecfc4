"""Run folders as reports want them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from seatbelt_vae.cli.console import columns

if TYPE_CHECKING:
    from seatbelt_vae.experiments import RunFolder
    from seatbelt_vae.report import ReportRun, Table


def report_run(folder: "RunFolder") -> "ReportRun":
    """Gather what a report shows of a run."""
    from seatbelt_vae.experiments import Assessment, DamageAssessment, label
    from seatbelt_vae.report import ReportRun

    attacks = [folder.attack(name) for name in folder.attacks]
    return ReportRun(
        name=folder.name,
        label=label(folder.spec),
        spec=folder.spec.model_dump(mode="json", exclude_none=True),
        evaluation=folder.evaluation,
        history=folder.history,
        attacks=[(result, gained) for result, gained in attacks if isinstance(gained, Assessment)],
        damages=[(result, done) for result, done in attacks if isinstance(done, DamageAssessment)],
        measured={name: folder.measured(name) for name in ("noise", "traversals")},
        environment=folder.environment,
    )


def write_page(folders: Sequence["RunFolder"], out: Path) -> tuple[Path, list[str]]:
    """Write the report of some runs; give its page, and its tables as lines of text."""
    from seatbelt_vae.report import attack_table, clean_tables, comparisons, write_report

    runs = [report_run(folder) for folder in folders]
    names = [run.name for run in runs]
    if len({folder.path.resolve() for folder in folders}) == len(folders):  # of one name, but not the same
        runs = [
            replace(run, name=f"{folder.path.resolve().parent.name}/{run.name}") if names.count(run.name) > 1 else run
            for run, folder in zip(runs, folders, strict=True)
        ]
    tables = [*clean_tables(runs)[:1], *map(attack_table, comparisons(runs))]
    return write_report(runs, out, progress=True), [line for table in tables for line in text_table(table)]


def text_table(table: "Table") -> list[str]:
    """A table as text: a row for each measure and a column for each model, so that it fits a terminal."""
    from seatbelt_vae.report.table_formats import cell_text

    head = ["", *(line.label for line in table.lines)]
    rows = [
        [
            f"{column.heading}{f' ({column.unit})' if column.unit else ''}",
            *(cell_text(line.cells[place]) for line in table.lines),
        ]
        for place, column in enumerate(table.columns)
    ]
    return ["", table.title, *columns([head, *rows])]
