"""A recipe's results as a tidy table: a row for each attack, model and measure."""

import math
from typing import Any

from seatbelt_vae.experiments import AttackSpec
from seatbelt_vae.experiments.table import measure_of
from seatbelt_vae.reproduction.attacks import words
from seatbelt_vae.reproduction.images import Images
from seatbelt_vae.reproduction.paper import printed
from seatbelt_vae.reproduction.points import Point
from seatbelt_vae.reproduction.recipes import Recipe
from seatbelt_vae.reproduction.results import Results, finite, title_of

Row = dict[str, Any]


def tidy(recipe: Recipe, results: Results, images: Images) -> list[Row]:
    """Gather what a recipe shows of some data.

    Returns:
        Rows with ``data``, ``attack`` (empty without one), ``label``, ``model``, ``family``, ``layers``, ``beta``,
        ``measure``, ``title``, ``unit``, ``better``, ``value`` with ``low`` and ``high`` (95 % over seeds and pairs,
        None where there is no interval), ``ratio``, ``seeds``, ``pairs`` and ``paper``, the paper's own value. What was
        not measured has no row.
    """
    rows = []
    for point, attacks in recipe.runs.items():
        for key in recipe.shown:
            under: tuple[AttackSpec | None, ...] = attacks
            if measure_of(key).kind == "run":
                under = (None,)
            for attack in under:
                row = _row(results, images, point, attack, key)
                if math.isfinite(row["value"]):
                    rows.append(row)
    return rows


def _row(results: Results, images: Images, point: Point, attack: AttackSpec | None, key: str) -> Row:
    measure = measure_of(key)
    found = results.effect(images, {(point, attack): 1.0}, key)
    return {
        "data": images.label,
        "attack": words(attack),
        "label": point.label,
        "model": point.model,
        "family": point.family,
        "layers": point.layers,
        "beta": point.beta,
        "measure": key,
        "title": title_of(key),
        "unit": measure.unit,
        "better": measure.better,
        "value": found.interval.value,
        "low": finite(found.interval.low),
        "high": finite(found.interval.high),
        "ratio": measure.ratio,
        "seeds": found.seeds,
        "pairs": found.pairs,
        "paper": printed(images.label, point, key, attack.objective if attack else ""),
    }
