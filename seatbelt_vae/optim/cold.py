"""Every λ from the same start, on its own: the protocol of the papers, and the baselines of the path."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from seatbelt_vae.optim.lbfgsb import minimise_kinked
from seatbelt_vae.optim.penalty import PathSolution, Penalty, family
from seatbelt_vae.optim.problem import Bound, Objective
from seatbelt_vae.optim.solution import Solution


def solve_cold(
    smooth: Objective,
    x0: Tensor,
    lambdas: Tensor | Sequence[float],
    lower: Bound,
    upper: Bound,
    *,
    penalty: Penalty = "norm",
    solver: Callable[..., Solution] = minimise_kinked,
    chunk: int | None = None,
    **options: Any,
) -> PathSolution:
    r"""Minimise r(d) + λ‖d‖ for every row and every λ independently, all from `x0`.

    Args:
        smooth: r: ``smooth(d, rows) -> values``; d (B, n), rows (B,) indices in 0 … R − 1, values (B,).
        x0: starting points, shape (R, n).
        lambdas: penalties >= 0, shape (K,), any order.
        lower: bounds of d, a number or broadcastable to (R, n).
        upper: likewise.
        penalty: ``"norm"`` charges λ‖d‖, ``"squared"`` λ‖d‖².
        solver: `minimise_kinked`, or `minimise_scipy` or `minimise_adam`, the baselines.
        chunk: rows per call of `smooth`.
        options: passed on to the solver.

    Returns:
        See `PathSolution`.

    Raises:
        InputError: bad input, one line.

    Example:
        >>> a = torch.tensor([[3.0, 4.0]])
        >>> cold = solve_cold(lambda d, i: ((d - a) ** 2).sum(-1) / 2, a / 2, [0.0, 1.0], -9.0, 9.0)
        >>> cold.distortion.round(decimals=3)
        tensor([[5., 4.]], dtype=torch.float64)
    """
    problems = family(smooth, x0, lambdas, lower, upper, penalty, chunk)
    rows, grid = problems.shape
    everything = torch.arange(rows * grid, device=x0.device)
    low, high = problems.box(everything).lower, problems.box(everything).upper
    found = solver(problems.penalised, problems.x0[everything // grid], low, high, chunk=chunk, **options)
    r = problems.discrepancy(found.x, everything // grid)
    d = found.x.view(rows, grid, -1)
    return problems.solution(d, *(t.view(rows, grid) for t in (r, found.status, found.evaluations)))
