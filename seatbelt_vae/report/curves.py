"""What the charts draw: one curve for each model, with intervals over the pairs of images."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import stats

from seatbelt_vae.metrics.statistics import SMALLEST_BOOTSTRAP, Statistic, bootstrap_interval
from seatbelt_vae.report.runs import Array, Comparison, ReportRun, Trial

Row = dict[str, float | str]

LARGEST_LINE = 200  # points of a training curve; more than a chart of this width can show


@dataclass(frozen=True)
class LambdaAxis:
    """Where each λ stands on a log2 axis, with λ = 0 set apart at its left end.

    Args:
        zero: the place of λ = 0, left of the smallest positive λ by a tenth of the axis.
        low: log2 of the smallest positive λ.
        high: log2 of the largest.
    """

    zero: float
    low: float
    high: float

    @classmethod
    def of(cls, lambdas: Sequence[Array]) -> LambdaAxis:
        """The axis that holds every λ of every model.

        Example:
            >>> LambdaAxis.of([np.array([0.0, 0.25, 16.0])])
            LambdaAxis(zero=-3.0, low=-2.0, high=4.0)
        """
        positive = np.concatenate([np.asarray(values)[np.asarray(values) > 0] for values in lambdas])
        logs = np.log2(positive) if len(positive) else np.zeros(1)
        low, high = float(logs.min()), float(logs.max())
        return cls(low - max(1.0, (high - low) / 10), low, high)

    def place(self, value: float, slot: int = 0) -> float:
        """Where a λ stands; at 0 the models stand beside each other, or one marker would hide the next."""
        aside = (slot % 5 - 1) * (self.low - self.zero) / 7
        return self.zero + aside if value == 0 else math.log2(value)

    @property
    def ticks(self) -> list[float]:
        """Zero, and about five powers of two."""
        step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200) if (self.high - self.low) / step <= 5)
        first = math.ceil(self.low / step) * step
        return [self.zero, *np.arange(first, self.high + 1e-9, step).tolist()]

    @property
    def round(self) -> list[float]:
        """Where round decimal values stand, for what is no power of two."""
        return [math.log2(value) for value in log_ticks(2.0**self.low, 2.0**self.high)]


def log_ticks(low: float, high: float) -> list[float]:
    """Round places for labels on a logarithmic axis: powers of ten, or 1, 2 and 5 times them where there are few.

    Example:
        >>> log_ticks(0.02, 3000.0)
        [0.1, 1.0, 10.0, 100.0, 1000.0]
        >>> log_ticks(120.0, 900.0)
        [200.0, 500.0]
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    decades = math.log10(high / low)
    leads, step = ((1, 2, 5), 1) if decades < 2.2 else ((1,), math.ceil(decades / 6))
    places = [lead * 10.0**power for power in range(first, last + 1) for lead in leads if power % step == 0]
    return [float(f"{place:.3g}") for place in places if low * 0.999 <= place <= high * 1.001]


def intervals(values: Array, statistic: Statistic = "mean") -> Array:
    """Mean, or geometric mean, over pairs and its 95 % interval, for each column.

    Args:
        values: (P, K); pairs whose value is not finite are left out of that column.
        statistic: "mean" or "geometric-mean".

    Returns:
        Value, low and high, shape (K, 3), NaN where no pair is left. With one pair the ends are the value.

    Example:
        >>> intervals(np.array([[1.0, 2.0], [1.0, 4.0]])).round(1).tolist()
        [[1.0, 1.0, 1.0], [3.0, -9.7, 15.7]]
    """
    if len(values) >= SMALLEST_BOOTSTRAP and np.isfinite(values).all():
        return _batched(torch.from_numpy(values.T.copy()), statistic)
    return np.array([_interval(column[np.isfinite(column)], statistic) for column in values.T]).reshape(-1, 3)


def _batched(values: torch.Tensor, statistic: Statistic, resamples: int = 4000) -> Array:
    """Expanded percentile intervals of every row (K, P) at once.

    Percentile-t, which tables use, breaks out in spikes where all pairs but one agree, and a curve passes many such
    places. Percentiles stay inside the data; widened as far as Student's t is wider than the normal, they cover
    as well.

    References:
        Hesterberg 2015, What Teachers Should Know About the Bootstrap, section 4.3.
    """
    logs = statistic == "geometric-mean"
    values = values.clamp(min=1e-12).log() if logs else values
    n = values.shape[-1]
    draws = torch.randint(n, (resamples, n), generator=torch.Generator().manual_seed(0))
    means = values[:, draws].mean(-1)
    tail = float(stats.norm.cdf(math.sqrt(n / (n - 1)) * stats.t.ppf(0.025, n - 1)))
    ends = means.quantile(torch.tensor([tail, 1 - tail], dtype=means.dtype), dim=-1)
    rows = torch.stack([values.mean(-1), *ends], -1)
    return np.asarray((rows.exp() if logs else rows).numpy())


