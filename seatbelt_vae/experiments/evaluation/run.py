"""Measure a run: each measurement made once for its settings, kept as soon as it is made, and found there again."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.evaluation.measurements import MEASUREMENTS, Measured, Measurement, chosen
from seatbelt_vae.experiments.evaluation.settings import EvaluationSettings
from seatbelt_vae.experiments.evaluation.subject import Subject
from seatbelt_vae.experiments.lock import hold
from seatbelt_vae.experiments.results import ORIGIN, without
from seatbelt_vae.experiments.store import EVALUATION, MEASURED, RunFolder
from seatbelt_vae.measures import MEASURES
from seatbelt_vae.notebook import rich
from seatbelt_vae.signals import finishing
from seatbelt_vae.storage import remove_temporaries
from seatbelt_vae.training import choose_device, seconds_spent

Known = dict[str, Any]


class Evaluation(Known):
    """What is known of a run, by the keys of `seatbelt_vae.measures`: a dictionary that notebooks show as a table."""

    def _repr_html_(self) -> str:
        """The single numbers with their units."""
        known = [key for key in MEASURES if isinstance(self.get(key), int | float)]
        names = [MEASURES[key].title for key in known]
        values = [f"{self[key]:.5g}" for key in known]
        units = [MEASURES[key].unit for key in known]
        return rich(f"Evaluation: {len(known)} numbers", {"measure": names, "value": values, "unit": units})


def run_evaluation(
    folder: RunFolder,
    settings: EvaluationSettings = EvaluationSettings(),  # noqa: B008
    *,
    device: str = "auto",
    say: Callable[[str], None] = lambda line: None,
    progress: bool = False,
) -> Evaluation:
    """Measure a trained model and keep the numbers in ``evaluation.json``.

    What has been measured with the same settings is not measured again, and what was interrupted costs only itself.

    Args:
        folder: the run.
        settings: what to measure, and how exactly.
        device: where to compute.
        say: called with a line before each measurement.
        progress: show bars on stderr.

    Returns:
        Everything known of the run by now: the numbers by the keys of `seatbelt_vae.measures`, each with its ``_error``
        where it has one; under ``measurements`` with which settings each was made, and in how many seconds; under
        ``quantities`` the unit of each and which way is better.

    Raises:
        InputError: the run is not finished, its data are gone, or it lacks what a measurement needs.
        RunError: another process is at work on the run.
        KeyboardInterrupt: Ctrl-C; what had been measured is kept.

    Example:
        ``run_evaluation(RunFolder.open("runs/a"), EvaluationSettings(("elbo", "noise")))["elbo"]``
    """
    model = folder.model().to(choose_device(device))
    subject = Subject(model, folder.split, settings, seconds_spent(folder.path), progress)
    wanted = chosen(settings, subject.has_factors)
    if settings.measures == "all" and not subject.has_factors:
        left_out = [each.name for each in MEASUREMENTS.values() if each.needs_factors]
        say(f"left out, as these data have no factors: {', '.join(left_out)}")
    evaluation = _known(folder)
    missing = [each for each in wanted if not _is_known(evaluation, each, settings)]
    if missing:
        with hold(folder.path):
            remove_temporaries(folder.path, EVALUATION)  # of processes that were killed
            remove_temporaries(folder.path / MEASURED)
            evaluation = _known(folder)
            for place, each in enumerate(missing, start=1):
                say(f"[{place}/{len(missing)}] {each.name}")
                evaluation = _make(folder, subject, each, evaluation)
    if settings.measures is None and settings.scales is None:
        evaluation = _completed(folder, evaluation, settings)
    return Evaluation(evaluation)


def is_evaluated(evaluation: Mapping[str, Any], settings: EvaluationSettings) -> bool:
    """Say whether `run_evaluation` would find everything made, without a look at the model or the data.

    Args:
        evaluation: what ``evaluation.json`` holds.
        settings: what is to be measured. Scales need names, as what is quick is noted for the usual scales only.

    Raises:
        InputError: scales without names.

    Example:
        >>> is_evaluated({}, EvaluationSettings("elbo"))
        False
    """
    if settings.measures is not None:
        return all(_is_known(evaluation, each, settings) for each in chosen(settings, has_factors=True))
    if settings.scales is not None:
        raise InputError("scales: need measures that name what is to be measured, such as noise")
    return evaluation.get("settings") == quick_settings(settings)


def quick_settings(settings: EvaluationSettings) -> Known:
    """What ``evaluation.json`` holds under ``settings`` once all that is quick was made with them."""
    return {
        "split": "test",
        "samples": settings.samples,
        "iwae_samples": settings.iwae_samples,
        "aggregate_samples": settings.aggregate_samples,
        "seed": settings.seed,
    }


def _make(folder: RunFolder, subject: Subject, measurement: Measurement, evaluation: Known) -> Known:
    """Make a measurement and keep it at once."""
    if measurement.name in evaluation.get("measurements", {}):  # its tensors are about to be replaced
        evaluation = without(evaluation, measurement.name)
        folder.save_evaluation(evaluation)
    started = time.perf_counter()
    try:
        measured = measurement.make(subject)
    except KeyboardInterrupt as stop:
        kept = "what was measured before is kept, the same command goes on"
        stop.args = (f"stopped in {measurement.name}; {kept}",)
        raise
    note = {
        "settings": _used(measurement, subject.settings),
        "seconds": round(time.perf_counter() - started, 3),
        "keys": list(measured.values),
        "tensors": bool(measured.tensors),
        ORIGIN: folder.origin(subject.device),
    }
    evaluation = _with(evaluation, measurement.name, measured, note)
    with finishing(f"stopped after {measurement.name}, which is kept; the same command goes on"):
        folder.save_measured(measurement.name, measured.tensors)
        folder.save_evaluation(evaluation)
    return evaluation


def _completed(folder: RunFolder, evaluation: Known, settings: EvaluationSettings) -> Known:
    """Note that all that is quick is known; whether that still holds is told by `without`."""
    quick = quick_settings(settings)
    if evaluation.get("settings") != quick:
        evaluation = {**evaluation, "settings": quick}
        folder.save_evaluation(evaluation)
    return evaluation


def _used(measurement: Measurement, settings: EvaluationSettings) -> dict[str, Any]:
    """The settings that decide a measurement, as JSON gives them back."""
    draws = settings.draws
    return {name: draws[name] for name in draws if name in measurement.uses}


def _known(folder: RunFolder) -> Known:
    """What the folder holds; numbers of a version that did not say how it came by them are left."""
    evaluation = folder.evaluation
    if isinstance(evaluation.get("measurements"), Mapping):
        return evaluation
    return {}


def _is_known(evaluation: Mapping[str, Any], measurement: Measurement, settings: EvaluationSettings) -> bool:
    made = evaluation.get("measurements", {}).get(measurement.name)
    return made is not None and made["settings"] == _used(measurement, settings)


def _with(evaluation: Mapping[str, Any], name: str, measured: Measured, note: Mapping[str, Any]) -> Known:
    values = {key: value for key, value in evaluation.items() if key not in ("measurements", "quantities")}
    for key, value in measured.values.items():
        values[key] = _finite(value)
    meaning = {}
    for key in values:
        if key in MEASURES:
            meaning[key] = {"unit": MEASURES[key].unit, "better": MEASURES[key].better}
    made = {**evaluation.get("measurements", {}), name: dict(note)}
    return {**values, "measurements": made, "quantities": meaning}


def _finite(value: Any) -> Any:
    """The value with None for what is no number, as JSON has none."""
    if isinstance(value, list):
        return [_finite(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
