"""The document of a reproduction in Markdown: what becomes of each claim, and a page of figures for each recipe."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seatbelt_vae.attacks.ingredients import check_lambdas
from seatbelt_vae.experiments.recipes import Results, Scale, Verdict, names_of, together
from seatbelt_vae.experiments.recipes.findings import gone_under_path
from seatbelt_vae.experiments.recipes.quantities import quantity
from seatbelt_vae.experiments.recipes.recipe import MATTERS
from seatbelt_vae.report.formats import number
from seatbelt_vae.report.table_formats import cell_text, to_markdown
from seatbelt_vae.report.tables import Cell

if TYPE_CHECKING:
    from seatbelt_vae.report.reproduction.write import Section

PAGES = "recipes"
"""The folder of the recipes' own pages."""

WORDS = (
    "**holds**: the 95 % interval over seeds and pairs lies wholly on the claimed side and, where the paper states a "
    "size, reaches it. **holds in direction**: on that side, but short of the size, or of one training only. "
    "**does not hold**: wholly on the other side. Of “no gain”: it holds where the interval ends below a gain that "
    f"matters, {100 * (MATTERS['ratio'] - 1):.0f} % of Δ or {MATTERS['difference']:g}, and does not where all of it is "
    "a gain. "
    "**not decided**: the interval includes no effect, or there is none. The effect is that under the stronger attack, "
    "the walk over λ; where the paper's own, every λ from a cold start, says otherwise, both words stand."
)


def document(sections: Sequence[Section], results: Results, *, command: str, failed: Mapping[str, str]) -> str:
    """Write the first page: what becomes of each claim.

    Args:
        sections: what the recipes came to.
        results: the runs.
        command: that made it, with ``{}`` for a recipe's name.
        failed: runs that failed, and why.
    """
    scale = results.scale
    verdicts = [verdict for section in sections for verdict in section.verdicts]
    parts = [
        f"# The paper reproduced, scale {scale.name}",
        "",
        f"`{command.format(names_of([section.recipe for section in sections]))}`",
        "",
        f"{', '.join(results.data)}: {scale.size}×{scale.size}, {scale.network}, {scale.steps} steps of "
        f"{scale.batch_size} images, the total correlation by MWS over {scale.tc_samples}, "
        f"{scale.free_bits:g} free bits a dimension; β ∈ {_list(scale.betas)}, L ∈ {_list(scale.layers)}; "
        f"{len(scale.seeds)} seeds; up to {scale.pairs} pairs × {len(check_lambdas(scale.lambdas))} λ{_limits(scale)}.",
        "",
        *_failed(failed),
        *_broken(verdicts),
        "## Claims",
        "",
        WORDS,
        "",
        *_overview(sections),
    ]
    return "\n".join(parts) + "\n"


def page(section: Section, command: str) -> str:
    """Write a recipe's own page, which lies in a folder beside those of the figures.

    Args:
        section: what the recipe came to.
        command: that made it, with ``{}`` for the recipe's name.
    """
    recipe = section.recipe
    parts = [f"# {recipe.title}", "", f"`{command.format(recipe.name)}`", "", f"The paper: {recipe.expected}", ""]
    if not section.rows:
        return "\n".join([*parts, "Not measured on these data.", ""])
    if section.verdicts:
        parts += ["| claim | data | attack | measure | effect | paper | verdict |", "|---|---|---|---|---|---|---|"]
        parts += [_claim(verdict) for verdict in section.verdicts]
        parts.append("")
    for name, caption in section.pictures:
        parts += [f"![{caption}](../figures/{name}.svg)", "", caption, ""]
    for table in section.tables:
        parts.append(to_markdown(table))
    return "\n".join(parts) + "\n"


def _limits(scale: Scale) -> str:
    """Where attacks of a scale are less than those of the package."""
    limits = [
        "" if scale.output_every == 1 else f"output attacks one in {scale.output_every} of these",
        "" if scale.samples is None else f"output attacks with {scale.samples} set{'s'[: scale.samples > 1]} of noise",
        "" if scale.iterations is None else f"cold starts of at most {scale.iterations} iterations",
        "" if scale.warm_iterations is None else f"warm ones of {scale.warm_iterations}",
    ]
    return "".join(f", {limit}" for limit in limits if limit)


def _list(values: Sequence[float]) -> str:
    return "{" + ", ".join(f"{value:g}" for value in values) + "}"


