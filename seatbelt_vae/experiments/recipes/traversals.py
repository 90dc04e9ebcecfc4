"""Appendix: what each latent dimension draws.

    seatbelt reproduce traversals --scale laptop --data chairs.npz --out DIR

Expected: pictures to look at; nothing is claimed that a number could decide.
Runtime: no attacks; the trainings are those of fig7.
"""

from seatbelt_vae.experiments.recipes.point import four
from seatbelt_vae.experiments.recipes.recipe import Drawing, Recipe

RECIPE = Recipe(
    name="traversals",
    title="Appendix: traversals",
    expected="Pictures: single factors of the images move with single dimensions.",
    points=four,
    measures=("traversals", "elbo"),
    quantities=("layer_kl@bottom", "layer_kl@top"),
    drawings=(Drawing("traversals"),),
)
