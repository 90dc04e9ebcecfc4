r"""Follow the minima of r(d) + λ‖d‖ as λ falls, and let every λ profit from what any other found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.optim.cold import solve_cold
from seatbelt_vae.optim.lbfgsb import minimise
from seatbelt_vae.optim.penalty import Family, PathSolution, Penalty, family, size
from seatbelt_vae.optim.problem import Bound, Objective, value_and_gradient
from seatbelt_vae.optim.reference import minimise_adam, minimise_scipy
from seatbelt_vae.optim.solution import Status
from seatbelt_vae.progress import progress_bar


def follow_path(
    smooth: Objective,
    x0: Tensor,
    lambdas: Tensor | Sequence[float],
    lower: Bound,
    upper: Bound,
    *,
    penalty: Penalty = "norm",
    walk_iterations: int = 20,
    rounds: int = 2,
    max_iterations: int = 100,
    chunk: int | None = None,
    progress: bool = False,
    **options: Any,
) -> PathSolution:
    r"""Minimise r(d) + λ‖d‖ for every row and every λ, together.

    λ is walked from large to small, each solve starting from the best point known. Any d found is a candidate for
    every λ, as its value there, r(d) + λ‖d‖, costs nothing: the lower *envelope* of these lines is taken, and polished
    by one batch over all rows and penalties whose start the envelope improved. At d = 0 no solve is needed where the
    slope of r on the bounds' tangent cone is at most λ, until another point is found to be better.

    Args:
        smooth: r: ``smooth(d, rows) -> values``; d (B, n), rows (B,) indices in 0 … R − 1, values (B,).
        x0: starting points, shape (R, n).
        lambdas: penalties >= 0, shape (K,), any order.
        lower: bounds of d, a number or broadcastable to (R, n); at most 0.
        upper: likewise, at least 0.
        penalty: ``"norm"`` charges λ‖d‖, ``"squared"`` λ‖d‖².
        walk_iterations: of each solve on the walk. The next λ goes on from there, so none need be carried to its end.
        rounds: how often envelope and polish are repeated at most; they stop when nothing improves.
        max_iterations: of each solve in a polish.
        chunk: rows per call of `smooth`.
        progress: show a bar on stderr.
        options: passed on to `minimise`.

    Returns:
        See `PathSolution`; `status` is that of the last solve.

    Raises:
        InputError: bad input, or bounds that exclude d = 0.

    Example:
        >>> a = torch.tensor([[3.0, 4.0]])
        >>> path = follow_path(lambda d, i: ((d - a) ** 2).sum(-1) / 2, 0 * a, [0.0, 1.0, 6.0], -9.0, 9.0)
        >>> path.distortion.round(decimals=3)
        tensor([[5., 4., 0.]], dtype=torch.float64)
    """
    problems = family(smooth, x0, lambdas, lower, upper, penalty)
    if not bool(((problems.box.lower <= 0) & (problems.box.upper >= 0)).all()):
        raise InputError("bounds: d = 0 must be inside them: a path starts there")
    path = _Path.begin(problems, chunk, partial(minimise, chunk=chunk, **options))
    rows, grid = problems.shape
    with progress_bar("Following the path", total=grid + rounds, enabled=progress) as advance:
        for k in problems.lambdas.argsort(descending=True).tolist():
            path.solve(path.open(torch.arange(rows, device=x0.device) * grid + k), min(walk_iterations, max_iterations))
            advance()
        for _ in range(rounds):
            path.solve(path.open(path.unfinished()), max_iterations)
            advance()
    return problems.solution(path.d, path.r, path.status, path.evaluations)


@dataclass
class _Path:
    """The best d known of each row at each λ (R, K, n), r there (R, K), and the accounts."""

    problems: Family
    chunk: int | None
    solver: Callable[..., Any]
    d: Tensor
    r: Tensor
    status: Tensor
    evaluations: Tensor
    slope: Tensor  # of r at d = 0, on the tangent cone of the bounds, (R,)

    @classmethod
    def begin(cls, problems: Family, chunk: int | None, solver: Callable[..., Any]) -> "_Path":
        """Everything at d = 0."""
        (rows, grid), x0, box = problems.shape, problems.x0, problems.box
        zero, index = torch.zeros_like(x0), torch.arange(len(x0), device=x0.device)
        r, g = value_and_gradient(problems.smooth, zero, index, chunk)
        downhill = torch.where(((box.lower >= 0) & (g > 0)) | ((box.upper <= 0) & (g < 0)), 0.0, g)
        count = torch.zeros(rows, grid, dtype=torch.long, device=x0.device)
        return cls(
            problems, chunk, solver, x0.new_zeros(rows, grid, x0.shape[1]), r[:, None].repeat(1, grid),
            torch.full_like(count, int(Status.CONVERGED)), count, size(downhill, "norm"),
        )  # fmt: skip

    def envelope(self) -> tuple[Tensor, Tensor]:
        """For each row and λ the best of the row's K points, and its value there: both (R, K)."""
        p = size(self.d, self.problems.penalty)
        value = self.r[:, None, :] + self.problems.lambdas[:, None] * p[:, None, :]  # (R, λ, point)
        best = value.min(-1)
        return best.indices, best.values

    def open(self, chosen: Tensor) -> Tensor:
        """Give the problems `chosen` the envelope's start; those are left out whose answer is known to be 0."""
        grid = len(self.problems.lambdas)
        row, k = chosen // grid, chosen % grid
        source = self.envelope()[0][row, k]
        self.d[row, k], self.r[row, k] = self.d[row, source], self.r[row, source]
        at_zero = (self.d[row, k] == 0).all(-1)
        bend = self.problems.lambdas[k] if self.problems.penalty == "norm" else 0 * self.slope[row]
        return chosen[~(at_zero & (self.slope[row] <= bend))]

    def unfinished(self) -> Tensor:
        """The problems cut short, and those for which another λ's point is better than their own; (B,) indices."""
        p = size(self.d, self.problems.penalty)
        own = self.r + self.problems.lambdas * p
        _, best = self.envelope()
        cut_short = self.status == int(Status.BUDGET)
        return ((best < own - 1e-12 * own.abs()) | cut_short).flatten().nonzero()[:, 0]

    def solve(self, chosen: Tensor, max_iterations: int) -> None:
        """Minimise the problems `chosen` from where they are."""
        if not len(chosen):
            return
        grid = len(self.problems.lambdas)
        row, k = chosen // grid, chosen % grid
        fun, low, high = self.problems.problem(chosen)
        found = self.solver(fun, self.d[row, k], low, high, max_iterations=max_iterations)
        self.d[row, k], self.status[row, k] = found.x, found.status.long()
        self.r[row, k] = self.problems.discrepancy(found.x, row, self.chunk)
        self.evaluations[row, k] += found.evaluations


