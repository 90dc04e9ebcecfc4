"""Figure 6: how unlikely the target is after the attack, −log p(x_t|z*), over β and L.

    seatbelt reproduce fig6 --scale laptop --data chairs.npz --out DIR

Expected: highest where β and L are both high; on Chairs, of the Seatbelt-VAE with L = 4, 390 nats at β = 1 and 1840 at
β = 10.
Runtime: the trainings and attacks are those of fig7.
"""

from seatbelt_vae.experiments.recipes.attacks import attacks_on
from seatbelt_vae.experiments.recipes.point import seatbelt, square
from seatbelt_vae.experiments.recipes.recipe import Drawing, Recipe, more_robust
from seatbelt_vae.experiments.recipes.results import Results
from seatbelt_vae.experiments.recipes.verdicts import Verdict


def _claims(results: Results) -> list[Verdict]:
    deep, high = results.scale.deep, results.scale.high
    weights = {seatbelt(deep, high): 1.0, seatbelt(deep, 1): -1.0}
    claim = "The target stays less likely with high β than with β = 1 in the Seatbelt-VAE"
    return more_robust(results, claim, weights, keys=("target_nll",))


RECIPE = Recipe(
    name="fig6",
    title="Figure 6: −log p(xₜ|z*) over β and L",
    expected="−log p(xₜ|z*) rises with β and L together.",
    points=square,
    attacks=attacks_on,
    quantities=("target_nll",),
    drawings=(Drawing("map", "target_nll"),),
    claims=_claims,
)
