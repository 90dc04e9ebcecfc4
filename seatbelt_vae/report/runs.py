"""What a report shows: trained models, and the attacks on them arranged so that like stands beside like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seatbelt_vae.errors import InputError
from seatbelt_vae.report.scope import Scope

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
        """Success s, (P, K): 0 nothing gained, 1 as good as encoding the target."""
        return array(self.assessment.success)

    @property
    def defined(self) -> NDArray[np.bool_]:
        """Whether success is defined for a pair: encoding the target must bring its reconstruction nearer, (P,)."""
        return np.asarray(self.assessment.defined(self.result.target).cpu())

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
