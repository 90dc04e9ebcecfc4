r"""The family f_λ(d) = r(d) + λ‖d‖ that every attack minimises, and its minima over a grid of λ."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.optim.problem import Bound, Box, Objective, Rounded, check, value_and_gradient, wide

Penalty = Literal["norm", "squared"]
"""How d is charged: λ‖d‖ or λ‖d‖²."""


WIDTH = 0.05
"""Of rounded kinks, in the unit of `Rounded`."""


@dataclass(frozen=True)
class PathSolution:
    """The distortions found for R rows and K penalties.

    Attributes:
        x: d, feasible, shape (R, K, n), the dtype of the start.
        objective: r(d) + λ‖d‖ (or λ‖d‖²), shape (R, K), float64.
        discrepancy: r(d), shape (R, K), float64.
        distortion: ‖d‖, never squared, shape (R, K), float64.
        status: why each ended, `Status` codes, shape (R, K), int8.
        evaluations: values-with-gradient spent on each, shape (R, K), int64.
    """

    x: Tensor
    objective: Tensor
    discrepancy: Tensor
    distortion: Tensor
    status: Tensor
    evaluations: Tensor


def size(d: Tensor, penalty: Penalty) -> Tensor:
    """‖d‖ or ‖d‖² over the last dimension, handed on in float64; the gradient of ‖d‖ at 0 is 0."""
    norm = torch.linalg.vector_norm(d, dim=-1).to(wide(d.device))
    return norm if penalty == "norm" else norm**2


@dataclass(frozen=True)
class Family:
    """f_λ for R rows and K penalties, as R·K separate problems: problem i is row i // K at penalty i % K.

    Problem R·K + i is problem i with the kinks of r rounded off.

    Attributes:
        smooth: r: ``smooth(d, rows) -> values``, d (B, n), rows (B,) in 0 … R − 1.
        x0: starting points, shape (R, n).
        lambdas: penalties, shape (K,), float64.
        bounds: of d, each broadcastable to (R, n).
        penalty: ``"norm"`` or ``"squared"``.
        chunk: rows per call of `smooth`; None for all.
        rounded: r with its kinks rounded off; None where there is nothing to round.
    """

    smooth: Objective
    x0: Tensor
    lambdas: Tensor
    bounds: Box
    penalty: Penalty
    chunk: int | None
    rounded: Rounded | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(R, K)."""
        return len(self.x0), len(self.lambdas)

    def evaluate(self, d: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
        """Values (B,) and gradients (B, n) of the problems `index` (B,) at d (B, n); the penalty's in closed form."""
        charge = self.lambdas[index % len(self.lambdas)]
        f, g = value_and_gradient(self._discrepancy, d, index, self.chunk)
        p = size(d, self.penalty)
        pull = 2 * charge if self.penalty == "squared" else torch.where(p > 0, charge / p, 0.0)
        return f + charge * p, torch.addcmul(g, pull[:, None].to(d.dtype), d)

    def _discrepancy(self, d: Tensor, index: Tensor) -> Tensor:
        if self.rounded is None:
            return self.smooth(d, self.row(index))
        return self.rounded(d, self.row(index), WIDTH * (index >= self.count))

    @property
    def count(self) -> int:
        """R·K."""
        return len(self.x0) * len(self.lambdas)

    def row(self, index: Tensor) -> Tensor:
        """The rows of the problems `index`."""
        return index % self.count // len(self.lambdas)

    def box(self, index: Tensor) -> Box:
        """The bounds of the problems `index`."""
        return self.bounds.rows(self.row(index))

    def penalised(self, d: Tensor, index: Tensor) -> Tensor:
        """The values of `evaluate`, differentiable: for solvers that take a function."""
        charge = self.lambdas[index % len(self.lambdas)]
        return self.smooth(d, index // len(self.lambdas)).to(charge.dtype) + charge * size(d, self.penalty)

    def discrepancy(self, d: Tensor, row: Tensor) -> Tensor:
        """Values of r at d (B, n) for the rows given (B,), float64, no gradient."""
        chunk = self.chunk or max(1, len(d))
        with torch.no_grad():
            parts = zip(d.split(chunk), row.split(chunk), strict=True)
            return torch.cat([self.smooth(*part).to(wide(d.device)) for part in parts])

    def solution(self, d: Tensor, r: Tensor, status: Tensor, evaluations: Tensor) -> PathSolution:
        """Assemble the answer from d (R, K, n) and r, status, evaluations (R, K)."""
        objective = r + self.lambdas * size(d, self.penalty)
        distortion = torch.linalg.vector_norm(d.to(r.dtype), dim=-1)
        return PathSolution(d, objective, r, distortion, status.to(torch.int8), evaluations)


def family(
    smooth: Objective,
    x0: Tensor,
    lambdas: Tensor | Sequence[float],
    lower: Bound,
    upper: Bound,
    penalty: Penalty,
    chunk: int | None = None,
    rounded: Rounded | None = None,
) -> Family:
    """Check the ingredients of a family of problems.

    Raises:
        InputError: what `minimise` refuses; no λ, a negative or infinite one; an unknown penalty; a chunk of no row.
    """
    x0, box = check(x0, lower, upper)
    grid = torch.as_tensor(lambdas, dtype=wide(x0.device), device=x0.device)
    if grid.ndim != 1 or len(grid) == 0 or not bool((torch.isfinite(grid) & (grid >= 0)).all()):
        raise InputError("lambdas: needs one or more finite numbers >= 0")
    if penalty not in ("norm", "squared"):
        raise InputError(f"penalty: {penalty!r} is unknown; needs 'norm' or 'squared'")
    if chunk is not None and chunk < 1:
        raise InputError(f"chunk: {chunk} is too few, needs 1 or more, or None")
    return Family(smooth, x0, grid, box, penalty, chunk, rounded)
