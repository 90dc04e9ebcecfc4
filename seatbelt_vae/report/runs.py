"""What a report shows: trained models, and the attacks on them arranged so that like stands beside like."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.robustness import success_is_defined
from seatbelt_vae.report.scope import BOOKKEEPING, Scope

if TYPE_CHECKING:
    from torch import Tensor

    from seatbelt_vae.attacks.result import AttackResult
    from seatbelt_vae.experiments.assessment import Assessment
    from seatbelt_vae.experiments.damage import DamageAssessment

Array = NDArray[np.float64]

DIVERGENCES = {
    "kl": "KL",
    "reverse-kl": "reverse KL",
    "skl": "symmetric KL",
    "w2": "2-Wasserstein",
    "l2-means": "L2 of means",
    "l2-samples": "L2 of samples",
    "l2": "L2",
}
BALLS = {"l2": "L2", "linf": "L∞"}


@dataclass(frozen=True)
class ReportRun:
    """One trained model and everything measured on it.

    Args:
        name: the run's name (its folder), shown in the provenance.
        label: the model's short name in tables and legends, such as ``"Seatbelt-VAE"``.
        spec: what was asked for (model, objective, data and its digest, seeds, versions), nested as in spec.json.
        evaluation: clean measurements: numbers in nats, or lists per layer, bottom first (``elbo``, ``layer_kl`` …);
            a measurement with an interval is a mapping of ``value``, ``low`` and ``high``.
        history: the rows of metrics.jsonl, each with its ``step``.
        attacks: attacks and what each gained; the first of a mode and divergence is the main one, others of the
            kind are named by the settings in which they differ from it.
        damages: damage attacks and what each did.
        measured: tensors of measurements by name: ``noise`` (log_likelihood, clean), ``traversals``.
        environment: where it was trained: a record for each sitting, with versions, platform, device and threads.
    """

    name: str
    label: str
    spec: Mapping[str, Any]
    evaluation: Mapping[str, Any]
    history: Sequence[Mapping[str, float]]
    attacks: Sequence[tuple[AttackResult, Assessment]]
    damages: Sequence[tuple[AttackResult, DamageAssessment]] = ()
    measured: Mapping[str, Mapping[str, Tensor]] = field(default_factory=dict)
    environment: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Trial:
    """One model under one attack; ``slot`` is the model's place in the report, which fixes its colour everywhere."""

    run: ReportRun
    slot: int
    result: AttackResult
    assessment: Assessment

    @property
    def label(self) -> str:
        """The model's name in legends."""
        return self.run.label

    @property
    def scope(self) -> Scope:
        """The layers at which the attack aimed."""
        return Scope.of(self.result.settings, self.run.spec)

    @property
    def usual(self) -> bool:
        """Whether these are the layers that the decoder sees."""
        return self.scope.usual

    @property
    def lambdas(self) -> Array:
        """The weights λ of the distortion, or the radii ε of the balls, (K,)."""
        return array(self.result.lambdas)

    @property
    def objective(self) -> Array:
        """What the attack reached, Δ in nats (or the divergence's unit), (P, K)."""
        return array(self.result.objective)

    @property
    def distortion(self) -> Array:
        """‖d‖, un-squared L2 over the image in units of pixel values, (P, K)."""
        return array(self.result.distortion)

    @property
    def relative_distortion(self) -> Array:
        """‖d‖ / ‖x − x_t‖, (P, K)."""
        return array(self.assessment.relative_distortion)

    @property
    def success(self) -> Array:
        """Success s of SPEC §3, (P, K): 0 nothing gained, 1 as good as encoding the target."""
        return array(self.assessment.success)

    @property
    def defined(self) -> NDArray[np.bool_]:
        """Whether success is defined for a pair: encoding the target must bring its reconstruction nearer, (P,)."""
        mask = success_is_defined(
            self.assessment.source_reconstruction, self.assessment.target_reconstruction, self.result.target
        )
        return np.asarray(mask.cpu())

    @property
    def target_nll(self) -> Array:
        """−log p(x_t|z*) in nats, (P, K)."""
        return array(self.assessment.target_nll)

    @property
    def bounds(self) -> tuple[float, float]:
        """The range of the images' values."""
        low, high = self.result.settings.get("bounds", (0.0, 1.0))
        return float(low), float(high)


@dataclass(frozen=True)
class Comparison:
    """The same attack on the same pairs, on one or more models.

    Args:
        key: a name for files and anchors, such as ``"latent-kl"``.
        title: the same in words.
        trials: one for each model attacked, in the order of the report's runs.
    """

    key: str
    title: str
    trials: tuple[Trial, ...]

    @property
    def weight(self) -> str:
        """What the attack was repeated over: the weight λ of the distortion, or the radius ε of its ball."""
        return "ε" if self.trials[0].result.settings.get("ball") else "λ"

    @property
    def pairs(self) -> int:
        """The number P of source and target pairs."""
        return int(self.trials[0].result.source.shape[0])


def array(tensor: Tensor) -> Array:
    """A tensor as a float64 array, wherever it lies.

    Example:
        >>> import torch
        >>> array(torch.tensor([1, 2]))
        array([1., 2.])
    """
    return np.asarray(tensor.detach().cpu().double().numpy())


def data_name(run: ReportRun) -> str:
    """What the images are called: the name of the data, or of their file without its folder and ending."""
    return Path(str(run.spec.get("data", {}).get("name", "unnamed data"))).stem


