"""The report's folder: report.html, figures/ and tables/, each file whole or absent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from seatbelt_vae.progress import progress_bar
from seatbelt_vae.report.export import chart_svg, needed, svg_files
from seatbelt_vae.report.html import CURVES, page
from seatbelt_vae.report.panel_drawing import panels_svg
from seatbelt_vae.report.panels import panels
from seatbelt_vae.report.runs import Comparison, ReportRun, comparisons, labelled
from seatbelt_vae.report.table_formats import WRITERS
from seatbelt_vae.report.tables import attack_table, clean_table
from seatbelt_vae.report.training import training_charts
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
    count = sum(comparison.pairs + len(CURVES) for comparison in compared) + len(training_charts(runs))
    with progress_bar("Figures", count, progress) as advance:
        for name, svg in figures(runs, compared):
            for ending, content in svg_files(svg).items():
                write_bytes(out / "figures" / f"{name}.{ending}", content)
            advance()
    for table in [*map(attack_table, compared), clean_table(runs)]:
        for ending, write in WRITERS.items():
            write_bytes(out / "tables" / f"{table.key}.{ending}", write(table).encode())
    return write_bytes(out / "report.html", page(runs, compared, title).encode())


def figures(runs: Sequence[ReportRun], compared: Sequence[Comparison]) -> Iterator[tuple[str, str]]:
    """Name and SVG of each figure: six pictures for each attack and pair, curves for each attack, training."""
    for comparison in compared:
        for pair in range(comparison.pairs):
            yield f"{comparison.key}-pair-{pair + 1:02d}", panels_svg(panels(comparison, pair))
        for key, draw, _ in CURVES:
            yield f"{comparison.key}-{key}", chart_svg(draw(comparison))
    for key, chart in training_charts(runs):
        yield f"training-{key}", chart_svg(chart)
