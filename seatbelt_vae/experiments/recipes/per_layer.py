"""Appendix: attacks on one layer alone.

    seatbelt reproduce per-layer --scale laptop --data chairs.npz --out DIR

Expected: against a Seatbelt-VAE the attack on all layers gains most.
Runtime: two more attacks on each of the hierarchical models.
"""

from seatbelt_vae.experiments.attacking import AttackSpec
from seatbelt_vae.experiments.recipes.attacks import PATH, attacks
from seatbelt_vae.experiments.recipes.point import Point, seatbelt
from seatbelt_vae.experiments.recipes.recipe import Recipe, higher_under
from seatbelt_vae.experiments.recipes.results import Results
from seatbelt_vae.experiments.recipes.scales import Scale
from seatbelt_vae.experiments.recipes.verdicts import Verdict

LAYERS = (None, "bottom", "top")  # None: those that the decoder sees, which are all


def _points(scale: Scale) -> tuple[Point, ...]:
    return tuple(seatbelt(scale.deep, beta) for beta in (1, scale.high))


def _attacks(scale: Scale, point: Point) -> tuple[AttackSpec, ...]:
    return attacks(scale, ("latent",), (PATH,), LAYERS)


def _claims(results: Results) -> list[Verdict]:
    found = []
    for data in results.data:
        for point in _points(results.scale):
            every, *single = _attacks(results.scale, point)
            for one in single:
                claim = f"Attacking all layers gains more than the {one.layers} layer alone: {point.label}"
                found.append(higher_under(results, claim, data, point, "success_at_0.5", every, one, shown=every))
    return found


RECIPE = Recipe(
    name="per-layer",
    title="Appendix: attacks by layer",
    expected="Attacking all layers gains most against a Seatbelt-VAE.",
    points=_points,
    attacks=_attacks,
    quantities=("success_at_0.5", "auddc"),
    claims=_claims,
)
