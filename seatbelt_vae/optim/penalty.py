r"""The family f_λ(d) = r(d) + λ‖d‖ that penalised attacks minimise, and its minima over a grid of λ."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.optim.problem import Box, Problem, norm, value_and_gradient, wide

Numbers = Tensor | Sequence[float]

WIDTH = 0.05
"""Of smoothed kinks, in the unit of `Smoothed`."""


@dataclass(frozen=True)
class PathSolution:
    """The distortions found for R rows and K penalties or radii.

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


def size(d: Tensor, squared: bool) -> Tensor:
    """‖d‖ or ‖d‖² over the last dimension, handed on in float64; the gradient of ‖d‖ at 0 is 0."""
    length = norm(d)
    if squared:
        return length**2
    return length


@dataclass(frozen=True, eq=False)
class Family:
    """f_λ for R rows and K penalties, as R·K separate problems: problem i is row i // K at penalty i % K.

    Problem R·K + i is problem i with the kinks of r smoothed.

    Attributes:
        problem: r and its bounds.
        x0: starting points inside the bounds, shape (R, n).
        bounds: of d, each broadcastable to (R, n).
        lambdas: penalties, shape (K,), float64.
        squared: charge λ‖d‖², not λ‖d‖.
        anchor: the problem's, inside the bounds, (R, n).
    """

    problem: Problem
    x0: Tensor
    bounds: Box
    lambdas: Tensor
    squared: bool
    anchor: Tensor | None

    @classmethod
    def of(cls, problem: Problem, lambdas: Numbers, squared: bool) -> "Family":
        """Check what makes a family.

        Raises:
            InputError: what `minimise` refuses; no λ, a negative or infinite one; a chunk of no row.
        """
        x0, box = problem.checked()
        grid = torch.as_tensor(lambdas, dtype=wide(x0.device), device=x0.device)
        fits = torch.isfinite(grid) & (grid >= 0)
        if grid.ndim != 1 or len(grid) == 0 or not bool(fits.all()):
            raise InputError("lambdas: needs one or more finite numbers >= 0")
        anchor = problem.anchor
        if anchor is not None:
            anchor = box.clamp(anchor)
        return cls(problem, x0, box, grid, squared, anchor)

    @property
    def shape(self) -> tuple[int, int]:
        """(R, K)."""
        return len(self.x0), len(self.lambdas)

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

    def evaluate(self, d: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
        """Values (B,) and gradients (B, n) of the problems `index` (B,) at d (B, n); the penalty's in closed form."""
        charge = self.lambdas[index % len(self.lambdas)]
        f, g = value_and_gradient(self._smooth_part, d, index, self.problem.chunk)
        p = size(d, self.squared)
        pull = torch.where(p > 0, charge / p, 0.0)
        if self.squared:
            pull = 2 * charge
        return f + charge * p, torch.addcmul(g, pull[:, None].to(d.dtype), d)

    def _smooth_part(self, d: Tensor, index: Tensor) -> Tensor:
        if self.problem.smoothed is None:
            return self.problem.fun(d, self.row(index))
        width = WIDTH * (index >= self.count)
        return self.problem.smoothed(d, self.row(index), width)

    def penalised(self, d: Tensor, index: Tensor) -> Tensor:
        """The values of `evaluate`, differentiable: for solvers that take a function."""
        charge = self.lambdas[index % len(self.lambdas)]
        r = self.problem.fun(d, index // len(self.lambdas))
        return r.to(charge.dtype) + charge * size(d, self.squared)

    def discrepancy(self, d: Tensor, row: Tensor) -> Tensor:
        """Values of r at d (B, n) for the rows given (B,), float64, no gradient."""
        chunk = self.problem.chunk or max(1, len(d))
        values = []
        with torch.no_grad():
            for part, rows in zip(d.split(chunk), row.split(chunk), strict=True):
                values.append(self.problem.fun(part, rows).to(wide(d.device)))
        return torch.cat(values)

    def solution(self, d: Tensor, r: Tensor, status: Tensor, evaluations: Tensor) -> PathSolution:
        """Assemble the answer from d (R, K, n) and r, status, evaluations (R, K)."""
        objective = r + self.lambdas * size(d, self.squared)
        distortion = torch.linalg.vector_norm(d.to(r.dtype), dim=-1)
        return PathSolution(d, objective, r, distortion, status.to(torch.int8), evaluations)
