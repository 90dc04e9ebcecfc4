"""The report's folder: report.html, figures/ and tables/, each file whole or absent."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from seatbelt_vae.experiments.table import Record
from seatbelt_vae.metrics import Reference
from seatbelt_vae.progress import progress_bar
from seatbelt_vae.report.clean import clean_tables
from seatbelt_vae.report.compare import groups, known_references, labelled, layer_groups
from seatbelt_vae.report.export import needed, svg_files
from seatbelt_vae.report.figures import (
    Figure,
    curve_figures,
    damage_figures,
    layer_figures,
    noise_figures,
    training_figures,
)
from seatbelt_vae.report.group import Group
from seatbelt_vae.report.page import page
from seatbelt_vae.report.picture_drawing import pictures_svg
from seatbelt_vae.report.pictures import Pictures, panels
from seatbelt_vae.report.table_formats import WRITERS
from seatbelt_vae.report.tables import (
    Table,
    amplification_table,
    attack_table,
    damage_table,
    layer_table,
    objective_table,
)
from seatbelt_vae.report.traversals import grid_pictures, grids
from seatbelt_vae.storage import write_bytes


def write_report(
    records: Sequence[Record],
    out_dir: str | Path,
    title: str = "",
    *,
    references: Callable[[Group], Sequence[Reference]] = known_references,
    progress: bool = False,
) -> Path:
    """Write the page, every figure as PNG, SVG and PDF, and every table as CSV, Markdown and LaTeX.

    Args:
        records: the models, in the order in which they are shown; the first is what the others are compared with.
        out_dir: folder of ``report.html``, ``figures/`` and ``tables/``; made where missing. Files of an earlier report
            with other names stay.
        title: the page's title; made from the models and their data by default.
        references: gives what no model sets on the pairs of a group; by default what is known without data.
        progress: show a bar on stderr.

    Returns:
        The path of the page.

    Raises:
        InputError: no run was given, two are the same, or the extra that draws is not installed.
        RunError: the folder cannot be written.
    """
    for module in ("altair", "vl_convert"):
        needed(module)
    out = Path(out_dir)
    records = labelled(records)
    compared = [replace(group, references=tuple(references(group))) for group in groups(records)]
    drawn = list(figures(records, compared))
    with progress_bar("Figures", len(drawn), progress) as advance:
        for name, draw in drawn:
            for ending, content in svg_files(draw()).items():
                write_bytes(out / "figures" / f"{name}.{ending}", content)
            advance()
    for table in tables(records, compared):
        for ending, write in WRITERS.items():
            write_bytes(out / "tables" / f"{table.key}.{ending}", write(table).encode())
    return write_bytes(out / "report.html", page(records, compared, title).encode())


def figures(records: Sequence[Record], compared: Sequence[Group]) -> Iterator[tuple[str, Callable[[], str]]]:
    """Name and SVG of each figure: six pictures for each attack and pair, then charts, then traversals."""
    for group in compared:
        if group.targeted:
            for pair in range(group.pairs):
                yield f"{group.key}-pair-{pair + 1:02d}", partial(_panels, group, pair)
    for figure in charts(records, compared):
        yield figure.key, partial(figure.svg, legend=True)
    for grid in grids(records):
        yield grid.key, partial(pictures_svg, grid_pictures(grid))


def charts(records: Sequence[Record], compared: Sequence[Group]) -> list[Figure]:
    """Every chart."""
    made = []
    for group in compared:
        made += curve_figures(group) if group.targeted else damage_figures(group)
    for group in layer_groups(records):
        made += layer_figures(group)
    return [*made, *noise_figures(records), *training_figures(records)]


def tables(records: Sequence[Record], compared: Sequence[Group]) -> list[Table]:
    """Every table."""
    made = []
    for group in compared:
        if group.targeted:
            made += [attack_table(group), objective_table(group)]
        else:
            made += [damage_table(group), amplification_table(group)]
    for group in layer_groups(records):
        made.append(layer_table(group))
    return [*made, *clean_tables(records)]


def _panels(group: Group, pair: int) -> str:
    figure: Pictures = panels(group, pair)
    return pictures_svg(figure)
