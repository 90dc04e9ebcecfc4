"""The folder of a reproduction: reproduction.md and .json, recipes/, figures/, tables/; a file is whole or absent."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from seatbelt_vae.attacks import Penalty
from seatbelt_vae.experiments.table import measure_of
from seatbelt_vae.progress import progress_bar
from seatbelt_vae.report.export import needed, svg_files
from seatbelt_vae.report.formats import number
from seatbelt_vae.report.kind import slug
from seatbelt_vae.report.reproduction_figures import Figure, TidyRow, figures
from seatbelt_vae.report.table_formats import WRITERS, rendered, to_markdown
from seatbelt_vae.report.tables import Cell, Column, Line, Table, cell_text
from seatbelt_vae.reproduction import (
    MATTERS,
    Plan,
    Recipe,
    Results,
    Verdict,
    Word,
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
            "rows": [dict(row) for row in self.rows],
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
    for module in ("altair", "vl_convert"):
        needed(module)
    out = Path(out)
    sections = []
    with progress_bar("Figures", len(planned.names), progress) as advance:
        for name in planned.names:
            sections.append(_section(name, results, out, hidden))
            advance(note=name)
    found = {
        "scale": asdict(results.scale),
        "data": results.data,
        "failed": {Path(run).name: why for run, why in failed.items()},
        "recipes": [section.plain(command.format(section.recipe.name)) for section in sections],
    }
    write_json(out / "reproduction.json", found)
    for section in sections:
        text = page(section, command.format(section.recipe.name))
        write_bytes(out / PAGES / f"{section.recipe.name}.md", text.encode())
    text = document(sections, results, command=command.format(shortened(planned.names)), failed=failed)
    return write_bytes(out / "reproduction.md", text.encode()), sections


def _section(name: str, results: Results, out: Path, hidden: Collection[str]) -> Section:
    section = Section(recipe(name, results.scale, results.images[0]))
    drawn: list[Figure] = []
    for images in results.images:
        made = recipe(name, results.scale, images)
        rows = tidy(made, results, images)
        if rows and made.suits:
            decided = verdicts(made.claims, made.runs, results, images)
            drawn += figures(made, results, images, rows, decided, hidden=images.label in hidden)
            section.rows.extend(rows)
            section.verdicts.extend(decided)
    for figure, caption, svg in drawn:
        section.pictures.append((figure, caption))
        for ending, content in svg_files(svg).items():
            write_bytes(out / "figures" / f"{figure}.{ending}", content)
    for table in tables(section.recipe, section.rows):
        section.tables.append(table)
        for ending, write in WRITERS.items():
            write_bytes(out / "tables" / f"{table.key}.{ending}", write(table).encode())
    return section


def document(sections: Sequence[Section], results: Results, *, command: str, failed: Mapping[str, str]) -> str:
    """Write the first page: what becomes of each claim.

    Args:
        sections: what the recipes came to.
        results: the runs.
        command: that made it.
        failed: runs that failed, and why.
    """
    reasons: dict[str, list[str]] = {}
    for run, why in failed.items():
        reasons.setdefault(why, []).append(Path(run).name)
    found: list[Verdict] = []
    for section in sections:
        found += section.verdicts
    side_by_side, others = overview(sections)
    return rendered(
        "reproduction.md.j2",
        command=command,
        scale=results.scale,
        data=results.data,
        lambdas=len(Penalty(results.scale.lambdas).grid()),
        failed=reasons,
        gone=gone(found),
        matters=MATTERS,
        side_by_side=side_by_side,
        others=others,
        left_out=sum(math.isnan(verdict.effect.value) for verdict in found),
        **WORDS,
    )


def page(section: Section, command: str) -> str:
    """Write a recipe's own page, which lies in a folder beside those of the figures.

    Args:
        section: what the recipe came to.
        command: that made it.
    """
    tables = [to_markdown(table) for table in section.tables]
    return rendered("reproduction_recipe.md.j2", section=section, command=command, tables=tables, **WORDS)


ByMeasure = dict[str, list[Verdict]]


def overview(sections: Iterable[Section]) -> tuple[Lines, Lines]:
    """What becomes of each claim: one table with a column for each measure of attacks, one for the others."""
    attacked: list[tuple[list[str], ByMeasure]] = []
    others: Lines = [["", "claim", "data", "measure", "effect", "the paper", "verdict"]]
    for section in sections:
        link = f"[{section.recipe.name}]({PAGES}/{section.recipe.name}.md)"
        groups = _by_claim(section.verdicts)
        if not groups:
            others.append([link, section.word, "", "", "", "", ""])
        for (claim, data, objective), measures in groups.items():
            if len(measures) > 1 and objective:
                attacked.append(([link, claim, data, objective], measures))
                continue
            for key, mine in measures.items():
                title = title_of(key)
                if objective:
                    title += f", {objective} attack"
                others.append([link, claim, data, title, _effect(mine[-1]), _paper(mine[-1]), _words(mine)])
    return _side_by_side(attacked), others


def _by_claim(found: Sequence[Verdict]) -> dict[tuple[str, str, str], ByMeasure]:
    """Verdicts that stand on something, by claim, data and the attack's objective, then by measure."""
    groups: dict[tuple[str, str, str], ByMeasure] = {}
    for verdict in found:
        if not math.isnan(verdict.effect.value):
            objective = verdict.attack.partition(", ")[0]
            measures = groups.setdefault((verdict.claim, verdict.data, objective), {})
            measures.setdefault(verdict.measure, []).append(verdict)
    return groups


