"""What the table over models says of an attack: one number a pair, then its mean and interval over pairs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from seatbelt_vae.metrics import (
    AUDDC_RANGE,
    SUCCESS_RANGE,
    Interval,
    PairedTest,
    bootstrap_interval,
    paired_test,
    reconstruction_distances,
    success_at,
)
from seatbelt_vae.metrics.statistics import Statistic
from seatbelt_vae.report.runs import Array, Comparison, Trial, array

MATCHED = (0.3, 0.5)
"""Relative distortions ‖d‖/‖x − x_t‖ at which models are compared."""

UNTOUCHED = 1e-3
"""Relative distortion below which an image counts as not attacked."""

Better = Literal["higher", "lower", ""]


@dataclass(frozen=True)
class Measure:
    """One column of the table over models.

    Args:
        key: its name in CSV files.
        title: its heading.
        unit: nats, or what else; empty for a pure number.
        more_robust: which direction is more robust; empty where it is no result of the attack.
        comparable: whether models of different latent spaces may be compared by it.
        definition: one or two sentences for readers.
        per_pair: from a model under attack to one number a pair, (P,), NaN where it is not defined.
        statistic: how pairs are averaged.
        possible: least and largest mean there can be.
    """

    key: str
    title: str
    unit: str
    more_robust: Better
    comparable: bool
    definition: str
    per_pair: Callable[[Trial], Array]
    statistic: Statistic = "mean"
    possible: tuple[float, float] = (-math.inf, math.inf)


def success_within(trial: Trial, budget: float) -> Array:
    """The best success of each pair within a relative distortion, (P,); NaN where success is not defined."""
    best = success_at(torch.from_numpy(trial.relative_distortion), torch.from_numpy(trial.success), budget)
    return np.where(trial.defined, best.numpy(), np.nan)


def matched_place(trial: Trial, budget: float) -> list[int]:
    """For each pair the index of the λ that reached the best success within a budget of relative distortion.

    Where no attack stayed within it, the one that distorted least.
    """
    inside = trial.relative_distortion <= budget
    best = np.where(inside, trial.success, -np.inf).argmax(1)
    least = trial.relative_distortion.argmin(1)
    return [int(place) for place in np.where(inside.any(1), best, least)]


def matched_target_nll(trial: Trial, budget: float) -> Array:
    """−log p(x_t|z*) in nats of the attack that reached the best success within a budget, (P,)."""
    return np.array([row[place] for row, place in zip(trial.target_nll, matched_place(trial, budget), strict=True)])


def defined_auddc(trial: Trial) -> Array:
    """AUDDC of each pair, (P,); NaN where success is not defined."""
    return np.where(trial.defined, array(trial.assessment.auddc), np.nan)


def average_objective(trial: Trial) -> Array:
    """Δ of each pair averaged over the λ grid, geometrically where all are positive, (P,)."""
    if (trial.objective > 0).all():
        return np.asarray(np.exp(np.log(trial.objective).mean(1)))
    return np.asarray(trial.objective.mean(1))


def least_objective(trial: Trial) -> Array:
    """The smallest Δ of each pair over the λ grid, (P,)."""
    return np.asarray(trial.objective.min(1))


def clean_objective(trial: Trial) -> Array:
    """Discrepancy r of each pair without an attack, (P,); NaN where no weight left the image as good as unchanged."""
    places = trial.relative_distortion.argmin(1)
    rows = np.arange(len(places))
    untouched = trial.relative_distortion[rows, places] < UNTOUCHED
    return np.where(untouched, array(trial.result.discrepancy)[rows, places], np.nan)


def matched_distances(trial: Trial, budget: float) -> tuple[Array, Array]:
    """‖rec(x*) − x_t‖ and ‖rec(x*) − rec(x)‖ of the attack that reached the best success within a budget, (P,) each."""
    rows = torch.arange(len(trial.result.source))
    reached = trial.assessment.adversarial_reconstruction[rows, matched_place(trial, budget)]
    distances = reconstruction_distances(reached, trial.assessment.source_reconstruction, trial.result.target)
    return array(distances.to_target), array(distances.from_clean)


def measures(comparison: Comparison) -> tuple[Measure, ...]:
    """All columns for an attack: what it gained, then Δ."""
    return (*gain_measures(comparison), *objective_measures(comparison))


def gain_measures(comparison: Comparison) -> tuple[Measure, ...]:
    """What an attack gained: comparable across models."""
    return (
        *(_success_measure(budget) for budget in MATCHED),
        Measure(
            "auddc", "AUDDC", "", "higher", True,
            "Area under the curve of 1 − success against ‖d‖/‖x − xₜ‖, both in [0, 1] (Gondim-Ribeiro et al. 2018).",
            defined_auddc, possible=AUDDC_RANGE,
        ),
        Measure(
            "target_nll_at_0.5", "−log p(xₜ|z*) within 0.5", "nats", "higher", True,
            "How unlikely the target is under the model’s output for x*, z* drawn afresh from q(z|x*), for the attack "
            "of “success within 0.5”. Comparable between models with the same likelihood p(x|z) on the same data.",
            lambda trial: matched_target_nll(trial, 0.5),
        ),
        Measure(
            "to_target_at_0.5", "‖rec(x*) − xₜ‖ within 0.5", "data units", "higher", True,
            "L2 distance over the whole image from the target to the output for x*, of the same attack.",
            lambda trial: matched_distances(trial, 0.5)[0],
        ),
        Measure(
            "from_clean_at_0.5", "‖rec(x*) − rec(x)‖ within 0.5", "data units", "lower", True,
            "L2 distance over the whole image by which the attack moved the output, of the same attack.",
            lambda trial: matched_distances(trial, 0.5)[1],
        ),
    )  # fmt: skip


def objective_measures(comparison: Comparison) -> tuple[Measure, ...]:
    """Δ before an attack and over its grid; geometric where all are positive. Never a bare mean."""
    unit, over = objective_unit(comparison), comparison.weight
    positive = all((t.objective > 0).all() for t in comparison.trials)
    in_output = comparison.trials[0].result.settings["mode"] == "output"
    geometric: Statistic = "geometric-mean" if positive else "mean"
    mean = "geometric mean" if positive else "mean"
    minimised = "Δ = r + λ‖d‖" if over == "λ" else "Δ = r inside a ball of radius ε"

    def delta(key: str, title: str, words: str, per_pair: Callable[[Trial], Array], statistic: Statistic) -> Measure:
        words += _CAUTION[in_output]
        better: Better = "" if key == "objective_clean" else "higher"
        return Measure(key, title, unit, better, in_output, words, per_pair, statistic)

    return (
        delta(
            "objective_clean", "Δ, not attacked", f"r of x itself, before the attack: {mean} over pairs.",
            clean_objective, geometric,
        ),
        *([delta(
            "objective_geometric_mean", f"Δ, geometric mean over {over}",
            f"What the attack minimised, {minimised}: geometric mean over {over} and pairs.",
            average_objective, geometric,
        )] if positive else []),
        delta(
            "objective_mean", f"Δ, mean over {over}",
            f"What the attack minimised, {minimised}: mean over {over} and pairs. Its largest values rule it.",
            lambda trial: np.asarray(trial.objective.mean(1)), "mean",
        ),
        delta(
            "objective_minimum", f"Δ, smallest over {over}", f"The smallest Δ that any {over} gave: {mean} over pairs.",
            least_objective, geometric,
        ),
    )  # fmt: skip


_CAUTION = {
    True: " Comparable between models with the same likelihood p(x|z) on the same data.",
    False: " Not comparable across models: a divergence between posteriors grows with 1/σ² and with the number of "
    "latent dimensions, whatever the attack achieved.",
}


def _success_measure(budget: float) -> Measure:
    return Measure(
        f"success_at_{budget:g}", f"Success within {budget:g}", "", "lower", True,
        f"Best success s of the attacks with ‖d‖ ≤ {budget:g}·‖x − xₜ‖: 0 nothing gained, 1 as good as encoding the "
        "target itself. Not attacking is within every budget, so it is never below 0.",
        lambda trial: success_within(trial, budget), possible=SUCCESS_RANGE,
    )  # fmt: skip


def objective_unit(comparison: Comparison) -> str:
    """The unit of Δ: nats, or that of the latent space for distances between means or samples.

    The penalty λ‖d‖ takes the unit of what it is added to.
    """
    settings = comparison.trials[0].result.settings
    divergence = str(settings.get("divergence") or "elbo")
    if divergence == "elbo" or divergence.endswith("kl"):
        return "nats"
    return "latent units" if settings["mode"] == "latent" else "units of the data"


def estimate(measure: Measure, trial: Trial) -> Interval | None:
    """A measure of one model with its 95 % interval over pairs, or None where no pair has one.

    With a single pair the ends are NaN.
    """
    values = measure.per_pair(trial)
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    return bootstrap_interval(torch.from_numpy(values), measure.statistic, possible=measure.possible)


def against(measure: Measure, first: Trial, second: Trial) -> PairedTest | None:
    """The second model less the first on the pairs where both are defined, or None where there are fewer than two."""
    before, after = measure.per_pair(first), measure.per_pair(second)
    both = np.isfinite(before) & np.isfinite(after)
    if both.sum() < 2:
        return None
    return paired_test(torch.from_numpy(before[both]), torch.from_numpy(after[both]), measure.statistic)


def holm(p_values: list[float]) -> list[float]:
    """p-values adjusted for how many there are (Holm 1979): reject where it is below the level.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, floor = [math.nan] * len(p_values), 0.0
    for rank, place in enumerate(order):
        floor = max(floor, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = floor
    return adjusted
