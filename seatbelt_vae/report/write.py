"""The report's folder: report.html, figures/ and tables/, each file whole or absent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from seatbelt_vae.progress import progress_bar
from seatbelt_vae.report.clean import clean_tables
from seatbelt_vae.report.damage import damage_comparisons, damage_table
from seatbelt_vae.report.export import needed, svg_files
from seatbelt_vae.report.figures import (
    Figure,
    curve_figures,
    damage_figures,
    layer_figures,
    noise_figures,
    training_figures,
)
from seatbelt_vae.report.html import page
from seatbelt_vae.report.layers import layer_comparisons, layer_table
from seatbelt_vae.report.matching import comparisons
from seatbelt_vae.report.panel_drawing import panels_svg
from seatbelt_vae.report.panels import panels
from seatbelt_vae.report.runs import Comparison, ReportRun, labelled
from seatbelt_vae.report.table_formats import WRITERS
from seatbelt_vae.report.tables import Table, attack_table, objective_table
from seatbelt_vae.report.traversals import grid_svg, grids
from seatbelt_vae.storage import write_bytes


def write_report(
    runs: Sequence[ReportRun], out_dir: str | Path, title: str | None = None, *, progress: bool = False
) -> Path:
    """Write the page, every figure as PNG, SVG and PDF, and every table as CSV, Markdown and LaTeX.

    Args:
        runs: the models, in the order in which they are shown; the first is what the others are compared with.
        out_dir: folder of ``report.html``, ``figures/`` and ``tables/``; made where missing. Files of an earlier report
            with other names stay.
        title: the page's title; made from the models and their data by default.
        progress: show a bar on stderr.

    Returns:
        The path of the page.

    Raises:
        InputError: no run was given, two are the same, or the extra that draws is not installed.
        RunError: the folder cannot be written.
    """
    for module in ("altair", "vl_convert"):
        needed(module)
    out, runs = Path(out_dir), labelled(runs)
    compared = comparisons(runs)
    drawn = list(figures(runs, compared))
    with progress_bar("Figures", len(drawn), progress) as advance:
        for name, draw in drawn:
            for ending, content in svg_files(draw()).items():
                write_bytes(out / "figures" / f"{name}.{ending}", content)
            advance()
    for table in tables(runs, compared):
        for ending, write in WRITERS.items():
            write_bytes(out / "tables" / f"{table.key}.{ending}", write(table).encode())
    return write_bytes(out / "report.html", page(runs, compared, title).encode())


def figures(runs: Sequence[ReportRun], compared: Sequence[Comparison]) -> Iterator[tuple[str, Callable[[], str]]]:
    """Name and SVG of each figure: six pictures for each attack and pair, then charts, then traversals."""
    for comparison in compared:
        for pair in range(comparison.pairs):
            yield f"{comparison.key}-pair-{pair + 1:02d}", partial(_panels, comparison, pair)
    for figure in charts(runs, compared):
        yield figure.key, partial(figure.svg, legend=True)
    for grid in grids(runs):
        yield grid.key, partial(grid_svg, grid)


def charts(runs: Sequence[ReportRun], compared: Sequence[Comparison]) -> list[Figure]:
    """Every chart."""
    return [
        *(figure for comparison in compared for figure in curve_figures(comparison)),
        *(figure for comparison in layer_comparisons(runs) for figure in layer_figures(comparison)),
        *(figure for comparison in damage_comparisons(runs) for figure in damage_figures(comparison)),
        *noise_figures(runs),
        *training_figures(runs),
    ]


def tables(runs: Sequence[ReportRun], compared: Sequence[Comparison]) -> list[Table]:
    """Every table."""
    return [
        *map(attack_table, compared),
        *map(objective_table, compared),
        *map(layer_table, layer_comparisons(runs)),
        *map(damage_table, damage_comparisons(runs)),
        *clean_tables(runs),
    ]


def _panels(comparison: Comparison, pair: int) -> str:
    return panels_svg(panels(comparison, pair))
