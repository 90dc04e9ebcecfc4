"""Figure 3: the ELBO, without the penalty, against β.

    seatbelt reproduce fig3 --scale laptop --data chairs.npz --out DIR

Expected: both fall with β, the Seatbelt-VAE's more slowly: −1380 against −2160 nats at β = 10 on Chairs (64×64).
Runtime: no attacks; the trainings are those of fig7.
"""

from seatbelt_vae.experiments.recipes.point import curves, seatbelt
from seatbelt_vae.experiments.recipes.recipe import Drawing, Recipe, compared
from seatbelt_vae.experiments.recipes.results import Results
from seatbelt_vae.experiments.recipes.verdicts import Verdict


def _claims(results: Results) -> list[Verdict]:
    deep, high = results.scale.deep, results.scale.high
    fall = {seatbelt(deep, high): 1.0, seatbelt(deep, 1): -1.0, seatbelt(1, high): -1.0, seatbelt(1, 1): 1.0}
    claim = "The ELBO falls more slowly with β for the Seatbelt-VAE than for the β-TCVAE"
    return [compared(results, claim, data, fall, "elbo") for data in results.data]


RECIPE = Recipe(
    name="fig3",
    title="Figure 3: ELBO against β",
    expected="From β = 1 to 10 on Chairs the ELBO falls by 1770 nats for β-TCVAE, by 1020 for Seatbelt-VAE.",
    points=curves,
    measures=("elbo",),
    quantities=("elbo", "log_likelihood", "kl"),
    drawings=(Drawing("lines", "elbo"),),
    claims=_claims,
)
