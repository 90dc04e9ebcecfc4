"""Figure 8: robustness to noise: log p(x|z*) of the clean x, z* encoded from x + noise.

    seatbelt reproduce fig8 --scale laptop --data chairs.npz --out DIR

Expected: noise costs less with high β, least in the Seatbelt-VAE.
Runtime: no attacks; the trainings are those of fig7.
"""

from seatbelt_vae.experiments.recipes.point import curves, seatbelt
from seatbelt_vae.experiments.recipes.recipe import Drawing, Recipe, compared
from seatbelt_vae.experiments.recipes.results import Results
from seatbelt_vae.experiments.recipes.verdicts import Verdict

SCALES = (0.2, 0.5, 1.0)


def noise_claims(results: Results, scales: tuple[float, ...]) -> list[Verdict]:
    """Decide whether noise of these scales costs less with high β."""
    high, found = results.scale.high, []
    for data in results.data:
        for layers, model in ((1, "β-TCVAE"), (results.scale.deep, "Seatbelt-VAE")):
            weights = {seatbelt(layers, high): 1.0, seatbelt(layers, 1): -1.0}
            claim = f"Robustness to noise grows with β: {model}"
            found += [compared(results, claim, data, weights, f"noise_drop@{scale:g}") for scale in scales]
    return found


RECIPE = Recipe(
    name="fig8",
    title="Figure 8: noise",
    expected="Noise takes less from log p(x|z*) the larger β, least in the Seatbelt-VAE.",
    points=curves,
    measures=("noise",),
    quantities=tuple(f"noise_drop@{scale:g}" for scale in SCALES),
    drawings=(Drawing("noise"), Drawing("lines", "noise_drop@0.5")),
    claims=lambda results: noise_claims(results, SCALES),
)
