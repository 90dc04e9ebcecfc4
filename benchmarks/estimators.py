"""Bias of every minibatch estimator of the total correlation, against aggregates whose total correlation is known.

Usage: python benchmarks/estimators.py [--batches 64 256 1024 4096] [--seeds 6] [--markdown]
"""

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from scipy.stats import t as student
from torch import Tensor
from torch.distributions import Normal

from seatbelt_vae.objectives.aggregate import log_weights, mix

N, D = 10_000, 10


@dataclass(frozen=True)
class Aggregate:
    """N posteriors N(μ_n, σ² I) with μ_n ~ N(0, S - σ² I), so that the aggregate is N(0, S) but for N being finite."""

    name: str
    covariance: Tensor
    scale: float

    @property
    def total_correlation(self) -> float:
        """½ (Σ_d log S_dd - log det S) in nats."""
        return float(0.5 * (self.covariance.diagonal().log().sum() - torch.logdet(self.covariance)))

    def posteriors(self, generator: torch.Generator) -> Normal:
        root = torch.linalg.cholesky(self.covariance - self.scale**2 * torch.eye(D, dtype=torch.float64))
        loc = torch.randn(N, D, generator=generator, dtype=torch.float64) @ root.T
        return Normal(loc.float(), torch.full((N, D), self.scale))


def equicorrelated(rho: float) -> Tensor:
    return torch.full((D, D), rho, dtype=torch.float64) + (1 - rho) * torch.eye(D, dtype=torch.float64)


AGGREGATES = [
    Aggregate("independent, σ = 0.3", equicorrelated(0.0), 0.3),
    Aggregate("independent, σ = 0.7", equicorrelated(0.0), 0.7),
    Aggregate("all ρ = 0.5, σ = 0.6", equicorrelated(0.5), 0.6),
    Aggregate("all ρ = 0.8, σ = 0.3", equicorrelated(0.8), 0.3),
]


def published_mss(batch: int, data_size: int) -> Tensor:
    """Log weights of minibatch stratified sampling, as in the code that everyone copied.

    It fills the flattened (B·B) matrix with a stride of M + 1 = B: ``view(-1)[::M+1] = 1/N`` and ``view(-1)[1::M+1]``
    the stratified weight. A stride of B walks down a *column* (first column 0, then 1); the diagonal wants B + 1. So
    every sample's own posterior has weight 1/M where 1/N belongs, which costs up to 4 nats in the table. Then
    ``W[M-1, 0]`` is set to the stratified weight too, and that row sums to 1.31 at B = 4, N = 100.
    """
    M = batch - 1
    stratified = (data_size - M) / (data_size * M)
    weights = torch.full((batch, batch), 1 / M)
    weights.view(-1)[:: M + 1] = 1 / data_size
    weights.view(-1)[1 :: M + 1] = stratified
    weights[M - 1, 0] = stratified
    return weights.log()


ESTIMATORS: dict[str, Callable[[int, int], Tensor]] = {
    "MWS": lambda batch, data_size: log_weights(torch.zeros(batch), batch, data_size, "mws"),
    "MSS as published": published_mss,
    "MSS corrected": lambda batch, data_size: log_weights(torch.zeros(batch), batch, data_size, "mss"),
    "leave-one-in": lambda batch, data_size: log_weights(torch.zeros(batch), batch, data_size, "leave-one-in"),
}


def total_correlations(z: Tensor, q: Normal, log_w: dict[str, Tensor]) -> dict[str, float]:
    """The mean total correlation over samples z under several mixtures of q, a few rows at a time."""
    sums = dict.fromkeys(log_w, 0.0)
    for start in range(0, len(z), 32):
        rows = slice(start, start + 32)
        log_q = q.log_prob(z[rows, None])
        for name, weights in log_w.items():
            joint, marginals = mix(log_q, weights[rows])
            sums[name] += float((joint - marginals.sum(-1)).sum())
    return {name: total / len(z) for name, total in sums.items()}


@dataclass(frozen=True)
class Cell:
    """The mean over seeds of an estimate, and half the width of its 95 % interval (Student's t)."""

    mean: float
    half_width: float

    @classmethod
    def of(cls, values: list[float]) -> "Cell":
        x = torch.tensor(values, dtype=torch.float64)
        return cls(float(x.mean()), float(student.ppf(0.975, len(x) - 1) * x.std() / math.sqrt(len(x))))

    def __str__(self) -> str:
        return f"{self.mean:.2f} ± {self.half_width:.2f}"


def draw(q: Normal, chosen: Tensor, generator: torch.Generator) -> Tensor:
    return q.loc[chosen] + q.scale[chosen] * torch.randn(len(chosen), D, generator=generator)


def exact(q: Normal, generator: torch.Generator, samples: int = 400) -> float:
    """The total correlation of the mixture of all N posteriors itself: what an estimate over the whole data gives."""
    z = draw(q, torch.randint(N, (samples,), generator=generator), generator)
    return total_correlations(z, q, {"all": torch.full((samples, N), -math.log(N))})["all"]


def rows(batches: list[int], seeds: int) -> Iterator[list[str]]:
    for problem in AGGREGATES:
        found: dict[tuple[int, str], list[float]] = {}
        mixtures = []
        for seed in range(seeds):
            generator = torch.Generator().manual_seed(seed)
            q = problem.posteriors(generator)
            mixtures.append(exact(q, generator))
            for batch in batches:
                chosen = torch.randperm(N, generator=generator)[:batch]
                log_w = {name: weights(batch, N) for name, weights in ESTIMATORS.items()}
                own = Normal(q.loc[chosen], q.scale[chosen])
                for name, value in total_correlations(draw(q, chosen, generator), own, log_w).items():
                    found.setdefault((batch, name), []).append(value)
        truths = [f"{problem.total_correlation:.2f}", str(Cell.of(mixtures))]
        for batch in batches:
            yield [problem.name, *truths, str(batch), *(str(Cell.of(found[batch, name])) for name in ESTIMATORS)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--batches", type=int, nargs="+", default=[64, 256, 1024, 4096])
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    arguments = parser.parse_args()
    started = time.perf_counter()
    header = ["aggregate", "TC (nats)", f"TC of the {N} posteriors", "batch", *ESTIMATORS]
    print(f"Estimates of the total correlation in nats: D = {D}, N = {N}, mean over {arguments.seeds} seeds ± 95 %")
    table = [header, *rows(arguments.batches, arguments.seeds)]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    edge = "|" if arguments.markdown else ""
    for number, row in enumerate(table):
        cells = f" {edge} ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(f"{edge} {cells} {edge}".strip())
        if number == 0 and arguments.markdown:
            print("|" + "|".join("---" for _ in header) + "|")
    print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    main()