def _side_by_side(attacked: Sequence[tuple[list[str], ByMeasure]]) -> Lines:
    """A line for each claim, data and attack, with a column for each measure."""
    keys = list(dict.fromkeys(key for _, measures in attacked for key in measures))
    lines = [["", "claim", "data", "attack", *(title_of(key) for key in keys)]]
    for start, measures in attacked:
        cells = [_cell_of(measures.get(key, [])) for key in keys]
        lines.append([*start, *cells])
    return lines


def _cell_of(mine: Sequence[Verdict]) -> str:
    if not mine:
        return ""
    text = _effect(mine[-1])
    if mine[-1].paper is not None:
        text += f", the paper {_paper(mine[-1])}"
    return f"{text}: {_words(mine)}"


def _words(mine: Sequence[Verdict]) -> str:
    """One word of the same claim under several attacks, and all where they differ."""
    words: list[Word] = [verdict.word for verdict in mine]
    text = f"**{together(words)}**"
    if len(set(words)) > 1:
        each = "; ".join(f"{verdict.attack}: {verdict.word}" for verdict in mine)
        text += f" ({each})"
    return text


def _effect(verdict: Verdict) -> str:
    text = cell_text(Cell.of(verdict.effect, ratio=verdict.ratio))
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

    Args:
        recipe: the recipe.
        rows: tidy rows.

    Returns:
        One table for each set of data and attack.
    """
    groups: dict[tuple[str, str], list[TidyRow]] = {}
    for row in rows:
        groups.setdefault((row["data"], row["attack"]), []).append(row)
    return [_table(recipe, data, attack, mine) for (data, attack), mine in groups.items()]


def _table(recipe: Recipe, data: str, attack: str, rows: Sequence[TidyRow]) -> Table:
    first: dict[str, TidyRow] = {}
    by_label: dict[str, dict[str, TidyRow]] = {}
    for row in rows:
        first.setdefault(row["measure"], row)
        by_label.setdefault(row["label"], {})[row["measure"]] = row
    printed = {row["measure"] for row in rows if row["paper"] is not None}
    columns: list[Column] = []
    for key, row in first.items():
        comparable = measure_of(key).comparable or not attack.startswith("latent")
        columns.append(Column(key, row["title"], row["unit"], row["better"], comparable=comparable))
        if key in printed:
            columns.append(Column(f"{key}_paper", f"the paper’s {row['title']}", row["unit"]))
    lines = []
    for slot, (label, mine) in enumerate(by_label.items()):
        cells: list[Cell | None] = []
        for key in first:
            cells.append(_cell(mine.get(key)))
            if key in printed:
                cells.append(_printed(mine.get(key)))
        lines.append(Line(label, slot, tuple(cells)))
    words = ", ".join(part for part in (data, attack) if part)
    key = slug(f"{recipe.name}-{words}")
    return Table(key, f"{recipe.title}: {words}", tuple(columns), tuple(lines), _notes(rows, columns))


def _cell(row: TidyRow | None) -> Cell | None:
    if row is None:
        return None
    low, high = (math.nan if row[end] is None else float(row[end]) for end in ("low", "high"))
    return Cell(float(row["value"]), low, high, ratio=bool(row["ratio"]))


def _printed(row: TidyRow | None) -> Cell | None:
    if row is None or row["paper"] is None:
        return None
    return Cell(float(row["paper"]))


def _notes(rows: Sequence[TidyRow], columns: Sequence[Column]) -> tuple[str, ...]:
    seeds = sorted({row["seeds"] for row in rows})
    pairs = sorted({row["pairs"] for row in rows})
    over = " [95 % interval over these]"
    if pairs[-1] > 1:
        over = f" and {_span(pairs)} pairs [95 % interval over both]"
    notes = [f"Mean over {_span(seeds)} seeds{over}; ↑ higher, ↓ lower is better."]
    if not all(column.comparable for column in columns):
        notes.append("† grows with 1/σ² alone; not comparable across models.")
    return tuple(notes)


def _span(numbers: Sequence[int]) -> str:
    if numbers[0] == numbers[-1]:
        return f"{numbers[0]}"
    return f"{numbers[0]} to {numbers[-1]}"