def labelled(runs: Sequence[ReportRun]) -> tuple[ReportRun, ...]:
    """The runs with labels that differ: where two models share one, the run's name is added.

    Raises:
        InputError: there is no run, or two runs share their name and label.
    """
    if not runs:
        raise InputError("report: no run was given; name at least one run folder")
    labels = [run.label for run in runs]
    distinct = tuple(
        replace(run, label=f"{run.label} ({run.name})") if labels.count(run.label) > 1 else run for run in runs
    )
    names = [run.label for run in distinct]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"report: two runs are called {name}; give each run once")
    return distinct


def comparisons(runs: Sequence[ReportRun]) -> tuple[Comparison, ...]:
    """Put attacks with the same mode, divergence, layers and pairs side by side.

    Different pairs never share a comparison: their numbers may not be set against each other. An attack on some layers
    alone stands here only where the run has no such attack on those that its decoder sees;
    `seatbelt_vae.report.layers` sets the two against each other.

    Args:
        runs: the models, in the report's order.

    Returns:
        One comparison for each kind of attack and set of pairs, in the order in which they are met.
    """
    gathered: dict[tuple[str, str, str], list[Trial]] = {}
    for slot, run in enumerate(runs):
        trials = [(kind, Trial(run, slot, *attacked)) for *kind, attacked in _keyed(run)]
        whole = {(pairs_digest(trial.result), *kind_of(trial.result.settings)) for _, trial in trials if trial.usual}
        for (key, title), trial in trials:
            digest = pairs_digest(trial.result)
            if trial.usual or (digest, *kind_of(trial.result.settings)) not in whole:
                gathered.setdefault((key, title, digest), []).append(trial)
    return tuple(_comparison(kind, trials, list(gathered)) for kind, trials in gathered.items())


def pairs_digest(result: AttackResult) -> str:
    """A digest of the source and target images themselves (12 hexadecimal digits)."""
    digest = hashlib.sha256()
    for images in (result.source, result.target):
        digest.update(np.ascontiguousarray(array(images).astype(np.float32)).tobytes())
    return digest.hexdigest()[:12]


def _keyed(run: ReportRun) -> list[tuple[str, str, tuple[AttackResult, Assessment]]]:
    """Key and title of each of a run's attacks; a later one of a kind is named by what it does otherwise."""
    named: list[tuple[str, str, tuple[AttackResult, Assessment]]] = []
    first: dict[str, Mapping[str, Any]] = {}
    seen: set[str] = set()
    for attacked in run.attacks:
        settings = attacked[0].settings
        scope = Scope.of(settings, run.spec)
        key, title = kind_of(settings)
        if not scope.usual:
            key, title = f"{key}-{scope.key}", f"{title} on {scope.words}"
        kind = f"{key} {pairs_digest(attacked[0])}"
        if kind in first:
            otherwise = differences(settings, first[kind])
            key, title = slug(f"{key}-{otherwise}"), f"{title}, {otherwise}"
        if f"{key} {pairs_digest(attacked[0])}" in seen:
            raise InputError(f"report: {run.name} holds two attacks that are both “{title}”; keep one of them")
        first.setdefault(kind, settings)
        seen.add(f"{key} {pairs_digest(attacked[0])}")
        named.append((key, title, attacked))
    return named


def differences(settings: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """The settings that are not those of another attack, in words; its layers and pairs are told otherwise.

    Example:
        >>> differences({"bounds": [0, 1], "seed": 0, "layers": [0]}, {"bounds": [-1, 1], "seed": 0})
        'bounds 0 1'
    """
    others = {name: value for name, value in settings.items() if name not in BOOKKEEPING}
    return ", ".join(f"{name} {_words(value)}" for name, value in others.items() if value != other.get(name))


def _words(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def slug(words: str) -> str:
    """Words as the name of a file.

    Example:
        >>> slug("latent-kl-seed 1")
        'latent-kl-seed-1'
    """
    return re.sub(r"[^a-z0-9.]+", "-", words.lower()).strip("-")


def kind_of(settings: Mapping[str, Any]) -> tuple[str, str]:
    """Key and title of an attack from its settings; attacks of other keys are never compared with it.

    Example:
        >>> kind_of({"mode": "latent", "divergence": "kl", "penalty": "norm"})
        ('latent-kl', 'Latent attack (KL)')
        >>> kind_of({"mode": "output", "divergence": "elbo", "penalty": "squared"})
        ('output-squared', 'Output attack, penalty λ‖d‖²')
    """
    mode, divergence = str(settings["mode"]), str(settings.get("divergence") or "")
    key, title = mode, f"{mode.capitalize()} attack"
    if (mode, divergence) != ("output", "elbo") and divergence:
        key, title = f"{mode}-{divergence}", f"{title} ({DIVERGENCES.get(divergence, divergence)})"
    if settings.get("penalty") == "squared":
        key, title = f"{key}-squared", f"{title}, penalty λ‖d‖²"
    if ball := settings.get("ball"):
        key, title = f"{key}-{ball}-ball", f"{title} inside {BALLS.get(ball, ball)} balls"
    return slug(key), title


def _comparison(kind: tuple[str, str, str], trials: list[Trial], kinds: list[tuple[str, str, str]]) -> Comparison:
    key, title, digest = kind
    if sum(other[0] == key for other in kinds) > 1:
        key, title = f"{key}-{digest}", f"{title}, pairs {digest}"
    return Comparison(key, title, tuple(trials))
