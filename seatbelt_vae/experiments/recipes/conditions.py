"""One comparison under one condition after the other: at high β, is either model harder to fool than a VAE?"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from seatbelt_vae.experiments.recipes.attacks import strongest
from seatbelt_vae.experiments.recipes.paper import kind_of_data
from seatbelt_vae.experiments.recipes.point import Point, Setting, setting_words
from seatbelt_vae.experiments.recipes.recipe import Drawing, Recipe, more_robust
from seatbelt_vae.experiments.recipes.results import Results
from seatbelt_vae.experiments.recipes.scales import Scale
from seatbelt_vae.experiments.recipes.verdicts import Verdict

Condition = tuple[Setting, ...]
"""What is set otherwise than at the scale; nothing for what the other figures show."""

WITHOUT_TC = {"objective.free_bits", "training.steps", "data.size"}
"""Settings that change a VAE too, whose ELBO knows no total correlation."""


def study(name: str, title: str, expected: str, conditions: Callable[[Scale], Sequence[Condition]]) -> Recipe:
    """The recipe that makes the comparison under all of a scale's conditions; one kind of images is enough for it."""
    return Recipe(
        name=name,
        title=title,
        expected=expected,
        points=lambda scale: points_under(scale, conditions(scale)),
        measures=("elbo",),
        attacks=strongest,
        quantities=("success_at_0.5", "auddc", "objective", "elbo", "kl", "layer_kl@top"),
        drawings=tuple(Drawing("effects", quantity) for quantity in ("auddc", "success_at_0.5", "objective")),
        claims=lambda results: claims_under(results, conditions(results.scale)),
        suits=lambda data, factors: kind_of_data(data) not in ("faces", "celeba"),
    )


def compared_with(scale: Scale, condition: Condition) -> tuple[Point, Point, Point | None]:
    """The VAE, the Seatbelt-VAE and the β-TCVAE of a condition; without upper layers there is no posterior to choose.

    A VAE is trained on its ELBO, whatever the estimator: it is the scale's own there.
    """
    names = {name for name, _ in condition}
    own = condition if names & WITHOUT_TC else ()
    tcvae = None if "model.posterior" in names else Point("beta-tcvae", 1, scale.high, condition)
    return Point("beta-tcvae", 1, 1, own), Point("seatbelt", scale.deep, scale.high, condition), tcvae


def points_under(scale: Scale, conditions: Sequence[Condition]) -> tuple[Point, ...]:
    """What is trained, each once."""
    every = (point for condition in conditions for point in compared_with(scale, condition) if point)
    return tuple(dict.fromkeys(every))


def claims_under(results: Results, conditions: Sequence[Condition]) -> list[Verdict]:
    """Decide under each condition, in the strongest attack, whether a model is harder to fool than the VAE."""
    found = []
    for condition in conditions:
        vae, deep, tcvae = compared_with(results.scale, condition)
        chosen = setting_words(condition) or "as in the other figures"
        for point, name in ((tcvae, "β-TCVAE"), (deep, "Seatbelt-VAE")):
            if point:
                claim = f"{name} at high β is harder to fool than a VAE: {chosen}"
                verdicts = more_robust(results, claim, {point: 1.0, vae: -1.0}, attacks=strongest)
                found += [replace(verdict, whose=f"{name} against a VAE", condition=chosen) for verdict in verdicts]
    return found
