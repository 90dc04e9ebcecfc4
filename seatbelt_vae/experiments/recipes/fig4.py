"""Figure 4: reconstructions.

    seatbelt reproduce fig4 --scale laptop --data chairs.npz --out DIR

Expected: at high β the Seatbelt-VAE's reconstructions stay sharp where the β-TCVAE's blur.
Runtime: the trainings and attacks are those of fig7.
"""

from seatbelt_vae.experiments.recipes.attacks import strongest
from seatbelt_vae.experiments.recipes.point import curves, seatbelt
from seatbelt_vae.experiments.recipes.recipe import Drawing, Recipe, compared
from seatbelt_vae.experiments.recipes.results import Results
from seatbelt_vae.experiments.recipes.verdicts import Verdict


def _claims(results: Results) -> list[Verdict]:
    deep, high = results.scale.deep, results.scale.high
    weights = {seatbelt(deep, high): 1.0, seatbelt(1, high): -1.0}
    claim = "At high β the Seatbelt-VAE reconstructs better than the β-TCVAE"
    return [compared(results, claim, data, weights, key) for data in results.data for key in ("mse", "psnr")]


RECIPE = Recipe(
    name="fig4",
    title="Figure 4: reconstructions",
    expected="Seatbelt-VAE keeps its reconstructions at high β; β-TCVAE blurs.",
    points=curves,
    measures=("image-quality",),
    attacks=strongest,  # its clean reconstructions are the pictures
    quantities=("mse", "psnr"),
    drawings=(Drawing("reconstructions"), Drawing("lines", "mse")),
    claims=_claims,
)
