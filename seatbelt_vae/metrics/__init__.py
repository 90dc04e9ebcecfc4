"""Measurements: tensors or models in, a frozen dataclass or a tensor out, one measurement per file."""

from seatbelt_vae.metrics.auddc import auddc
from seatbelt_vae.metrics.likelihood import EvidenceBound, ImportanceBound, elbo, iwae
from seatbelt_vae.metrics.robustness import (
    ReconstructionDistances,
    TargetLogLikelihood,
    attack_success,
    reconstruction_distances,
    relative_distortion,
    success_at,
    success_is_defined,
    target_log_likelihood,
)
from seatbelt_vae.metrics.statistics import (
    Estimate,
    Interval,
    PairedTest,
    bootstrap_interval,
    geometric_mean,
    paired_test,
    percentile_t,
)

__all__ = [
    "Estimate",
    "EvidenceBound",
    "ImportanceBound",
    "Interval",
    "PairedTest",
    "ReconstructionDistances",
    "TargetLogLikelihood",
    "attack_success",
    "auddc",
    "bootstrap_interval",
    "elbo",
    "geometric_mean",
    "iwae",
    "paired_test",
    "percentile_t",
    "reconstruction_distances",
    "relative_distortion",
    "success_at",
    "success_is_defined",
    "target_log_likelihood",
]
