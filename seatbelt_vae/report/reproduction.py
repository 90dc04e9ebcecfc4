"""The folder of a reproduction: reproduction.md and .json, recipes/, figures/, tables/; a file is whole or absent."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from seatbelt_vae.attacks import Penalty
from seatbelt_vae.experiments.table import measure_of
from seatbelt_vae.progress import progress_bar
from seatbelt_vae.report.export import converter
from seatbelt_vae.report.formats import number, slug
from seatbelt_vae.report.reproduction_figures import PICTURES, TidyRow, figures
from seatbelt_vae.report.table import Cell, Column, Table, to_markdown
from seatbelt_vae.report.templating import rendered
from seatbelt_vae.report.write import write_figure, write_table
from seatbelt_vae.reproduction import (
    MATTERS,
    Images,
    Plan,
    Recipe,
    Results,
    Verdict,
    gone,
    recipe,
    shortened,
    tidy,
    title_of,
    together,
    verdicts,
)
from seatbelt_vae.storage import write_bytes, write_json

PAGES = "recipes"
"""The folder of the recipes' own pages."""

Lines = list[list[str]]
"""A table as text, its heading first; the template escapes each cell."""


@dataclass
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
    rows: list[TidyRow] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    pictures: list[tuple[str, str]] = field(default_factory=list)

    @property
    def word(self) -> str:
        """What becomes of its claims together."""
        if not self.rows:
            return "not measured on these data"
        if not self.verdicts:
            return "nothing is claimed"
        return together([verdict.word for verdict in self.verdicts]).value

    def plain(self, command: str) -> dict[str, Any]:
        """As JSON takes it."""
        return {
            "recipe": self.recipe.name,
            "title": self.recipe.title,
            "command": command,
            "expected": self.recipe.expected,
            "rows": self.rows,
            "claims": [verdict.plain() for verdict in self.verdicts],
        }


