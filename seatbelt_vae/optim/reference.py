"""What `minimise` is measured against: scipy's L-BFGS-B one row at a time, and projected Adam."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from seatbelt_vae.optim.problem import Bound, Box, Objective, check, value_and_gradient
from seatbelt_vae.optim.solution import Solution, Status
from seatbelt_vae.progress import progress_bar

PAIRS = 25
"""Of scipy's history, as in the paper."""

FACTR = 10 * float(np.finfo(float).eps)
"""Scipy's relative tolerance, as in the paper."""

ENDS = (Status.CONVERGED, Status.BUDGET, Status.STALLED)
"""What scipy's status means: 0 converged, 1 out of iterations or evaluations, 2 the line search ended abnormally."""


def minimise_scipy(
    fun: Objective,
    x0: Tensor,
    lower: Bound,
    upper: Bound,
    *,
    max_iterations: int = 15000,
    gradient_tolerance: float = 1e-5,
    progress: bool = False,
) -> Solution:
    """Minimise one bounded function per row with scipy's L-BFGS-B, one row after another.

    Arguments and result are those of `minimise`; the settings are those of the paper (25 pairs, factr = 10).

    References:
        Zhu, Byrd, Lu & Nocedal 1997, Algorithm 778: L-BFGS-B.

    Example:
        >>> minimise_scipy(lambda x, rows: (x**2).sum(-1), torch.ones(1, 2), 0.5, 2.0).x
        tensor([[0.5000, 0.5000]])
    """
    x0, box = check(x0, lower, upper)
    options = {
        "maxcor": PAIRS,
        "maxiter": max_iterations,
        "maxfun": 2 * max_iterations,
        "ftol": FACTR,
        "gtol": gradient_tolerance,
    }
    found = Solution.unsolved(x0)
    with progress_bar("Minimising with scipy", total=len(x0), enabled=progress) as advance:
        for row in range(len(x0)):
            index = torch.tensor([row], device=x0.device)
            _solve_row(fun, x0, box, index, options, found)
            advance()
    return found


def _solve_row(
    fun: Objective,
    x0: Tensor,
    box: Box,
    row: Tensor,
    options: dict[str, Any],
    found: Solution,
) -> None:
    from scipy.optimize import minimize

    count = 0
    all_finite = True

    def value(x: np.ndarray[Any, Any]) -> tuple[float, np.ndarray[Any, Any]]:
        nonlocal count, all_finite
        point = torch.as_tensor(x[None], dtype=x0.dtype, device=x0.device)
        f, g = value_and_gradient(fun, point, row)
        count += 1
        all_finite = all_finite and bool(torch.isfinite(f).all())
        return float(f), _numpy(g)

    low = _numpy(box.lower.expand_as(x0)[row])
    high = _numpy(box.upper.expand_as(x0)[row])
    bounds = list(zip(low, high, strict=True))
    result = minimize(value, _numpy(x0[row]), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    x = torch.as_tensor(result.x[None], dtype=x0.dtype, device=x0.device)
    status = ENDS[min(int(result.status), 2)]
    if not all_finite and not np.isfinite(result.fun):
        status = Status.NOT_FINITE
    found.x[row] = box.rows(row).clamp(x)
    found.value[row] = float(result.fun)
    found.evaluations[row] = count
    found.status[row] = int(status)


def _numpy(rows: Tensor) -> np.ndarray[Any, Any]:
    """The only one of some rows (1, n)."""
    return rows[0].double().cpu().numpy()


def minimise_adam(
    fun: Objective,
    x0: Tensor,
    lower: Bound,
    upper: Bound,
    *,
    max_iterations: int = 3000,
    learning_rate: float = 1e-2,
    chunk: int | None = None,
    progress: bool = False,
) -> Solution:
    """Minimise one bounded function per row with projected Adam, all rows together; the best point seen is kept.

    Every row spends the whole budget, so the status is BUDGET, or NOT_FINITE where a value was not finite.

    References:
        Kingma & Ba 2015, Adam. Gondim-Ribeiro et al. 2018 attack with it.

    Example:
        >>> minimise_adam(lambda x, rows: (x**2).sum(-1), torch.ones(1, 2), 0.5, 2.0, max_iterations=100).x
        tensor([[0.5000, 0.5000]])
    """
    x0, box = check(x0, lower, upper)
    found = Solution.unsolved(x0)
    rows = torch.arange(len(x0), device=x0.device)
    x = x0.clone()
    m = torch.zeros_like(x0)
    v = torch.zeros_like(x0)
    best = torch.full_like(found.value, torch.inf)
    healthy = torch.ones_like(rows, dtype=torch.bool)
    with progress_bar("Minimising with Adam", total=max_iterations, enabled=progress) as advance:
        for step in range(1, max_iterations + 1):
            f, g = value_and_gradient(fun, x, rows, chunk)
            healthy &= torch.isfinite(f) & torch.isfinite(g).all(-1)
            better = healthy & (f < best)
            best = torch.where(better, f, best)
            found.x.copy_(torch.where(better[:, None], x, found.x))
            m = m.lerp(g, 0.1)
            v = v.lerp(g**2, 0.001)
            root = (v / (1 - 0.999**step)).sqrt() + 1e-8
            ascent = (m / (1 - 0.9**step)) / root
            x = torch.where(healthy[:, None], box.clamp(x - learning_rate * ascent), x)
            advance()
    found.value.copy_(torch.where(best.isinf(), torch.nan, best))
    found.status.copy_(torch.where(healthy, int(Status.BUDGET), int(Status.NOT_FINITE)))
    found.evaluations.fill_(max_iterations)
    return found
