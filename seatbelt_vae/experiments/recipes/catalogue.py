"""All recipes by name. A new one is a file here and a line below."""

import difflib
from collections.abc import Sequence

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.recipes import (
    dependence,
    fig1,
    fig3,
    fig4,
    fig5,
    fig6,
    fig7,
    fig8,
    kl_collapse,
    l2_distances,
    larger,
    mig,
    per_layer,
    rotated_heart,
    small_noise,
    table1,
    traversals,
)
from seatbelt_vae.experiments.recipes.recipe import Recipe

_FILES = (
    fig1, fig3, fig4, fig5, fig6, fig7, fig8, table1,
    mig, kl_collapse, per_layer, traversals, rotated_heart, l2_distances, small_noise, dependence,
    larger,
)  # fmt: skip
RECIPES = {file.RECIPE.name: file.RECIPE for file in _FILES}
"""By the name that ``seatbelt reproduce`` uses, the paper's own order first."""


def recipes_of(names: Sequence[str]) -> list[Recipe]:
    """Look recipes up, in their own order.

    Args:
        names: of recipes; "all" are all but those that take as long as the rest together.

    Raises:
        InputError: none is named, or there is none of a name.

    Example:
        >>> [recipe.name for recipe in recipes_of(["table1", "fig3"])]
        ['fig3', 'table1']
    """
    if not names:
        raise InputError(f"reproduce: nothing was named, use all, or some of {', '.join(RECIPES)}")
    for name in names:
        if name not in (*RECIPES, "all"):
            near = difflib.get_close_matches(name, list(RECIPES), n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise InputError(f"reproduce: {name!r} is unknown{hint}, use all, or some of {', '.join(RECIPES)}")
    return [recipe for name, recipe in RECIPES.items() if name in names or ("all" in names and recipe.in_all)]


def names_of(recipes: Sequence[Recipe]) -> str:
    """What a command calls recipes: `recipes_of` the other way round.

    Example:
        >>> names_of(recipes_of(["all", "larger"])), names_of(recipes_of(["fig3", "fig4"]))
        ('all larger', 'fig3 fig4')
    """
    names = [recipe.name for recipe in recipes]
    every = [recipe.name for recipe in recipes_of(["all"])]
    if set(every) <= set(names):
        names = ["all", *(name for name in names if name not in every)]
    return " ".join(names)
