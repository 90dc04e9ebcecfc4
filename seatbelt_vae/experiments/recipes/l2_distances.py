"""Appendix: L2 distance from the target to the output that the attack reached.

    seatbelt reproduce l2-distances --scale laptop --data chairs.npz --out DIR

Expected: larger for the Seatbelt-VAE at high β than for β-TCVAE.
Runtime: the trainings and attacks are those of fig7.
"""

from seatbelt_vae.experiments.recipes.attacks import attacks_on
from seatbelt_vae.experiments.recipes.point import curves, seatbelt
from seatbelt_vae.experiments.recipes.recipe import Drawing, Recipe, more_robust
from seatbelt_vae.experiments.recipes.results import Results
from seatbelt_vae.experiments.recipes.verdicts import Verdict


def _claims(results: Results) -> list[Verdict]:
    weights = {seatbelt(results.scale.deep, results.scale.high): 1.0, seatbelt(1, results.scale.high): -1.0}
    claim = "The attacked output stays further from the target in the Seatbelt-VAE than in the β-TCVAE"
    return more_robust(results, claim, weights, keys=("to_target",))


RECIPE = Recipe(
    name="l2-distances",
    title="Appendix: L2 distance to the target",
    expected="The Seatbelt-VAE’s outputs stay further from the target.",
    points=curves,
    attacks=attacks_on,
    quantities=("to_target",),
    drawings=(Drawing("lines", "to_target"),),
    claims=_claims,
)
