"""Disentanglement of the top layer's posterior means over all training images: DCI, SAP, the FactorVAE score."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from seatbelt_vae import metrics
from seatbelt_vae.experiments.evaluation.measurement import Measured, Measurement, Quantity
from seatbelt_vae.experiments.evaluation.subject import Subject

UNORDERED = ("shape", "model", "identity", "person", "object", "class")
"""Names of factors whose values have no order."""
FORESTS = 3
RESAMPLES = 50


def _dci(subject: Subject) -> Measured:
    seeds = range(subject.settings.seed, subject.settings.seed + FORESTS)
    found = [metrics.dci(subject.codes, subject.factors, seed=seed) for seed in seeds]
    values: dict[str, float] = {}
    for name in ("disentanglement", "completeness", "informativeness"):
        estimate = metrics.Estimate.of(torch.tensor([getattr(each, name) for each in found]))
        values |= {f"dci_{name}": estimate.value, f"dci_{name}_error": estimate.standard_error}
    return Measured(values)


def _sap(subject: Subject) -> Measured:
    unordered = [place for place, name in enumerate(subject.train.factor_names) if name in UNORDERED]

    def score(codes: Tensor, factors: Tensor) -> float:
        return metrics.sap(codes, factors, unordered, seed=subject.settings.seed).score

    error = bootstrap_error(score, subject.codes, subject.factors, subject.settings.seed)
    return Measured({"sap": score(subject.codes, subject.factors), "sap_error": error})


def _factor_vae_score(subject: Subject, votes: int = 800) -> Measured:
    score = float(metrics.factor_vae_score(subject.codes, subject.factors, votes=votes, seed=subject.settings.seed))
    return Measured({"factor_vae_score": score, "factor_vae_score_error": math.sqrt(score * (1 - score) / votes)})


def bootstrap_error(score: Callable[[Tensor, Tensor], float], codes: Tensor, factors: Tensor, seed: int) -> float:
    """Standard error of a score over images: its spread when they are drawn anew with replacement.

    Example:
        >>> codes = torch.randn(400, 1, generator=torch.Generator().manual_seed(0))
        >>> 0.04 < bootstrap_error(lambda codes, _: float(codes.mean()), codes, codes, seed=0) < 0.06
        True
    """
    generator = torch.Generator().manual_seed(seed)
    draws = (torch.randint(len(codes), (len(codes),), generator=generator) for _ in range(RESAMPLES))
    return float(torch.tensor([score(codes[rows], factors[rows]) for rows in draws], dtype=torch.float64).std())


DCI = Measurement(
    "dci",
    _dci,
    ("seed",),
    (
        Quantity(
            "dci_disentanglement",
            "DCI disentanglement",
            "",
            "higher",
            "0 to 1: whether each latent of the top layer matters for one factor only (random forests, Eastwood & "
            "Williams 2018); error over forests.",
        ),
        Quantity(
            "dci_completeness", "DCI completeness", "", "higher", "0 to 1: whether each factor needs one latent only."
        ),
        Quantity(
            "dci_informativeness",
            "DCI informativeness",
            "",
            "higher",
            "Share of held-out factor values that the forests predict right from the top layer.",
        ),
    ),
    "disentanglement",
    quick=False,
    needs_factors=True,
)
SAP = Measurement(
    "sap",
    _sap,
    ("seed",),
    (
        Quantity(
            "sap",
            "SAP",
            "",
            "higher",
            "0 to 1: how much better the best latent of the top layer predicts a factor than the second best (Kumar et "
            "al. 2018); error by bootstrap over images.",
        ),
    ),
    "disentanglement",
    quick=False,
    needs_factors=True,
)
FACTOR_VAE_SCORE = Measurement(
    "factor-vae-score",
    _factor_vae_score,
    ("seed",),
    (
        Quantity(
            "factor_vae_score",
            "FactorVAE score",
            "",
            "higher",
            "Guessing to 1: accuracy with which the latent that varies least names the factor held still (Kim & Mnih "
            "2018), of the top layer.",
        ),
    ),
    "disentanglement",
    quick=False,
    needs_factors=True,
)
