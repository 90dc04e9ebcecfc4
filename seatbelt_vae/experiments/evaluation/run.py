"""Measure a run: each measurement made once for its settings, kept as soon as it is made, and found there again."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.claim import hold
from seatbelt_vae.experiments.evaluation.catalogue import chosen, quantities, without_factors
from seatbelt_vae.experiments.evaluation.measurement import Measured, Measurement
from seatbelt_vae.experiments.evaluation.subject import EvaluationSettings, Subject
from seatbelt_vae.experiments.store import RunFolder
from seatbelt_vae.training import choose_device, seconds_spent

IWAE_SAMPLES = EvaluationSettings().iwae_samples


def run_evaluation(
    folder: RunFolder,
    measures: str | Sequence[str] | None = None,
    *,
    samples: int = 1,
    iwae_samples: int = 0,
    aggregate_samples: int = 1000,
    scales: Sequence[float] | None = None,
    seed: int = 0,
    device: str = "auto",
    say: Callable[[str], None] = lambda line: None,
    progress: bool = False,
) -> dict[str, Any]:
    """Measure a trained model and keep the numbers in ``evaluation.json``.

    What has been measured with the same settings is not measured again, and what was interrupted costs only itself.

    Args:
        folder: the run.
        measures: names of `MEASUREMENTS`; ``"all"`` that the data allow; None for those that are quick.
        samples: draws of z for each image.
        iwae_samples: draws for the importance bound; 0 leaves it out, unless it is named (then 64).
        aggregate_samples: samples at which the aggregate posterior of the top layer over all *training* images is
            evaluated; 0 leaves out what follows from it, unless it is named (then 1000).
        scales: standard deviations of the noise, for data in [−1, 1].
        seed: of all draws.
        device: where to compute.
        say: called with a line before each measurement.
        progress: show bars on stderr.

    Returns:
        Everything known of the run by now: the numbers by the keys of `quantities`, each with its ``_error`` where it
        has one; under ``measurements`` with which settings each was made, and in how many seconds; under ``quantities``
        the unit of each and which way is better.

    Raises:
        InputError: the run is not finished, its data are gone, or a name or setting is wrong.
        RunError: another process is at work on the run.
        KeyboardInterrupt: Ctrl-C; what had been measured is kept.

    Example:
        ``run_evaluation(RunFolder.open("runs/a"), ["elbo", "noise"])["elbo"]``
    """
    settings = _settings(samples, iwae_samples, aggregate_samples, scales, seed)
    model = folder.model().to(choose_device(device))
    subject = Subject(model, folder.split, settings, seconds_spent(folder.path), progress)
    asked = replace(settings, iwae_samples=iwae_samples, aggregate_samples=aggregate_samples)
    wanted = chosen(measures, asked, subject.has_factors)
    if measures == "all" and not subject.has_factors:
        say(f"left out, as these data have no factors: {', '.join(without_factors())}")
    evaluation = _known(folder)
    missing = [each for each in wanted if not _is_known(evaluation, each, settings)]
    if missing:
        with hold(folder.path):
            evaluation = _known(folder)
            for place, each in enumerate(missing, start=1):
                say(f"[{place}/{len(missing)}] {each.name}")
                evaluation = _make(folder, subject, each, evaluation)
    if measures is None and scales is None:
        evaluation = _completed(folder, evaluation, asked)
    return evaluation


def _make(folder: RunFolder, subject: Subject, measurement: Measurement, evaluation: dict[str, Any]) -> dict[str, Any]:
    """Make a measurement and keep it at once."""
    if measurement.name in evaluation.get("measurements", {}):  # its tensors are about to be replaced
        evaluation = _without(evaluation, measurement)
        folder.save_evaluation(evaluation)
    started = time.perf_counter()
    try:
        measured = measurement.make(subject)
    except KeyboardInterrupt:
        kept = "what was measured before is kept, the same command goes on"
        raise KeyboardInterrupt(f"stopped in {measurement.name}; {kept}") from None
    evaluation = _with(evaluation, measurement, measured, subject.settings, time.perf_counter() - started)
    folder.save_measured(measurement.name, measured.tensors)
    folder.save_evaluation(evaluation)
    return evaluation


def evaluation_settings(
    *, samples: int = 1, iwae_samples: int = 0, aggregate_samples: int = 1000, seed: int = 0
) -> dict[str, Any]:
    """What ``evaluation.json`` holds under ``settings`` once `run_evaluation` has made all that is quick with them."""
    draws = {"samples": samples, "iwae_samples": iwae_samples, "aggregate_samples": aggregate_samples}
    return {"split": "test", **draws, "seed": seed}


def is_evaluated(
    evaluation: Mapping[str, Any],
    measures: Sequence[str] | None = None,
    *,
    samples: int = 1,
    iwae_samples: int = 0,
    aggregate_samples: int = 1000,
    scales: Sequence[float] | None = None,
    seed: int = 0,
) -> bool:
    """Say whether `run_evaluation` would find everything made, without a look at the model or the data.

    Args:
        evaluation: what ``evaluation.json`` holds.
        measures: names of `MEASUREMENTS`; None for those that are quick.
        samples: as `run_evaluation` takes it, and so the rest.
        iwae_samples: see there.
        aggregate_samples: see there.
        scales: see there; not without names, as what is quick is noted for the usual scales only.
        seed: see there.

    Raises:
        InputError: a name or setting is wrong.

    Example:
        >>> is_evaluated({}, ["elbo"])
        False
    """
    settings = _settings(samples, iwae_samples, aggregate_samples, scales, seed)
    if measures is not None:
        return all(_is_known(evaluation, each, settings) for each in chosen(measures, settings, has_factors=True))
    if scales is not None:
        raise InputError("scales: need measures that name what is to be measured, such as noise")
    draws = {"samples": samples, "iwae_samples": iwae_samples, "aggregate_samples": aggregate_samples}
    return evaluation.get("settings") == evaluation_settings(**draws, seed=seed)


def _completed(folder: RunFolder, evaluation: dict[str, Any], asked: EvaluationSettings) -> dict[str, Any]:
    """Note that all that is quick is known; whether that still holds is told by `_without`."""
    draws = ("samples", "iwae_samples", "aggregate_samples", "seed")
    settings = evaluation_settings(**{name: getattr(asked, name) for name in draws})
    if evaluation.get("settings") != settings:
        evaluation = {**evaluation, "settings": settings}
        folder.save_evaluation(evaluation)
    return evaluation


def _settings(
    samples: int, iwae_samples: int, aggregate_samples: int, scales: Sequence[float] | None, seed: int
) -> EvaluationSettings:
    for name, value, least in (
        ("samples", samples, 1),
        ("iwae_samples", iwae_samples, 0),
        ("aggregate_samples", aggregate_samples, 0),
    ):
        if value < least:
            raise InputError(f"{name}: {value} is too small, use {least} or more")
    settings = EvaluationSettings(samples=samples, seed=seed)
    settings = replace(settings, iwae_samples=iwae_samples or settings.iwae_samples)
    settings = replace(settings, aggregate_samples=aggregate_samples or settings.aggregate_samples)
    if scales is None:
        return settings
    if not scales or not all(math.isfinite(scale) and scale > 0 for scale in scales):
        raise InputError(f"scales: {list(scales)} must be one or more numbers above 0")
    return replace(settings, scales=tuple(sorted(set(scales))))


def _used(measurement: Measurement, settings: EvaluationSettings) -> dict[str, Any]:
    """The settings that decide a measurement, as JSON gives them back."""
    values = asdict(settings)
    return {name: list(v) if isinstance(v := values[name], tuple) else v for name in measurement.uses}


def _known(folder: RunFolder) -> dict[str, Any]:
    """What the folder holds; numbers of a version that did not say how it came by them are left."""
    evaluation = folder.evaluation
    return evaluation if isinstance(evaluation.get("measurements"), Mapping) else {}


def _is_known(evaluation: Mapping[str, Any], measurement: Measurement, settings: EvaluationSettings) -> bool:
    made = evaluation.get("measurements", {}).get(measurement.name)
    return made is not None and made["settings"] == _used(measurement, settings)


def _without(evaluation: Mapping[str, Any], measurement: Measurement) -> dict[str, Any]:
    made = dict(evaluation.get("measurements", {}))
    old = [*made.pop(measurement.name, {}).get("keys", []), "settings"]
    return {key: value for key, value in evaluation.items() if key not in old} | {"measurements": made}


def _with(
    evaluation: Mapping[str, Any],
    measurement: Measurement,
    measured: Measured,
    settings: EvaluationSettings,
    seconds: float,
) -> dict[str, Any]:
    known = quantities()
    made = dict(evaluation.get("measurements", {}))
    made[measurement.name] = {
        "settings": _used(measurement, settings),
        "seconds": round(seconds, 3),
        "keys": list(measured.values),
    }
    values = {key: value for key, value in evaluation.items() if key not in ("measurements", "quantities")}
    values |= {key: _finite(value) for key, value in measured.values.items()}
    meaning = {key: {"unit": known[key].unit, "better": known[key].better} for key in values if key in known}
    return {**values, "measurements": made, "quantities": meaning}


def _finite(value: Any) -> Any:
    """The value with None for what is no number, as JSON has none."""
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
