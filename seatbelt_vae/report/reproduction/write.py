"""The folder of a reproduction: reproduction.md and .json, recipes/, figures/, tables/; a file is whole or absent."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from seatbelt_vae.experiments.recipes import Recipe, Results, Verdict, tidy, together
from seatbelt_vae.progress import progress_bar
from seatbelt_vae.report.export import needed, svg_files
from seatbelt_vae.report.reproduction.charts import TidyRow
from seatbelt_vae.report.reproduction.document import PAGES, document, page
from seatbelt_vae.report.reproduction.figures import figures
from seatbelt_vae.report.reproduction.tables import tables
from seatbelt_vae.report.table_formats import WRITERS
from seatbelt_vae.report.tables import Table
from seatbelt_vae.storage import write_bytes, write_json


@dataclass(frozen=True)
class Section:
    """What a recipe came to.

    Attributes:
        recipe: the recipe.
        rows: its tidy rows.
        verdicts: on its claims.
        tables: its rows for readers.
        pictures: names and captions of its figures.
    """

    recipe: Recipe
    rows: Sequence[TidyRow]
    verdicts: Sequence[Verdict]
    tables: Sequence[Table]
    pictures: Sequence[tuple[str, str]]

    @property
    def word(self) -> str:
        """What becomes of its claims together."""
        if not self.rows:
            return "not measured on these data"
        return together([verdict.word for verdict in self.verdicts]).value if self.verdicts else "nothing is claimed"

    def plain(self, command: str) -> dict[str, Any]:
        """As JSON takes it."""
        return {
            "recipe": self.recipe.name,
            "title": self.recipe.title,
            "command": command,
            "expected": self.recipe.expected,
            "rows": [dict(row) for row in self.rows],
            "claims": [verdict.plain() for verdict in self.verdicts],
        }


def write_reproduction(
    recipes: Sequence[Recipe],
    results: Results,
    out: str | Path,
    *,
    command: str,
    failed: Mapping[str, str],
    hidden: Collection[str] = (),
    progress: bool = False,
) -> tuple[Path, list[Section]]:
    """Write everything that recipes show.

    Args:
        recipes: in their order.
        results: the runs.
        out: folder; made where missing.
        command: that made it, with ``{}`` for a recipe's name.
        failed: runs that failed or are not complete, and why.
        hidden: data of which no image is shown, since their terms may forbid it.
        progress: show a bar on stderr.

    Returns:
        The document's path, and what it says.

    Raises:
        InputError: the extra that draws is not installed.
        RunError: the folder cannot be written.
    """
    for module in ("altair", "vl_convert"):
        needed(module)
    out, sections = Path(out), []
    with progress_bar("Figures", len(recipes), progress) as advance:
        for recipe in recipes:
            sections.append(_section(recipe, results, out, hidden))
            advance(note=recipe.name)
    write_json(
        out / "reproduction.json",
        {
            "scale": asdict(results.scale),
            "data": results.data,
            "failed": {Path(run).name: why for run, why in failed.items()},
            "recipes": [section.plain(command.format(section.recipe.name)) for section in sections],
        },
    )
    for section in sections:
        write_bytes(out / PAGES / f"{section.recipe.name}.md", page(section, command).encode())
    text = document(sections, results, command=command, failed=failed)
    return write_bytes(out / "reproduction.md", text.encode()), sections


def _section(recipe: Recipe, results: Results, out: Path, hidden: Collection[str]) -> Section:
    results = results.suited(recipe.suits)
    rows = tidy(recipe, results)
    made = tables(recipe.name, recipe.title, rows)
    for table in made:
        for ending, write in WRITERS.items():
            write_bytes(out / "tables" / f"{table.key}.{ending}", write(table).encode())
    verdicts = recipe.claims(results) if rows else []
    pictures = []
    for name, caption, svg in figures(recipe, results, rows, verdicts, hidden):
        for ending, content in svg_files(svg).items():
            write_bytes(out / "figures" / f"{name}.{ending}", content)
        pictures.append((name, caption))
    return Section(recipe, rows, verdicts, made, pictures)
