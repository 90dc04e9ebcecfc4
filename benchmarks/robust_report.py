"""Tables and figures of docs/robust.md.

    python benchmarks/robust_report.py RUNS --out docs/robust --data chairs_mesh64.npz

RUNS holds runs of `benchmarks/robust.py`, in `strong` what `benchmarks/robust_strong.py` measured, and in `fresh` the
same on pairs that entered no choice. OUT gets a
Markdown file for each table and an SVG for each figure; tables between marks in OUT.md are written anew. `--data` are
the chairs, for the panels of images.
"""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

from robust_figures import curve_figure, panels_figure, pareto_figure
from robust_ladder import hierarchy, large, sweep
from robust_runs import Runs
from robust_tables import attacks, controls, done, fresh, headline

from seatbelt_vae.data import load_dataset
from seatbelt_vae.storage import write_bytes

CURVES = {
    "f50": ("f50_latent_each", "f50, latent attack", None),
    "damage": ("damage_each", "damage within 2.5 % of the median distance", 0),
}
PANELS = {"chairs": 32, "chairs64": 64}
"""Data that are shown, and the side of their images."""


def tables(runs: Runs) -> Iterator[tuple[str, str]]:
    """Every table by name."""
    for data, plain, robust in runs.strong():
        yield f"headline-{data}", headline(plain, robust)
    yield "done", done(runs)
    yield "attacks", attacks(runs)
    yield "controls", controls(runs)
    yield "hierarchy", hierarchy(runs)
    yield "sweep", sweep(runs)
    yield "large", large(runs)


def filled(text: str, name: str, table: str) -> str:
    """A document with the table between the marks of its name written anew.

    Example:
        >>> filled("<!-- a -->old<!-- end -->", "a", "new")
        '<!-- a -->new<!-- end -->'
    """
    marked = re.compile(rf"(<!-- {re.escape(name)} -->).*?(<!-- end -->)", re.DOTALL)
    return marked.sub(lambda found: found[1] + table + found[2], text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", help="the chairs, 64×64, a name or a file; without it no panels are made")
    args = parser.parse_args()
    runs = Runs.read(args.runs)
    others = Runs.read(args.runs, "fresh")
    document = args.out.with_suffix(".md")
    text = ""
    if document.exists():
        text = document.read_text(encoding="utf-8")
    for name, table in [*tables(runs), ("fresh", fresh(others))]:
        write_bytes(args.out / f"{name}.md", table.encode())
        text = filled(text, name, f"\n\n{table}\n")
    if text:
        write_bytes(document, text.encode())
    for data in runs.kinds:
        write_bytes(args.out / f"pareto-{data}.svg", pareto_figure(runs, data).encode())
    for name, (key, title, column) in CURVES.items():
        if any(run.curve for run in runs.all):
            write_bytes(args.out / f"steps-{name}.svg", curve_figure(runs, "chairs64", key, title, column).encode())
    if args.data:
        for name, size in PANELS.items():
            panels = panels_figure(runs, args.runs, name, load_dataset(args.data, size=size))
            write_bytes(args.out / f"panels-{name}.svg", panels.encode())


if __name__ == "__main__":
    main()
