"""What the claims depend on: estimator of the total correlation, its examples, free bits, steps, posterior, image size.

    seatbelt reproduce dependence --scale laptop --data chairs.npz --out DIR

Expected: the paper does not say; its code, and what is known of its estimator, leave all of these open. A claim that
holds under one choice only is a finding about the choice.
Runtime: the dearest recipe. Laptop: 26 models × 3 seeds, two to ten minutes of one core each. Not for faces: one kind
of images is enough to see what matters.
"""

from dataclasses import replace

from seatbelt_vae.experiments.attacking import AttackSpec
from seatbelt_vae.experiments.recipes.attacks import strongest
from seatbelt_vae.experiments.recipes.paper import kind_of_data
from seatbelt_vae.experiments.recipes.point import Point, Setting, seatbelt, setting_words
from seatbelt_vae.experiments.recipes.recipe import Drawing, Recipe, higher_under, more_robust
from seatbelt_vae.experiments.recipes.results import Results
from seatbelt_vae.experiments.recipes.scales import Scale
from seatbelt_vae.experiments.recipes.verdicts import Verdict

SAMPLES = 4
"""Sets of noise, followed through the upper layers in the place of the means: common to source and target, or not."""

WITHOUT_TC = {"objective.free_bits", "training.steps", "data.size"}
"""Settings that change a VAE too, whose ELBO knows no total correlation."""


def choices(scale: Scale) -> tuple[tuple[Setting, ...], ...]:
    """What is set otherwise than at the scale, one choice after the other; the first is the scale's own."""
    more = [("objective.tc_samples", count) for count in scale.tc_more]
    one_in = ("objective.estimator", "leave-one-in")
    return (
        (),
        *((each,) for each in more),
        (("objective.estimator", "mss"),),
        (one_in,),
        (one_in, more[0]),
        *((("objective.free_bits", nats),) for nats in scale.free_more),
        (("training.steps", 3 * scale.steps),),
        (("model.posterior", "chain-x"),),
        (("data.size", scale.size_more),),
    )


def compared_with(scale: Scale, settings: tuple[Setting, ...]) -> tuple[Point, Point, Point | None]:
    """The VAE, the Seatbelt-VAE and the β-TCVAE of a choice; without upper layers there is no posterior to choose.

    A VAE is trained on its ELBO, whatever the estimator: it is the scale's own there.
    """
    names = {name for name, _ in settings}
    own = settings if names & WITHOUT_TC else ()
    tcvae = None if "model.posterior" in names else Point("beta-tcvae", 1, scale.high, settings)
    return Point("beta-tcvae", 1, 1, own), Point("seatbelt", scale.deep, scale.high, settings), tcvae


def _points(scale: Scale) -> tuple[Point, ...]:
    every = (point for settings in choices(scale) for point in compared_with(scale, settings) if point)
    return tuple(dict.fromkeys(every))


def _attacks(scale: Scale, point: Point) -> tuple[AttackSpec, ...]:
    (means,) = strongest(scale, point)
    if point != seatbelt(scale.deep, scale.high):
        return (means,)
    common = means.model_copy(update={"samples": SAMPLES})
    return means, common, common.model_copy(update={"target_noise": "own"})


def _claims(results: Results) -> list[Verdict]:
    found = []
    for settings in choices(results.scale):
        vae, deep, tcvae = compared_with(results.scale, settings)
        chosen = setting_words(settings) or "as in the other figures"
        for point, name in ((tcvae, "β-TCVAE"), (deep, "Seatbelt-VAE")):
            if point:
                claim = f"{name} at high β is harder to fool than a VAE: {chosen}"
                verdicts = more_robust(results, claim, {point: 1.0, vae: -1.0}, attacks=strongest)
                found += [replace(verdict, whose=f"{name} against a VAE", condition=chosen) for verdict in verdicts]
    return [*found, *_followed(results)]


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


RECIPE = Recipe(
    name="dependence",
    title="What the claims depend on",
    expected="not stated: estimator, batch, free bits and steps are the paper’s own, whatever they were.",
    points=_points,
    measures=("elbo",),
    attacks=_attacks,
    quantities=("success_at_0.5", "auddc", "objective", "elbo", "kl", "layer_kl@top"),
    drawings=(Drawing("effects", "auddc"), Drawing("effects", "success_at_0.5"), Drawing("effects", "objective")),
    claims=_claims,
    suits=lambda data, factors: kind_of_data(data) not in ("faces", "celeba"),
)
