"""All measurements of a trained model, by name. A new one is a file here and a line below."""

import difflib
from collections.abc import Sequence

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.evaluation.aggregate import MIG, TOTAL_CORRELATION
from seatbelt_vae.experiments.evaluation.codes import DCI, FACTOR_VAE_SCORE, SAP
from seatbelt_vae.experiments.evaluation.evidence import ACTIVE_UNITS, ELBO, IWAE
from seatbelt_vae.experiments.evaluation.images import IMAGE_QUALITY, TRAVERSALS
from seatbelt_vae.experiments.evaluation.measurement import Measurement, Quantity
from seatbelt_vae.experiments.evaluation.noise import NOISE
from seatbelt_vae.experiments.evaluation.subject import EvaluationSettings
from seatbelt_vae.experiments.evaluation.weights import TRAINING_TIME, WEIGHTS

MEASUREMENTS = {
    measurement.name: measurement
    for measurement in (
        ELBO,
        IWAE,
        IMAGE_QUALITY,
        ACTIVE_UNITS,
        TOTAL_CORRELATION,
        MIG,
        DCI,
        SAP,
        FACTOR_VAE_SCORE,
        NOISE,
        TRAVERSALS,
        WEIGHTS,
        TRAINING_TIME,
    )
}
"""Measurements by the name that ``--measure`` uses, in the order in which they are made."""


def quantities() -> dict[str, Quantity]:
    """Every number that a measurement gives, by its key in ``evaluation.json``.

    Example:
        >>> quantities()["elbo"].unit
        'nats'
    """
    return {quantity.key: quantity for measurement in MEASUREMENTS.values() for quantity in measurement.quantities}


def chosen(measures: str | Sequence[str] | None, settings: EvaluationSettings, has_factors: bool) -> list[Measurement]:
    """The measurements asked for, in the order in which they are made.

    Args:
        measures: names; ``"all"``; or None for the quick ones.
        settings: 0 ``aggregate_samples`` leave out what needs them, unless it is named; any ``iwae_samples`` make the
            importance bound one of the quick ones.
        has_factors: whether the data say what generated each image. Without, what needs that is left out, unless it is
            named.

    Raises:
        InputError: none is named, there is no such measurement, or one that is named needs factors.

    Example:
        >>> [each.name for each in chosen(["sap", "elbo"], EvaluationSettings(), has_factors=True)]
        ['elbo', 'sap']
    """
    if measures is None or measures == "all":
        bound = settings.iwae_samples > 0
        possible = [
            each
            for each in MEASUREMENTS.values()
            if measures == "all" or each.quick or (bound and "iwae_samples" in each.uses)
        ]
        possible = [each for each in possible if has_factors or not each.needs_factors]
        return [each for each in possible if settings.aggregate_samples or "aggregate_samples" not in each.uses]
    asked = [measures] if isinstance(measures, str) else list(measures)
    if not asked:
        raise InputError(f"measures: none was named, use all, or some of {', '.join(MEASUREMENTS)}")
    for name in asked:
        _check(name, has_factors)
    return [each for each in MEASUREMENTS.values() if each.name in asked]


def without_factors() -> list[str]:
    """Names of the measurements that need to know what generated each image."""
    return [each.name for each in MEASUREMENTS.values() if each.needs_factors]


def _check(name: str, has_factors: bool) -> None:
    if name not in MEASUREMENTS:
        near = difflib.get_close_matches(name, list(MEASUREMENTS), n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise InputError(f"measure: {name!r} is unknown{hint}, use all, or some of {', '.join(MEASUREMENTS)}")
    if MEASUREMENTS[name].needs_factors and not has_factors:
        raise InputError(f"measure: {name} needs to know what generated each image, and these data have no factors")
