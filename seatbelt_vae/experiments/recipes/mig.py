"""Appendix: disentanglement, the mutual information gap of the top layer.

    seatbelt reproduce mig --scale laptop --data faces.npz --out DIR

Expected: rises with β for β-TCVAE (Chen et al. 2018). Needs data that say what generated each image.
Runtime: no attacks; the trainings are those of fig7.
"""

from seatbelt_vae.experiments.recipes.point import curves, seatbelt
from seatbelt_vae.experiments.recipes.recipe import Drawing, Recipe, compared
from seatbelt_vae.experiments.recipes.results import Results
from seatbelt_vae.experiments.recipes.verdicts import Verdict


def _claims(results: Results) -> list[Verdict]:
    weights = {seatbelt(1, results.scale.high): 1.0, seatbelt(1, 1): -1.0}
    return [compared(results, "MIG rises with β: β-TCVAE", data, weights, "mig") for data in results.data]


RECIPE = Recipe(
    name="mig",
    title="Appendix: MIG",
    expected="MIG rises with β for β-TCVAE.",
    points=curves,
    measures=("mig", "total-correlation"),
    quantities=("mig", "total_correlation"),
    drawings=(Drawing("lines", "mig"),),
    claims=_claims,
    suits=lambda data, factors: factors,
)
