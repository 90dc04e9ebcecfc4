"""What the claims depend on: estimator of the total correlation, free bits, posterior, and how an attack goes upwards.

    seatbelt reproduce dependence --scale laptop --data chairs.npz --out DIR

Expected: the paper does not say; its code, and what is known of its estimator, leave all of these open. A claim that
holds under one choice only is a finding about the choice.
Runtime: laptop: 14 models × 3 seeds, two to three minutes of one core each. Not for faces: one kind of images is enough
to see what matters.
"""

from dataclasses import replace

from seatbelt_vae.experiments.attacking import AttackSpec
from seatbelt_vae.experiments.recipes.attacks import strongest
from seatbelt_vae.experiments.recipes.conditions import Condition, study
from seatbelt_vae.experiments.recipes.point import Point, seatbelt
from seatbelt_vae.experiments.recipes.recipe import higher_under
from seatbelt_vae.experiments.recipes.results import Results
from seatbelt_vae.experiments.recipes.scales import Scale
from seatbelt_vae.experiments.recipes.verdicts import Verdict

SAMPLES = 4
"""Sets of noise, followed through the upper layers in the place of the means: common to source and target, or not."""


def conditions(scale: Scale) -> tuple[Condition, ...]:
    """What could have been chosen otherwise at the same cost."""
    return (
        (),
        (("objective.estimator", "mss"),),
        (("objective.estimator", "leave-one-in"),),
        *((("objective.free_bits", nats),) for nats in scale.free_more),
        (("model.posterior", "chain-x"),),
    )


def _attacks(scale: Scale, point: Point) -> tuple[AttackSpec, ...]:
    (means,) = strongest(scale, point)
    if point != seatbelt(scale.deep, scale.high):
        return (means,)
    common = means.model_copy(update={"samples": SAMPLES})
    return means, common, common.model_copy(update={"target_noise": "own"})


def _followed(results: Results) -> list[Verdict]:
    point = seatbelt(results.scale.deep, results.scale.high)
    means, common, own = _attacks(results.scale, point)
    stronger = "An attack that follows samples through the upper layers is stronger than one that follows the means"
    weaker = "Noise of its own for the target makes that attack weaker"
    return [
        higher_under(results, claim, data, point, "auddc", first, second, shown=shown)
        for data in results.data
        for claim, first, second, shown in ((stronger, means, common, common), (weaker, own, common, own))
    ]


STUDY = study(
    "dependence",
    "What the claims depend on",
    "not stated: estimator, free bits and the attack’s way upwards are the paper’s own, whatever they were.",
    conditions,
)
RECIPE = replace(STUDY, attacks=_attacks, claims=lambda results: [*STUDY.claims(results), *_followed(results)])