def _interval(column: Array, statistic: Statistic) -> tuple[float, float, float]:
    if not len(column):
        return math.nan, math.nan, math.nan
    interval = bootstrap_interval(torch.from_numpy(column.copy()), statistic)
    if math.isnan(interval.low):
        return interval.value, interval.value, interval.value
    return interval.value, interval.low, interval.high


def objective_statistic(comparison: Comparison) -> Statistic:
    """Geometric mean where every Δ is positive (they span orders of magnitude), else the mean."""
    positive = all((trial.objective > 0).all() for trial in comparison.trials)
    return "geometric-mean" if positive else "mean"


def lambda_rows(
    comparison: Comparison, values: Mapping[str, Array], axis: LambdaAxis, statistic: Statistic = "mean"
) -> list[Row]:
    """One row for each model and λ: where it stands, the value over pairs, and its interval.

    Args:
        comparison: the attack on each model.
        values: for each label the measure, (P, K).
        axis: places λ.
        statistic: how pairs are averaged.
    """
    return [
        {
            "model": trial.label,
            "x": axis.place(weight, trial.slot),
            "zero": float(weight == 0),
            "y": y,
            "low": low,
            "high": high,
        }
        for trial in comparison.trials
        for weight, (y, low, high) in zip(
            trial.lambdas.tolist(), intervals(values[trial.label], statistic).tolist(), strict=True
        )
        if math.isfinite(y)
    ]


def monte_carlo_rows(comparison: Comparison, axis: LambdaAxis) -> list[Row]:
    """±1.96 Monte-Carlo standard errors of the mean −log p(x_t|z*) over pairs, for each model and λ."""
    rows: list[Row] = []
    for trial in comparison.trials:
        errors = np.asarray(trial.assessment.target_nll_error.double().cpu())
        half = 1.96 * np.sqrt((errors**2).sum(0)) / len(errors)
        centre = trial.target_nll.mean(0)
        rows += [
            {"model": trial.label, "x": axis.place(weight, trial.slot), "low": mean - error, "high": mean + error}
            for weight, mean, error in zip(trial.lambdas.tolist(), centre.tolist(), half.tolist(), strict=True)
            if math.isfinite(mean) and math.isfinite(error)
        ]
    return rows


def distortion_curves(trial: Trial, at: Array) -> Array:
    """1 − success of each pair against relative distortion: the curve whose area is AUDDC, begun at (0, 1).

    Args:
        trial: a model under attack.
        at: abscissas ‖d‖/‖x − x_t‖ in [0, 1], shape (N,).

    Returns:
        Shape (P', N), for the pairs on which success is defined.
    """
    x, y = trial.relative_distortion[trial.defined], np.clip(1 - trial.success[trial.defined], 0, 1)
    return np.array([_curve(distortion, lost, at) for distortion, lost in zip(x, y, strict=True)]).reshape(-1, len(at))


def _curve(x: Array, y: Array, at: Array) -> Array:
    x, y = x[x <= 1], y[x <= 1]
    order = np.lexsort((-y, x))  # where abscissas tie, the higher first: the curve falls
    lowest = y.min(initial=1.0)
    x = np.concatenate([[0.0], x[order], [x.max(initial=0.0), 1.0]])
    y = np.concatenate([[1.0], y[order], [lowest, lowest]])
    return np.asarray(np.interp(at, x, y))


def distortion_rows(comparison: Comparison, places: int = 41) -> tuple[list[Row], list[Row]]:
    """The distortion–distortion curves: each model's mean with its interval, and each pair's own."""
    at = np.linspace(0, 1, places)
    mean: list[Row] = []
    single: list[Row] = []
    for trial in comparison.trials:
        curves = distortion_curves(trial, at)
        for pair, curve in enumerate(curves.tolist()):
            points = zip(at.tolist(), curve, strict=True)
            single += [{"model": trial.label, "pair": str(pair), "x": x, "y": y} for x, y in points]
        if len(curves):
            bands = zip(at.tolist(), intervals(curves).tolist(), strict=True)
            mean += [{"model": trial.label, "x": x, "y": y, "low": low, "high": high} for x, (y, low, high) in bands]
    return mean, single


def training_rows(run: ReportRun, key: str) -> list[Row]:
    """A training curve, averaged in at most `LARGEST_LINE` bins of consecutive records.

    ``kl`` is the sum of ``kl_1`` … ``kl_L`` where it is not recorded itself.
    """
    points = [(row["step"], value) for row in run.history if _is_number(value := _recorded(row, key))]
    if not points:
        return []
    bins = np.array_split(np.array(points, dtype=np.float64), min(LARGEST_LINE, len(points)))
    return [{"model": run.label, "x": float(b[:, 0].mean()), "y": float(b[:, 1].mean())} for b in bins]


def _recorded(row: Mapping[str, Any], key: str) -> Any:
    layers = [value for name, value in row.items() if re.fullmatch(r"kl_\d+", name)]
    if key == "kl" and key not in row and layers and all(map(_is_number, layers)):
        return sum(layers)
    return row.get(key)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
