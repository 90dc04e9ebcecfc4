"""Every figure of a recipe, by its name among the files."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from seatbelt_vae.experiments.recipes import Drawing, Recipe, Results, Verdict
from seatbelt_vae.experiments.recipes.quantities import quantity
from seatbelt_vae.report.export import chart_svg
from seatbelt_vae.report.matching import slug
from seatbelt_vae.report.reproduction.charts import TidyRow, line_chart, map_chart
from seatbelt_vae.report.reproduction.effects import effects_chart
from seatbelt_vae.report.reproduction.pictures import (
    noise_figures,
    panels_figures,
    reconstruction_figures,
    traversal_figures,
)

PICTURES = {
    "panels": panels_figures,
    "reconstructions": reconstruction_figures,
    "noise": noise_figures,
    "traversals": traversal_figures,
}


def figures(
    recipe: Recipe,
    results: Results,
    rows: Sequence[TidyRow],
    verdicts: Sequence[Verdict],
    hidden: Collection[str] = (),
) -> Iterator[tuple[str, str, str]]:
    """Draw a recipe.

    Args:
        recipe: what to draw.
        results: the runs.
        rows: what `seatbelt_vae.experiments.recipes.tidy` gave of them.
        verdicts: on its claims.
        hidden: data of which no image is shown.

    Yields:
        The name among the files, a caption, and the SVG.
    """
    for drawing in recipe.drawings:
        if drawing.kind in ("lines", "map"):
            yield from _charts(recipe, drawing, rows)
        elif drawing.kind == "effects":
            yield from _effects(recipe, drawing, verdicts)
        else:
            shown = results.data if drawing.kind == "noise" else [data for data in results.data if data not in hidden]
            for data in shown:
                for key, svg in PICTURES[drawing.kind](recipe, results, data):
                    yield slug(f"{recipe.name}-{data}-{key}"), f"{data}, {key.replace('-', ' ')}", svg


def _charts(recipe: Recipe, drawing: Drawing, rows: Sequence[TidyRow]) -> Iterator[tuple[str, str, str]]:
    groups: dict[tuple[str, str], list[Any]] = {}
    for row in rows:
        if row["quantity"] == drawing.quantity and (drawing.kind == "lines" or row["model"] != "beta-tcdlgm"):
            groups.setdefault((row["data"], row["attack"]), []).append(row)
    for (data, attack), mine in groups.items():
        draw = line_chart if drawing.kind == "lines" else map_chart
        name = slug("-".join(part for part in (recipe.name, drawing.kind, data, attack, drawing.quantity) if part))
        yield name, ", ".join(part for part in (data, attack, str(mine[0]["title"])) if part), chart_svg(draw(mine))


def _effects(recipe: Recipe, drawing: Drawing, verdicts: Sequence[Verdict]) -> Iterator[tuple[str, str, str]]:
    groups: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in verdicts:
        known = verdict.condition and not math.isnan(verdict.effect.value)
        if known and verdict.quantity == drawing.quantity:
            groups.setdefault((verdict.data, verdict.attack), []).append(verdict)
    for (data, attack), mine in groups.items():
        name = slug("-".join((recipe.name, drawing.kind, data, attack, drawing.quantity)))
        yield name, f"{data}, {attack}, effects on {quantity(drawing.quantity).title}", chart_svg(effects_chart(mine))
