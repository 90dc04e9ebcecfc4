"""Would a larger run decide otherwise? More examples for the total correlation, more steps, more pixels.

    seatbelt reproduce larger --scale laptop --data chairs.npz --out DIR

Expected: the paper does not say. It is not one of `all`, as it takes as long as the rest together.
Runtime: laptop: 15 models × 3 seeds, four to twelve minutes of one core each. Not for faces.
"""

from dataclasses import replace

from seatbelt_vae.experiments.recipes.conditions import Condition, study
from seatbelt_vae.experiments.recipes.scales import Scale


def conditions(scale: Scale) -> tuple[Condition, ...]:
    """What there could be more of; at the scale of the paper, less of some."""
    more = tuple(("objective.tc_samples", count) for count in scale.tc_more)
    return (
        (),
        *((each,) for each in more),
        (("objective.estimator", "leave-one-in"), more[0]),
        (("training.steps", 3 * scale.steps),),
        (("data.size", scale.size_more),),
    )


RECIPE = replace(
    study(
        "larger",
        "Would a larger run decide otherwise?",
        "not stated: the batch of the total correlation and the steps are the paper’s own, whatever they were.",
        conditions,
    ),
    in_all=False,
)