def _failed(failed: Mapping[str, str]) -> list[str]:
    if not failed:
        return []
    reasons: dict[str, list[str]] = {}
    for run, why in failed.items():
        reasons.setdefault(why, []).append(Path(run).name)
    lines = [f"- {why} ({len(runs)}): {', '.join(runs)}" for why, runs in reasons.items()]
    return ["**Runs that failed or are not complete:**", "", *lines, ""]


def _broken(verdicts: Sequence[Verdict]) -> list[str]:
    """Lead with what only a weak attack could not break."""
    found = gone_under_path(verdicts)
    if not found:
        return []
    lines = [
        f"- {cold.claim} ({cold.data}, {quantity(cold.quantity).title}): {_effect(cold)} under {cold.attack}, "
        f"{_effect(strong)} under {strong.attack}."
        for cold, strong in dict.fromkeys(found)
    ]
    return ["## Robustness that is gone under the stronger attack", "", *lines, ""]


def _overview(sections: Sequence[Section]) -> list[str]:
    """What becomes of each claim: of one about attacks a line with all its measures, of others a line for each."""
    attacked: list[tuple[str, dict[str, list[Verdict]]]] = []
    others: list[str] = []
    left_out = 0
    for section in sections:
        link = f"[{section.recipe.name}]({PAGES}/{section.recipe.name}.md)"
        groups: dict[tuple[str, str, str], dict[str, list[Verdict]]] = {}
        for verdict in section.verdicts:
            if math.isnan(verdict.effect.value):
                left_out += 1
                continue
            mode = verdict.attack.partition(", ")[0]
            measures = groups.setdefault((verdict.claim, verdict.data, mode), {})
            measures.setdefault(verdict.quantity, []).append(verdict)
        if not groups:
            others.append(f"| {link} | {section.word} | | | | | |")
        for (claim, data, mode), measures in groups.items():
            start = f"| {link} | {claim} | {data} | "
            if len(measures) > 1 and mode:
                attacked.append((start + mode, measures))
                continue
            for key, mine in measures.items():
                title = quantity(key).title + (f", {mode} attack" if mode else "")
                others.append(f"{start}{title} | {_effect(mine[-1])} | {_paper(mine[-1])} | {_words(mine)} |")
    head = ["| | claim | data | measure | effect | the paper | verdict |", "|---|---|---|---|---|---|---|"]
    more = f"{left_out} verdicts more have nothing to stand on yet; the recipes' pages list them."
    return [*_side_by_side(attacked), *(["", *head, *others] if others else []), "", *([more, ""] if left_out else [])]


def _side_by_side(lines: Sequence[tuple[str, Mapping[str, Sequence[Verdict]]]]) -> list[str]:
    """A line for each claim, data and attack, with a column for each measure."""
    if not lines:
        return []
    keys = list(dict.fromkeys(key for _, measures in lines for key in measures))
    titles = " | ".join(quantity(key).title for key in keys)
    table = [f"| | claim | data | attack | {titles} |", "|---" * (4 + len(keys)) + "|"]
    for start, measures in lines:
        cells = []
        for key in keys:
            mine = measures.get(key)
            paper = f", the paper {_paper(mine[-1])}" if mine and mine[-1].paper is not None else ""
            cells.append(f"{_effect(mine[-1])}{paper}: {_words(mine)}" if mine else "")
        table.append(f"{start} | {' | '.join(cells)} |")
    return table


def _words(mine: Sequence[Verdict]) -> str:
    """One word of the same claim under several attacks, and all where they differ."""
    word = f"**{together([verdict.word for verdict in mine])}**"
    differ = len({verdict.word for verdict in mine}) > 1
    return word + (" (" + "; ".join(f"{v.attack}: {v.word}" for v in mine) + ")" if differ else "")


def _claim(verdict: Verdict) -> str:
    word = f"**{verdict.word}**" + (f": {verdict.reason}" if verdict.reason else "")
    title = quantity(verdict.quantity).title
    cells = verdict.claim, verdict.data, verdict.attack, title, _effect(verdict), _paper(verdict), word
    return f"| {' | '.join(cells)} |"


def _effect(verdict: Verdict) -> str:
    interval = verdict.effect
    text = cell_text(Cell(interval.value, interval.low, interval.high, ratio=verdict.ratio))
    return text + (" ×" if verdict.ratio else f" {verdict.unit}".rstrip())


def _paper(verdict: Verdict) -> str:
    return "" if verdict.paper is None else number(verdict.paper) + (" ×" if verdict.ratio else "")
