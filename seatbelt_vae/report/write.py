"""The report's folder: report.html, figures/ and tables/, each file whole or absent."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from seatbelt_vae.attacks import Attackable
from seatbelt_vae.audits import Audit
from seatbelt_vae.experiments import Record
from seatbelt_vae.progress import progress_bar
from seatbelt_vae.report.compare import groups, labelled, references
from seatbelt_vae.report.export import converter, svg_files
from seatbelt_vae.report.group import Group
from seatbelt_vae.report.page import contents, page
from seatbelt_vae.report.panels import panels
from seatbelt_vae.report.pictures import pictures_svg
from seatbelt_vae.report.sections import Section
from seatbelt_vae.report.table import WRITERS, Table
from seatbelt_vae.storage import write_bytes


def write_report(
    records: Sequence[Record],
    out_dir: str | Path,
    title: str = "",
    *,
    model: Attackable | None = None,
    audits: Sequence[Audit] = (),
    progress: bool = False,
) -> Path:
    """Write the page, every figure as PNG, SVG and PDF, and every table as CSV, Markdown and LaTeX.

    Args:
        records: the models, in the order in which they are shown; the first is what the others are compared with.
        out_dir: folder of ``report.html``, ``figures/`` and ``tables/``; made where missing. Files of an earlier report
            with other names stay.
        title: the page's title; made from the models and their data by default.
        model: sees the blend of source and target, which then stands in tables and curves: the first model.
        audits: of models of any kind, shown before the runs.
        progress: show a bar on stderr.

    Returns:
        The path of the page.

    Raises:
        InputError: no run was given, two are the same, or the extra that draws is not installed.
        RunError: the folder cannot be written.
    """
    converter()
    out = Path(out_dir)
    if records or not audits:
        records = labelled(records)
    compared = [replace(group, references=references(group, model)) for group in groups(records)]
    held = contents(records, compared, audits)
    drawn = list(figures(held, compared))
    with progress_bar("Figures", len(drawn), progress) as advance:
        for name, draw in drawn:
            write_figure(out, name, draw())
            advance()
    for section in held:
        for part in section.parts:
            for table in part.tables:
                write_table(out, table)
    return write_bytes(out / "report.html", page(records, compared, title, audits=audits).encode())


def figures(held: Sequence[Section], compared: Sequence[Group]) -> Iterator[tuple[str, Callable[[], str]]]:
    """Name and SVG of each figure: six pictures for each attack and pair, then charts and traversals."""
    for group in compared:
        if group.targeted:
            for pair in range(group.pairs):
                yield f"{group.key}-pair-{pair + 1:02d}", partial(_panels, group, pair)
    for section in held:
        for part in section.parts:
            for figure in part.figures:
                yield figure.key, partial(figure.svg, legend=True)
        for grid in section.grids:
            yield grid.key, partial(pictures_svg, grid.pictures)


def _panels(group: Group, pair: int) -> str:
    return pictures_svg(panels(group, pair))


def write_figure(out: Path, name: str, svg: str) -> None:
    """Write an SVG in each format into the folder of figures."""
    for ending, content in svg_files(svg).items():
        write_bytes(out / "figures" / f"{name}.{ending}", content)


def write_table(out: Path, table: Table) -> None:
    """Write a table in each format into the folder of tables."""
    for ending, write in WRITERS.items():
        write_bytes(out / "tables" / f"{table.key}.{ending}", write(table).encode())
