"""Appendix: how the KL to the prior collapses with β.

    seatbelt reproduce kl-collapse --scale laptop --data chairs.npz --out DIR

Expected: the KL of the β-TCVAE falls with β; the Seatbelt-VAE's bottom layer keeps its own.
Runtime: no attacks; the trainings are those of fig7.
"""

from seatbelt_vae.experiments.recipes.point import curves, seatbelt
from seatbelt_vae.experiments.recipes.recipe import Drawing, Recipe, compared
from seatbelt_vae.experiments.recipes.results import Results
from seatbelt_vae.experiments.recipes.verdicts import Verdict


def _claims(results: Results) -> list[Verdict]:
    deep, high, found = results.scale.deep, results.scale.high, []
    for data in results.data:
        tc, both = {seatbelt(1, high): 1.0, seatbelt(1, 1): -1.0}, {seatbelt(deep, high): 1.0, seatbelt(1, high): -1.0}
        found.append(compared(results, "The KL of β-TCVAE falls with β", data, tc, "kl", rises=False))
        claim = "At high β the Seatbelt-VAE’s code holds more than the β-TCVAE’s"
        found.append(compared(results, claim, data, both, "kl", rises=True))
    return found


RECIPE = Recipe(
    name="kl-collapse",
    title="Appendix: KL against β",
    expected="The KL of β-TCVAE collapses with β; the Seatbelt-VAE’s does not.",
    points=curves,
    measures=("elbo", "active-units"),
    quantities=("kl", "layer_kl@bottom", "layer_kl@top"),
    drawings=(Drawing("lines", "kl"), Drawing("lines", "layer_kl@top")),
    claims=_claims,
)