SOLVERS: dict[str, Callable[..., PathSolution]] = {
    "path": follow_path,
    "cold": solve_cold,
    "scipy": partial(solve_cold, solver=minimise_scipy),
    "adam": partial(solve_cold, solver=minimise_adam),
}


def solve(
    name: str,
    smooth: Objective,
    x0: Tensor,
    lambdas: Tensor | Sequence[float],
    lower: Bound,
    upper: Bound,
    **options: Any,
) -> PathSolution:
    """Minimise r(d) + λ‖d‖ by the solver of that name: ``path``, ``cold``, ``scipy`` or ``adam``.

    ``path`` is `follow_path`; the others are `solve_cold` with `minimise`, scipy's L-BFGS-B and projected Adam.
    Arguments are theirs; ``penalty``, ``max_iterations``, ``chunk`` and ``progress`` suit all.

    Raises:
        InputError: an unknown name, or bad input.

    Example:
        >>> a = torch.tensor([[3.0, 4.0]])
        >>> solve("path", lambda d, i: ((d - a) ** 2).sum(-1) / 2, 0 * a, [1.0], -9.0, 9.0).objective
        tensor([[4.5000]], dtype=torch.float64)
    """
    if name not in SOLVERS:
        raise InputError(f"solver: {name!r} is unknown; needs one of {', '.join(SOLVERS)}")
    return SOLVERS[name](smooth, x0, lambdas, lower, upper, **options)
