"""Table 1: how the L2 norms of encoder and decoder change from β = 1 to 10.

    seatbelt reproduce table1 --scale laptop --data chairs.npz --out DIR

Expected: the encoder's up (β-TCVAE on Chairs +5.0 %, Seatbelt-VAE +1.0 %), the decoder's down (−19.4 %, −7.6 %).
Runtime: no attacks; the trainings are those of fig7.
"""

from seatbelt_vae.experiments.recipes.paper import WEIGHTS, kind_of_data
from seatbelt_vae.experiments.recipes.point import Point, seatbelt
from seatbelt_vae.experiments.recipes.recipe import Recipe, compared
from seatbelt_vae.experiments.recipes.results import Results
from seatbelt_vae.experiments.recipes.scales import Scale
from seatbelt_vae.experiments.recipes.verdicts import Verdict


def _points(scale: Scale) -> tuple[Point, ...]:
    return tuple(seatbelt(layers, beta) for layers in (1, scale.deep) for beta in (1, scale.high))


def _claims(results: Results) -> list[Verdict]:
    found = []
    for data in results.data:
        for part, rises in (("encoder", True), ("decoder", False)):
            for layers in (1, results.scale.deep):
                high, one = seatbelt(layers, results.scale.high), seatbelt(layers, 1)
                claim = f"The {part}’s norm {'rises' if rises else 'falls'} with β: {high.family}"
                size = WEIGHTS.get((kind_of_data(data), part, high.model))
                key = f"weight_norms.{part}"
                found.append(compared(results, claim, data, {high: 1.0, one: -1.0}, key, rises=rises, size=size))
    return found


RECIPE = Recipe(
    name="table1",
    title="Table 1: weights",
    expected="The encoder’s norm rises with β, the decoder’s falls; less so in the Seatbelt-VAE.",
    points=_points,
    measures=("weights",),
    quantities=("weight_norms.encoder", "weight_norms.decoder"),
    claims=_claims,
)
