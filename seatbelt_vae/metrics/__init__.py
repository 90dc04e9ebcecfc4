"""Measurements: tensors or models in, a frozen dataclass or a tensor out, one measurement per file."""

from seatbelt_vae.metrics.active_units import active_units, collapse
from seatbelt_vae.metrics.amplification import amplification
from seatbelt_vae.metrics.auddc import AUDDC_RANGE, auddc, curve_at, distortion_curve
from seatbelt_vae.metrics.dci import DCI, dci
from seatbelt_vae.metrics.downstream import Readout, fit_readout
from seatbelt_vae.metrics.f50 import F50_RANGE, distortion_at, f50
from seatbelt_vae.metrics.factor_vae_score import factor_vae_score
from seatbelt_vae.metrics.factors import ordered_factors
from seatbelt_vae.metrics.image_quality import ms_ssim, mse, psnr
from seatbelt_vae.metrics.likelihood import EvidenceBound, elbo, iwae
from seatbelt_vae.metrics.mig import mig
from seatbelt_vae.metrics.noise import Noise, noise_robustness
from seatbelt_vae.metrics.posteriors import encode_images
from seatbelt_vae.metrics.references import PCA, Reference, attack_pca, blend, blend_path, fit_pca, identity
from seatbelt_vae.metrics.robustness import (
    SUCCESS_RANGE,
    attack_success,
    distance,
    relative_distortion,
    success_at,
    success_is_defined,
)
from seatbelt_vae.metrics.sap import sap
from seatbelt_vae.metrics.statistics import Comparison, Estimate, Interval, band, compare, geometric_mean, interval
from seatbelt_vae.metrics.total_correlation import aggregate_posterior, total_correlation
from seatbelt_vae.metrics.traversals import traverse
from seatbelt_vae.metrics.weights import weight_norms

__all__ = [
    "AUDDC_RANGE",
    "DCI",
    "F50_RANGE",
    "PCA",
    "Readout",
    "SUCCESS_RANGE",
    "Comparison",
    "Estimate",
    "EvidenceBound",
    "Interval",
    "Noise",
    "Reference",
    "active_units",
    "aggregate_posterior",
    "amplification",
    "attack_pca",
    "attack_success",
    "auddc",
    "band",
    "blend",
    "blend_path",
    "collapse",
    "compare",
    "curve_at",
    "dci",
    "distance",
    "distortion_at",
    "distortion_curve",
    "elbo",
    "encode_images",
    "f50",
    "factor_vae_score",
    "fit_pca",
    "fit_readout",
    "geometric_mean",
    "identity",
    "interval",
    "iwae",
    "mig",
    "ms_ssim",
    "mse",
    "noise_robustness",
    "ordered_factors",
    "psnr",
    "relative_distortion",
    "sap",
    "success_at",
    "success_is_defined",
    "total_correlation",
    "traverse",
    "weight_norms",
]
