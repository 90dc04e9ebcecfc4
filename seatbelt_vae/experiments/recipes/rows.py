"""A recipe's results as a tidy table: a row for each set of data, attack, model and quantity."""

import math
from typing import Any

from seatbelt_vae.experiments.recipes.attacks import words
from seatbelt_vae.experiments.recipes.paper import printed
from seatbelt_vae.experiments.recipes.quantities import GAINED, quantity
from seatbelt_vae.experiments.recipes.recipe import Recipe
from seatbelt_vae.experiments.recipes.results import Results, estimate

Row = dict[str, Any]


def tidy(recipe: Recipe, results: Results) -> list[Row]:
    """Gather what a recipe shows.

    Returns:
        Rows with ``data``, ``attack`` (empty without one), ``label``, ``model``, ``layers``, ``beta``, ``quantity``,
        ``title``, ``unit``, ``value`` with ``low`` and ``high`` (95 % over seeds and pairs, None where there is no
        interval), ``seeds``, ``pairs`` and ``paper``, the paper's own value. What was not measured has no row.
    """
    rows = []
    for data in results.data:
        for point in recipe.points(results.scale):
            attacks = recipe.attacks(results.scale, point)
            for key in recipe.quantities:
                for attack in attacks if key in GAINED else (None,):
                    asked = quantity(key)
                    found = estimate(results, data, {point: 1.0}, key, attack, ratio=asked.ratio)
                    if math.isnan(found.interval.value):
                        continue
                    ends = (found.interval.value, found.interval.low, found.interval.high)
                    value, low, high = (each if math.isfinite(each) else None for each in ends)
                    rows.append({
                        "data": data, "attack": words(attack) if attack else "", "label": point.label,
                        "model": point.model, "family": point.family, "layers": point.layers, "beta": point.beta,
                        "quantity": key, "title": asked.title, "unit": asked.unit, "robust": asked.robust,
                        "value": value, "low": low, "high": high, "ratio": asked.ratio, "seeds": found.seeds,
                        "pairs": found.pairs, "paper": printed(data, point, key, attack.mode if attack else ""),
                    })  # fmt: skip
    return rows
