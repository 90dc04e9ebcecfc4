"""One comparison under one condition after the other: at high β, is either model harder to fool than a VAE?"""

from collections.abc import Iterator, Sequence

from seatbelt_vae.reproduction.claims import Contrast
from seatbelt_vae.reproduction.points import Point, Setting, setting_words
from seatbelt_vae.reproduction.scales import Scale

Condition = tuple[Setting, ...]
"""What is set otherwise than at the scale; nothing for what the other figures show."""

WITHOUT_TC = {"objective.free_bits", "training.steps", "data.size"}
"""Settings that change a VAE too, whose ELBO knows no total correlation."""


def chosen(scale: Scale) -> tuple[Condition, ...]:
    """What could have been chosen otherwise at the same cost."""
    free_bits = [(("objective.free_bits", nats),) for nats in scale.free_more]
    return (
        (),
        (("objective.estimator", "mss"),),
        (("objective.estimator", "leave-one-in"),),
        *free_bits,
        (("model.posterior", "chain-x"),),
    )


def more(scale: Scale) -> tuple[Condition, ...]:
    """What there could be more of; at the scale of the paper, less of some."""
    samples = [("objective.tc_samples", count) for count in scale.tc_more]
    return (
        (),
        *((each,) for each in samples),
        (("objective.estimator", "leave-one-in"), samples[0]),
        (("training.steps", 3 * scale.steps),),
        (("data.size", scale.size_more),),
    )


def points(scale: Scale, conditions: Sequence[Condition]) -> tuple[Point, ...]:
    """What is trained, each once."""
    found: dict[Point, None] = {}
    for condition in conditions:
        found[_vae(condition)] = None
        for _, model in _models(scale, condition):
            found[model] = None
    return tuple(found)


def claims(scale: Scale, conditions: Sequence[Condition]) -> tuple[Contrast, ...]:
    """Under each condition, that a model is harder to fool than the VAE."""
    found = []
    for condition in conditions:
        words = setting_words(condition) or "as in the other figures"
        models = list(_models(scale, condition))
        for name, model in reversed(models):
            found.append(
                Contrast(
                    f"{name} at high β is harder to fool than a VAE: {words}",
                    {model: 1, _vae(condition): -1},
                    whose=f"{name} against a VAE",
                    condition=words,
                )
            )
    return tuple(found)


def _vae(condition: Condition) -> Point:
    """The VAE of a condition. It is trained on its ELBO, whatever the estimator: it is the scale's own there."""
    names = {name for name, _ in condition}
    if names & WITHOUT_TC:
        return Point("beta-tcvae", 1, 1, condition)
    return Point("beta-tcvae", 1, 1)


def _models(scale: Scale, condition: Condition) -> Iterator[tuple[str, Point]]:
    """The Seatbelt-VAE and the β-TCVAE; without upper layers there is no posterior to choose."""
    yield "Seatbelt-VAE", Point("seatbelt", scale.deep, scale.high, condition)
    if not any(name == "model.posterior" for name, _ in condition):
        yield "β-TCVAE", Point("beta-tcvae", 1, scale.high, condition)
