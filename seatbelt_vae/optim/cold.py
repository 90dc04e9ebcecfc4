"""Every λ from the same start, on its own: the protocol of the papers, and the baselines of the path."""

from collections.abc import Callable
from typing import Any

import torch

from seatbelt_vae.optim.lbfgsb import minimise_kinked
from seatbelt_vae.optim.penalty import Family, Numbers, PathSolution
from seatbelt_vae.optim.problem import Problem
from seatbelt_vae.optim.solution import Solution


def solve_cold(
    problem: Problem,
    lambdas: Numbers,
    *,
    squared: bool = False,
    minimiser: Callable[..., Solution] = minimise_kinked,
    **options: Any,
) -> PathSolution:
    r"""Minimise r(d) + λ‖d‖ for every row and every λ independently, all from `x0`.

    Args:
        problem: r, its starting points and its bounds.
        lambdas: penalties >= 0, shape (K,), any order.
        squared: charge λ‖d‖², not λ‖d‖.
        minimiser: `minimise_kinked`, or `minimise_scipy` or `minimise_adam`, the baselines.
        options: of the minimiser.

    Returns:
        See `PathSolution`.

    Raises:
        InputError: bad input, one line.

    Example:
        >>> a = torch.tensor([[3.0, 4.0]])
        >>> problem = Problem(lambda d, i: ((d - a) ** 2).sum(-1) / 2, a / 2, -9.0, 9.0)
        >>> solve_cold(problem, [0.0, 1.0]).distortion.round(decimals=3)
        tensor([[5., 4.]], dtype=torch.float64)
    """
    family = Family.of(problem, lambdas, squared)
    shape = family.shape
    everything = torch.arange(family.count, device=family.x0.device)
    row = everything // shape[1]
    box = family.box(everything)
    found = minimiser(family.penalised, family.x0[row], box.lower, box.upper, **options)
    r = family.discrepancy(found.x, row)
    d = found.x.view(*shape, -1)
    return family.solution(d, r.view(shape), found.status.view(shape), found.evaluations.view(shape))
