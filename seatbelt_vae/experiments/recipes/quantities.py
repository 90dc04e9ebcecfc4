"""What recipes show: each quantity's meaning, and how it is read from a run or from an attack on it."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from seatbelt_vae import metrics
from seatbelt_vae.attacks import AttackResult
from seatbelt_vae.experiments.assessment import Assessment
from seatbelt_vae.metrics.noise import SCALES

WITHIN = 0.5
"""The relative distortion ‖d‖/‖x − x_t‖ at which models are compared."""


@dataclass(frozen=True)
class Quantity:
    """A column.

    Attributes:
        key: its name in files.
        title: its heading.
        unit: nats, or what else; empty for a pure number.
        robust: which way is better: "higher", "lower", or "" where neither is.
        ratio: whether values are averaged geometrically and compared by their ratio.
        possible: least and largest mean that there can be.
    """

    key: str
    title: str
    unit: str = ""
    robust: Literal["higher", "lower", ""] = ""
    ratio: bool = False
    possible: tuple[float, float] = (-math.inf, math.inf)


GAINED = {
    quantity.key: quantity
    for quantity in (
        Quantity("success_at_0.5", "success within 0.5", "", "lower", possible=metrics.SUCCESS_RANGE),
        Quantity("auddc", "AUDDC", "", "higher", possible=metrics.AUDDC_RANGE),
        Quantity("objective", "Δ, geometric mean over λ", "nats", "higher", ratio=True),
        Quantity("objective_mean", "Δ, mean over λ", "nats", "higher"),
        Quantity("target_nll", "−log p(xₜ|z*), mean over λ", "nats", "higher"),
        Quantity("to_target", "‖rec(x*) − xₜ‖ within 0.5", "data units", "higher"),
    )
}
"""Of an attack, by key; each has a value for every pair."""

CLEAN = {
    quantity.key: quantity
    for quantity in (
        Quantity("elbo", "ELBO", "nats", "higher"),
        Quantity("log_likelihood", "log p(x|z)", "nats", "higher"),
        Quantity("mse", "MSE", "", "lower"),
        Quantity("psnr", "PSNR", "dB", "higher"),
        Quantity("kl", "KL of all layers", "nats"),
        Quantity("layer_kl@bottom", "KL of the bottom layer", "nats"),
        Quantity("layer_kl@top", "KL of the top layer", "nats"),
        Quantity("active_units@top", "active units of the top layer"),
        Quantity("total_correlation", "TC of the top layer, all data", "nats", "lower"),
        Quantity("mig", "MIG", "", "higher"),
        Quantity("weight_norms.encoder", "L2 of the encoder’s weights", ratio=True),
        Quantity("weight_norms.decoder", "L2 of the decoder’s weights", ratio=True),
        *(Quantity(f"noise_drop@{scale:g}", f"cost of noise {scale:g}", "nats", "lower") for scale in SCALES),
    )
}
"""Of a run without an attack, by key: one value a run."""


def quantity(key: str) -> Quantity:
    """Look a quantity up."""
    return GAINED[key] if key in GAINED else CLEAN[key]


def clean_value(evaluation: Mapping[str, Any], key: str) -> float:
    """A quantity of ``evaluation.json``, NaN where it was not measured.

    Example:
        >>> found = {"layer_kl": [3.0, 1.0], "noise_scales": [0.1, 0.2], "noise_drop": [5.0, 9.0]}
        >>> clean_value(found, "layer_kl@top"), clean_value(found, "noise_drop@0.2"), clean_value(found, "mig")
        (1.0, 9.0, nan)
    """
    name, _, place = key.partition("@")
    table, _, entry = name.partition(".")
    found: Any = evaluation.get(table)
    if entry and isinstance(found, Mapping):
        found = found.get(entry)
    if place and found is not None:
        found = _at(evaluation, found, place)
    return math.nan if found is None else float(found)


def _at(evaluation: Mapping[str, Any], values: list[float], place: str) -> float | None:
    if place in ("bottom", "top"):
        return values[0 if place == "bottom" else -1]
    scales = evaluation.get("noise_scales", [])
    return values[scales.index(float(place))] if float(place) in scales else None


def gained(result: AttackResult, assessment: Assessment) -> dict[str, Tensor]:
    """Every quantity of `GAINED` for each pair, (P,); NaN where success is not defined for a pair."""
    found = {key: read(result, assessment).double() for key, read in _READ.items()}
    defined = assessment.defined(result.target)
    for key in ("success_at_0.5", "auddc"):
        found[key] = found[key].masked_fill(~defined, math.nan)
    return found


def _to_target(result: AttackResult, assessment: Assessment) -> Tensor:
    """‖rec(x*) − x_t‖ where success is best within the budget; of the clean image where no λ stayed within it."""
    inside = assessment.relative_distortion <= WITHIN
    best = assessment.success.masked_fill(~inside, -math.inf).argmax(1)
    reached = assessment.adversarial_reconstruction[torch.arange(len(best)), best]
    reached = torch.where(inside.any(1)[:, None, None, None], reached, assessment.source_reconstruction)
    return metrics.reconstruction_distances(reached, assessment.source_reconstruction, result.target).to_target


_READ: dict[str, Callable[[AttackResult, Assessment], Tensor]] = {
    "success_at_0.5": lambda _, a: metrics.success_at(a.relative_distortion, a.success, WITHIN),
    "auddc": lambda _, a: a.auddc,
    "objective": lambda r, _: r.objective.double().clamp(min=1e-12).log().mean(1).exp(),
    "objective_mean": lambda r, _: r.objective.mean(1),
    "target_nll": lambda _, a: a.target_nll.mean(1),
    "to_target": _to_target,
}