def write_reproduction(
    planned: Plan,
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
        planned: the recipes.
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
    converter()
    out = Path(out)
    sections = []
    with progress_bar("Figures", len(planned.names), progress) as advance:
        for name in planned.names:
            section = Section(recipe(name, results.scale, results.images[0]))
            for images in results.images:
                _add(section, results, images, out, images.label in hidden)
            section.tables = tables(section.recipe, section.rows)
            sections.append(section)
            advance(note=name)
    found = {
        "scale": asdict(results.scale),
        "data": results.data,
        "failed": {Path(run).name: why for run, why in failed.items()},
        "recipes": [section.plain(command.format(section.recipe.name)) for section in sections],
    }
    write_json(out / "reproduction.json", found)
    for section in sections:
        for table in section.tables:
            write_table(out, table)
        text = page(section, command.format(section.recipe.name))
        write_bytes(out / PAGES / f"{section.recipe.name}.md", text.encode())
    text = document(sections, results, command=command.format(shortened(planned.names)), failed=failed)
    return write_bytes(out / "reproduction.md", text.encode()), sections


def _add(section: Section, results: Results, images: Images, out: Path, hidden: bool) -> None:
    """What a recipe came to on some data; its figures are written."""
    made = recipe(section.recipe.name, results.scale, images)
    rows = tidy(made.runs, made.shown, results, images)
    if not rows or not made.suits:
        return
    decided = verdicts(made.claims, made.runs, results, images)
    section.rows.extend(rows)
    section.verdicts.extend(decided)
    drawings = [drawing for drawing in made.drawings if not (hidden and drawing[0] in PICTURES)]
    for figure, caption, svg in figures(made, drawings, results, images, rows, decided):
        section.pictures.append((figure, caption))
        write_figure(out, figure, svg)


def document(sections: Sequence[Section], results: Results, *, command: str, failed: Mapping[str, str]) -> str:
    """Write the first page: what becomes of each claim."""
    reasons: dict[str, list[str]] = {}
    for run, why in failed.items():
        reasons.setdefault(why, []).append(Path(run).name)
    found: list[Verdict] = []
    for section in sections:
        found += section.verdicts
    return rendered(
        "reproduction.md.j2",
        command=command,
        scale=results.scale,
        data=results.data,
        lambdas=len(Penalty(results.scale.lambdas).grid()),
        failed=reasons,
        gone=gone(found),
        matters=MATTERS,
        claims=overview(sections),
        left_out=sum(math.isnan(verdict.effect.value) for verdict in found),
        **WORDS,
    )


def page(section: Section, command: str) -> str:
    """Write a recipe's own page, which lies in a folder beside those of the figures."""
    texts = [to_markdown(table) for table in section.tables]
    return rendered("reproduction_recipe.md.j2", section=section, command=command, tables=texts, **WORDS)


def overview(sections: Iterable[Section]) -> Lines:
    """What becomes of each claim: a line for each set of data, kind of attack and measure; the strongest attack's."""
    lines = [["", "claim", "data", "attack", "measure", "effect", "the paper", "verdict"]]
    for section in sections:
        link = f"[{section.recipe.name}]({PAGES}/{section.recipe.name}.md)"
        alike: dict[tuple[str, str, str, str], list[Verdict]] = {}
        for verdict in section.verdicts:
            if not math.isnan(verdict.effect.value):
                objective = verdict.attack.partition(", ")[0]
                key = (verdict.claim, verdict.data, objective, title_of(verdict.measure))
                alike.setdefault(key, []).append(verdict)
        if not alike:
            lines.append([link, section.word, *[""] * 6])
        for about, mine in alike.items():
            lines.append([link, *about, _effect(mine[-1]), _paper(mine[-1]), _word(mine)])
    return lines


def _word(mine: Sequence[Verdict]) -> str:
    """One word of the same claim under several attacks, and all where they differ."""
    words = [verdict.word for verdict in mine]
    text = f"**{together(words)}**"
    if len(set(words)) > 1:
        each = "; ".join(f"{verdict.attack}: {verdict.word}" for verdict in mine)
        text += f" ({each})"
    return text


def _effect(verdict: Verdict) -> str:
    text = str(Cell.of(verdict.effect, ratio=verdict.ratio))
    if verdict.ratio:
        return f"{text} ×"
    return f"{text} {verdict.unit}".rstrip()


def _paper(verdict: Verdict) -> str:
    if verdict.paper is None:
        return ""
    if verdict.ratio:
        return f"{number(verdict.paper)} ×"
    return number(verdict.paper)


WORDS = {"effect": _effect, "paper": _paper, "title_of": title_of}
"""What templates call."""


def tables(recipe: Recipe, rows: Sequence[TidyRow]) -> list[Table]:
    """A recipe's rows for readers: models down, measures across, the paper's own beside ours.

    Returns:
        One table for each set of data and attack.
    """
    groups: dict[tuple[str, str], list[TidyRow]] = {}
    for row in rows:
        groups.setdefault((row["data"], row["attack"]), []).append(row)
    found = []
    for (data, attack), mine in groups.items():
        words = ", ".join(filter(None, (data, attack)))
        found.append(_table(slug(f"{recipe.name}-{words}"), f"{recipe.title}: {words}", mine))
    return found


def _table(key: str, title: str, rows: Sequence[TidyRow]) -> Table:
    by_label: dict[str, dict[Column, Cell]] = {}
    columns: dict[Column, None] = {}
    printed = {row["measure"] for row in rows if row["paper"] is not None}
    for row in rows:
        cells = by_label.setdefault(row["label"], {})
        comparable = measure_of(row["measure"]).comparable or not row["attack"].startswith("latent")
        column = Column(row["measure"], row["title"], row["unit"], row["better"], comparable=comparable)
        cells[column] = Cell(row["value"], _end(row["low"]), _end(row["high"]), ratio=row["ratio"])
        columns[column] = None
        if row["measure"] in printed:
            column = Column(f"{row['measure']}_paper", f"the paper’s {row['title']}", row["unit"])
            columns[column] = None
        if row["paper"] is not None:
            cells[column] = Cell(row["paper"])
    names = [(label, slot) for slot, label in enumerate(by_label)]
    made = {column: [cells.get(column) for cells in by_label.values()] for column in columns}
    return Table.of(key, title, names, made, _notes(rows, list(columns)))


def _end(end: float | None) -> float:
    """An end of an interval; NaN where there is none."""
    if end is None:
        return math.nan
    return end


def _notes(rows: Sequence[TidyRow], columns: Sequence[Column]) -> list[str]:
    seeds = sorted({row["seeds"] for row in rows})
    pairs = sorted({row["pairs"] for row in rows})
    over = " [95 % interval over these]"
    if pairs[-1] > 1:
        over = f" and {_span(pairs)} pairs [95 % interval over both]"
    notes = [f"Mean over {_span(seeds)} seeds{over}; ↑ higher, ↓ lower is better."]
    if not all(column.comparable for column in columns):
        notes.append("† grows with 1/σ² alone; not comparable across models.")
    return notes


def _span(numbers: Sequence[int]) -> str:
    return " to ".join(str(number) for number in dict.fromkeys((numbers[0], numbers[-1])))
