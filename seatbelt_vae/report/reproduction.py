"""The folder of a reproduction: reproduction.md and .json, recipes/, figures/, tables/; a file is whole or absent."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from seatbelt_vae.attacks import Penalty
from seatbelt_vae.experiments.table import measure_of
from seatbelt_vae.progress import progress_bar
from seatbelt_vae.report.compare import slug
from seatbelt_vae.report.export import needed, svg_files
from seatbelt_vae.report.formats import number
from seatbelt_vae.report.reproduction_figures import TidyRow, figures
from seatbelt_vae.report.table_formats import WRITERS, environment
from seatbelt_vae.report.tables import Cell, Column, Line, Table, cell_text
from seatbelt_vae.reproduction import (
    MATTERS,
    Images,
    Plan,
    Recipe,
    Results,
    Scale,
    Verdict,
    Word,
    gone,
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
    rows: Sequence[TidyRow] = ()
    verdicts: Sequence[Verdict] = ()
    tables: Sequence[Table] = ()
    pictures: Sequence[tuple[str, str]] = ()

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
        for place, name in enumerate(planned.names):
            by_data = [(images, planned.recipes(images)[place]) for images in planned.images]
            sections.append(_section(by_data, results, out, hidden))
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


def _section(
    by_data: Sequence[tuple[Images, Recipe]],
    results: Results,
    out: Path,
    hidden: Collection[str],
) -> Section:
    rows: list[TidyRow] = []
    claims: list[Verdict] = []
    drawn = []
    for images, recipe in by_data:
        mine = tidy(recipe, results, images)
        if not mine or not recipe.suits:
            continue
        decided = verdicts(recipe.claims, recipe.runs, results, images)
        drawn += list(figures(recipe, results, images, mine, decided, hidden=images.label in hidden))
        rows += mine
        claims += decided
    for figure, _, svg in drawn:
        for ending, content in svg_files(svg).items():
            write_bytes(out / "figures" / f"{figure}.{ending}", content)
    _, recipe = by_data[0]
    made = tables(recipe, rows)
    for table in made:
        for ending, write in WRITERS.items():
            write_bytes(out / "tables" / f"{table.key}.{ending}", write(table).encode())
    return Section(recipe, rows, claims, made, [(figure, caption) for figure, caption, _ in drawn])


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
    found = [verdict for section in sections for verdict in section.verdicts]
    side_by_side, others = overview(sections)
    template = environment().get_template("reproduction.md.j2")
    return template.render(
        command=command,
        scale=results.scale,
        data=results.data,
        lambdas=len(Penalty(results.scale.lambdas).grid()),
        limits=_limits(results.scale),
        failed=reasons,
        gone=[_gone(cold, strong) for cold, strong in dict.fromkeys(gone(found))],
        matters=MATTERS,
        side_by_side=side_by_side,
        others=others,
        left_out=sum(math.isnan(verdict.effect.value) for verdict in found),
    )


def page(section: Section, command: str) -> str:
    """Write a recipe's own page, which lies in a folder beside those of the figures.

    Args:
        section: what the recipe came to.
        command: that made it.
    """
    claims: Lines = [["claim", "data", "attack", "measure", "effect", "paper", "verdict"]]
    for verdict in section.verdicts:
        word = f"**{verdict.word}**"
        if verdict.reason:
            word += f": {verdict.reason}"
        title = title_of(verdict.measure)
        claims.append([verdict.claim, verdict.data, verdict.attack, title, _effect(verdict), _paper(verdict), word])
    template = environment().get_template("reproduction_recipe.md.j2")
    tables = [WRITERS["md"](table) for table in section.tables]
    return template.render(section=section, recipe=section.recipe, command=command, claims=claims, tables=tables)


def _limits(scale: Scale) -> list[str]:
    """Where attacks of a scale are less than those of the package."""
    limits = []
    if scale.output_every > 1:
        limits.append(f"output attacks one in {scale.output_every} of these")
    if scale.samples is not None:
        limits.append(f"output attacks with {scale.samples} set{'s'[: scale.samples > 1]} of noise")
    if scale.iterations is not None:
        limits.append(f"cold starts of at most {scale.iterations} iterations")
    if scale.warm_iterations is not None:
        limits.append(f"warm ones of {scale.warm_iterations}")
    return limits


def _gone(cold: Verdict, strong: Verdict) -> str:
    return (
        f"{cold.claim} ({cold.data}, {title_of(cold.measure)}): {_effect(cold)} under {cold.attack}, "
        f"{_effect(strong)} under {strong.attack}."
    )


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
    ends = []
    for end in ("low", "high"):
        ends.append(math.nan if row[end] is None else float(row[end]))
    return Cell(float(row["value"]), *ends, ratio=bool(row["ratio"]))


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
