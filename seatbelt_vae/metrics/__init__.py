"""Measurements: tensors or models in, a frozen dataclass or a tensor out, one measurement per file."""

from seatbelt_vae.metrics.active_units import ActiveUnits, Collapse, active_units, collapse
from seatbelt_vae.metrics.auddc import AUDDC_RANGE, auddc
from seatbelt_vae.metrics.dci import DCI, dci
from seatbelt_vae.metrics.factor_vae_score import FactorVAEScore, factor_vae_score
from seatbelt_vae.metrics.image_quality import ms_ssim, mse, psnr
from seatbelt_vae.metrics.likelihood import EvidenceBound, ImportanceBound, elbo, iwae
from seatbelt_vae.metrics.mig import MutualInformationGap, mig
from seatbelt_vae.metrics.noise import NoiseRobustness, noise_robustness
from seatbelt_vae.metrics.posteriors import encode_images
from seatbelt_vae.metrics.robustness import (
    SUCCESS_RANGE,
    ReconstructionDistances,
    TargetLogLikelihood,
    attack_success,
    reconstruction_distances,
    relative_distortion,
    success_at,
    success_is_defined,
    target_log_likelihood,
)
from seatbelt_vae.metrics.sap import SeparatedPredictability, sap
from seatbelt_vae.metrics.statistics import (
    Estimate,
    Interval,
    PairedTest,
    bootstrap_interval,
    geometric_mean,
    paired_test,
    percentile_t,
)
from seatbelt_vae.metrics.total_correlation import AggregatePosterior, aggregate_posterior, total_correlation
from seatbelt_vae.metrics.traversals import Traversal, traverse
from seatbelt_vae.metrics.weights import WeightNorms, weight_norms

__all__ = [
    "AUDDC_RANGE",
    "SUCCESS_RANGE",
    "DCI",
    "ActiveUnits",
    "AggregatePosterior",
    "Collapse",
    "Estimate",
    "EvidenceBound",
    "FactorVAEScore",
    "ImportanceBound",
    "Interval",
    "MutualInformationGap",
    "NoiseRobustness",
    "PairedTest",
    "ReconstructionDistances",
    "SeparatedPredictability",
    "TargetLogLikelihood",
    "Traversal",
    "WeightNorms",
    "active_units",
    "aggregate_posterior",
    "attack_success",
    "auddc",
    "bootstrap_interval",
    "collapse",
    "dci",
    "elbo",
    "encode_images",
    "factor_vae_score",
    "geometric_mean",
    "iwae",
    "mig",
    "ms_ssim",
    "mse",
    "noise_robustness",
    "paired_test",
    "percentile_t",
    "psnr",
    "reconstruction_distances",
    "relative_distortion",
    "sap",
    "success_at",
    "success_is_defined",
    "target_log_likelihood",
    "total_correlation",
    "traverse",
    "weight_norms",
]
