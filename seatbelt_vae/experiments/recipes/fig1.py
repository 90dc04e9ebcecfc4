"""Figure 1: the attack in six pictures, on all four models.

    seatbelt reproduce fig1 --scale laptop --data chairs.npz --out DIR

Expected: the VAE is turned into the target by a faint distortion; the Seatbelt-VAE needs one that is seen.
Runtime: the trainings and attacks are those of fig7.
"""

from seatbelt_vae.experiments.recipes.attacks import attacks_on
from seatbelt_vae.experiments.recipes.point import four, seatbelt
from seatbelt_vae.experiments.recipes.recipe import Drawing, Recipe, more_robust
from seatbelt_vae.experiments.recipes.results import Results
from seatbelt_vae.experiments.recipes.verdicts import Verdict


def _claims(results: Results) -> list[Verdict]:
    scale = results.scale
    weights = {seatbelt(scale.deep, scale.high): 1.0, seatbelt(1, 1): -1.0}
    return more_robust(results, "Seatbelt-VAE at high β is harder to fool than a VAE", weights)


RECIPE = Recipe(
    name="fig1",
    title="Figure 1: attacks on four models",
    expected="The Seatbelt-VAE resists where VAE, β-TCVAE and β-TCDLGM are turned into the target.",
    points=four,
    attacks=attacks_on,
    quantities=("success_at_0.5", "auddc", "objective", "to_target"),
    drawings=(Drawing("panels"),),
    claims=_claims,
)
