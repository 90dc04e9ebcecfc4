"""All measurements of a trained model, by name. What their numbers mean stands in `seatbelt_vae.measures`."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from seatbelt_vae import metrics
from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.evaluation.downstream import read_factors
from seatbelt_vae.experiments.evaluation.settings import EvaluationSettings
from seatbelt_vae.experiments.evaluation.subject import CHUNK, Subject
from seatbelt_vae.settings import near, shown

FORESTS = 3
RESAMPLES = 50
VOTES = 800


@dataclass(frozen=True)
class Measured:
    """What a measurement found.

    Attributes:
        values: numbers and lists for ``evaluation.json``, by the keys of `seatbelt_vae.measures`, and each
            ``key_error``, its standard error.
        tensors: what is too large for that (pictures, one number an image), for ``evaluation/<name>.safetensors``.
    """

    values: Mapping[str, Any]
    tensors: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Measurement:
    """A line of `MEASUREMENTS`.

    Attributes:
        name: what ``--measure`` calls it.
        make: measures a subject.
        uses: names of the settings that decide its result, see `EvaluationSettings.draws`.
        quick: whether it is made unless told otherwise.
        needs_factors: whether it needs to know what generated each image.
    """

    name: str
    make: Callable[[Subject], Measured]
    uses: tuple[str, ...] = ()
    quick: bool = True
    needs_factors: bool = False


def elbo(subject: Subject) -> Measured:
    """The ELBO of the test images and its parts."""
    bound = subject.bound
    errors = [metrics.Estimate.of(layer).standard_error for layer in bound.layer_kl.unbind(-1)]
    layers = {"layer_kl": bound.layer_kl.mean(0).tolist(), "layer_kl_error": errors}
    return Measured({**bound.summary(), **layers, "images": len(subject.test)})


def iwae(subject: Subject) -> Measured:
    """The importance-weighted bound of the test images."""
    draws = subject.settings.draws
    count = draws["iwae_samples"]
    bound = metrics.iwae(subject.model, subject.test, count, seed=draws["seed"], progress=subject.progress)
    return Measured(_estimated("iwae", bound))


def image_quality(subject: Subject) -> Measured:
    """How close reconstructions are; errors as a share of the width, so that all bounds have the same."""
    low, high = subject.test.bounds
    width = high - low
    kinds: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "mse": lambda x, y: metrics.mse(x, y) / width**2,
        "psnr": lambda x, y: metrics.psnr(x, y, width),
        "ms_ssim": lambda x, y: metrics.ms_ssim(x, y, width),
    }
    values: dict[str, float] = {}
    for name, quality in kinds.items():
        each = []
        for start in range(0, len(subject.test), CHUNK):
            here = slice(start, start + CHUNK)
            each.append(quality(subject.reconstructions[here], subject.test[here]))
        values |= _estimated(name, torch.cat(each))
    return Measured(values)


def active_units(subject: Subject) -> Measured:
    """How many latents of each layer are in use."""
    units = metrics.active_units([q.mean for q in subject.test_posteriors])
    found = metrics.collapse(subject.bound.dimension_kl)
    collapsed = []
    for share, kl in zip(found.collapsed, found.dimension_kl, strict=True):
        collapsed.append(round(share * len(kl)))
    return Measured({"active_units": list(units.counts), "collapsed_units": collapsed})


def total_correlation(subject: Subject) -> Measured:
    """What the aggregate posterior of the top layer over all training images tells."""
    draws = subject.settings.draws
    aggregate = metrics.aggregate_posterior(
        subject.aggregate, draws["aggregate_samples"], seed=draws["seed"], progress=subject.progress
    )
    values = aggregate.summary()
    del values["kl"], values["kl_error"]  # of the top layer; "kl" is that of all layers, on the test images
    return Measured(values)


def mig(subject: Subject) -> Measured:
    """The mutual information gap of the top layer."""
    draws = subject.settings.draws
    found = metrics.mig(
        subject.aggregate,
        subject.factors,
        draws["aggregate_samples"],
        seed=draws["seed"],
        progress=subject.progress,
    )
    return Measured({"mig": found.score, "mig_error": found.standard_error})


def dci(subject: Subject) -> Measured:
    """Disentanglement, completeness and informativeness of the top layer; errors over forests."""
    first = subject.settings.seed
    found = []
    for seed in range(first, first + FORESTS):
        found.append(metrics.dci(subject.codes, subject.factors, seed=seed))
    values: dict[str, float] = {}
    for name in ("disentanglement", "completeness", "informativeness"):
        values |= _estimated(f"dci_{name}", torch.tensor([getattr(each, name) for each in found]))
    return Measured(values)


def sap(subject: Subject) -> Measured:
    """Separated attribute predictability of the top layer; error by bootstrap over images."""
    ordered = metrics.ordered_factors(subject.train.factor_names)
    seed = subject.settings.seed

    def score(codes: Tensor, factors: Tensor) -> float:
        return metrics.sap(codes, factors, ordered, seed=seed).score

    error = bootstrap_error(score, subject.codes, subject.factors, seed)
    return Measured({"sap": score(subject.codes, subject.factors), "sap_error": error})


def factor_vae_score(subject: Subject) -> Measured:
    """The FactorVAE score of the top layer."""
    found = metrics.factor_vae_score(subject.codes, subject.factors, votes=VOTES, seed=subject.settings.seed)
    score = float(found)
    error = math.sqrt(score * (1 - score) / VOTES)
    return Measured({"factor_vae_score": score, "factor_vae_score_error": error})


def downstream(subject: Subject) -> Measured:
    """What a logistic classifier on the top layer reads of each factor, from clean and from attacked test images."""
    found = list(read_factors(subject).values())
    images = torch.tensor([read.images for read in found])
    clean = torch.tensor([read.clean for read in found], dtype=torch.float64)
    attacked = torch.tensor([read.attacked for read in found], dtype=torch.float64)
    guessed = torch.tensor([read.guessed for read in found], dtype=torch.float64)
    return Measured(
        {
            **_shares("downstream_accuracy", clean, images),
            **_shares("downstream_attacked", attacked, images),
            **_shares("downstream_guessed", guessed, images),
        }
    )


def noise(subject: Subject) -> Measured:
    """How well the clean image is still explained after a noisy one was encoded (Fig 8)."""
    draws = subject.settings.draws
    images = subject.test
    if len(images) > draws["noise_images"]:
        images = images.sample(draws["noise_images"])
    found = metrics.noise_robustness(
        subject.model,
        images,
        metrics.Noise(tuple(draws["scales"]), subject.test.bounds),
        draws["samples"],
        seed=draws["seed"],
        progress=subject.progress,
    )
    rows = found.summary()
    values: dict[str, Any] = {"noise_scales": list(found.scales)}
    for column in ("log_likelihood", "log_likelihood_error", "drop", "drop_error"):
        values[f"noise_{column}"] = [row[column] for row in rows]
    return Measured(values, {"log_likelihood": found.log_likelihood.float(), "clean": found.clean.float()})


def traversals(subject: Subject) -> Measured:
    """What each latent dimension draws, as pictures."""
    image = subject.test[0].to(subject.device)
    layers = metrics.traverse(subject.model, image, subject.test_posteriors, subject.bound.dimension_kl)
    low, high = subject.test.bounds
    tensors: dict[str, Tensor] = {}
    for number, layer in enumerate(layers, start=1):
        shares = (layer.images - low) / (high - low)
        tensors[f"images_{number}"] = shares.clamp(0, 1).mul(255).round().to(torch.uint8)
        tensors[f"dimensions_{number}"] = torch.tensor(layer.dimensions)
        tensors[f"kl_{number}"] = layer.kl
        tensors[f"positions_{number}"] = layer.positions
    return Measured({}, tensors)


def weights(subject: Subject) -> Measured:
    """Size of the weights (Table 1)."""
    return Measured({"weight_norms": asdict(metrics.weight_norms(subject.model))})


def training_time(subject: Subject) -> Measured:
    """What the training took."""
    return Measured({"training_seconds": subject.training_seconds})


def bootstrap_error(score: Callable[[Tensor, Tensor], float], codes: Tensor, factors: Tensor, seed: int) -> float:
    """Standard error of a score over images: its spread when they are drawn anew with replacement.

    Example:
        >>> codes = torch.randn(400, 1, generator=torch.Generator().manual_seed(0))
        >>> 0.04 < bootstrap_error(lambda codes, _: float(codes.mean()), codes, codes, seed=0) < 0.06
        True
    """
    generator = torch.Generator().manual_seed(seed)
    scores = []
    for _ in range(RESAMPLES):
        rows = torch.randint(len(codes), (len(codes),), generator=generator)
        scores.append(score(codes[rows], factors[rows]))
    return float(torch.tensor(scores, dtype=torch.float64).std())


def _estimated(key: str, draws: Tensor) -> dict[str, float]:
    estimate = metrics.Estimate.of(draws)
    return {key: estimate.value, f"{key}_error": estimate.standard_error}


def _shares(key: str, shares: Tensor, images: Tensor) -> dict[str, float]:
    """The mean of shares of so many images each, with its binomial error."""
    variance = shares * (1 - shares) / images
    return {key: float(shares.mean()), f"{key}_error": float(variance.sum().sqrt()) / len(shares)}


MEASUREMENTS: dict[str, Measurement] = {
    measurement.name: measurement
    for measurement in (
        Measurement("elbo", elbo, ("samples", "seed")),
        Measurement("iwae", iwae, ("iwae_samples", "seed"), quick=False),
        Measurement("image-quality", image_quality),
        Measurement("active-units", active_units, ("samples", "seed")),
        Measurement("total-correlation", total_correlation, ("aggregate_samples", "seed")),
        Measurement("mig", mig, ("aggregate_samples", "seed"), needs_factors=True),
        Measurement("dci", dci, ("seed",), quick=False, needs_factors=True),
        Measurement("sap", sap, ("seed",), quick=False, needs_factors=True),
        Measurement("factor-vae-score", factor_vae_score, ("seed",), quick=False, needs_factors=True),
        Measurement("downstream", downstream, ("seed",), quick=False, needs_factors=True),
        Measurement("noise", noise, ("samples", "scales", "noise_images", "seed")),
        Measurement("traversals", traversals, ("samples", "seed")),
        Measurement("weights", weights),
        Measurement("training-time", training_time),
    )
}
"""Measurements by name, in the order in which they are made. A new one is a function and a line here."""


def chosen(settings: EvaluationSettings, has_factors: bool) -> list[Measurement]:
    """The measurements that are asked for, in the order in which they are made.

    Args:
        settings: what is asked for.
        has_factors: whether the data say what generated each image. Without, what needs that is left out, unless it
            is named.

    Raises:
        InputError: a name is unknown, or one that is named needs factors.

    Example:
        >>> [each.name for each in chosen(EvaluationSettings(("sap", "elbo")), has_factors=True)]
        ['elbo', 'sap']
    """
    if settings.named is None:
        usual = [each for each in MEASUREMENTS.values() if _is_usual(each, settings)]
        return [each for each in usual if has_factors or not each.needs_factors]
    if settings.named == ():
        raise InputError(f"measures: none was named, use all, or some of {', '.join(MEASUREMENTS)}")
    for name in settings.named:
        if name not in MEASUREMENTS:
            hint = near(name, MEASUREMENTS)
            names = ", ".join(MEASUREMENTS)
            raise InputError(f"measures: {shown(name)} is unknown{hint}, use all, or some of {names}")
        if MEASUREMENTS[name].needs_factors and not has_factors:
            raise InputError(f"measures: {name} needs to know what generated each image, these data have no factors")
    return [each for each in MEASUREMENTS.values() if each.name in settings.named]


def _is_usual(measurement: Measurement, settings: EvaluationSettings) -> bool:
    """Whether it is made without being named."""
    if "aggregate_samples" in measurement.uses and not settings.aggregate_samples:
        return False
    if settings.measures == "all" or measurement.quick:
        return True
    return "iwae_samples" in measurement.uses and settings.iwae_samples > 0
