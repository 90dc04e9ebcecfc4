"""Appendix: noise that is hardly seen.

    seatbelt reproduce small-noise --scale laptop --data chairs.npz --out DIR

Expected: as in Figure 8, by less.
Runtime: measured together with fig8.
"""

from seatbelt_vae.experiments.recipes.fig8 import noise_claims
from seatbelt_vae.experiments.recipes.point import curves
from seatbelt_vae.experiments.recipes.recipe import Drawing, Recipe

SCALES = (0.01, 0.03, 0.1)

RECIPE = Recipe(
    name="small-noise",
    title="Appendix: small noise",
    expected="As in Figure 8, by less.",
    points=curves,
    measures=("noise",),
    quantities=tuple(f"noise_drop@{scale:g}" for scale in SCALES),
    drawings=(Drawing("lines", "noise_drop@0.1"),),
    claims=lambda results: noise_claims(results, SCALES),
)
