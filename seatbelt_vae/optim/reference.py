"""What `minimise` is measured against: scipy's L-BFGS-B one row at a time, and projected Adam."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from seatbelt_vae.optim.problem import Bound, Box, Objective, check, value_and_gradient
from seatbelt_vae.optim.solution import Solution, Status
from seatbelt_vae.progress import progress_bar


def minimise_scipy(
    fun: Objective,
    x0: Tensor,
    lower: Bound,
    upper: Bound,
    *,
    max_iterations: int = 15000,
    memory: int = 25,
    gradient_tolerance: float = 1e-5,
    relative_tolerance: float | None = None,
    chunk: int | None = None,
    progress: bool = False,
) -> Solution:
    """Minimise one bounded function per row with scipy's L-BFGS-B, one row after another.

    Arguments and result are those of `minimise`; the defaults (25 pairs, factr = 10, that is a relative tolerance of
    10 eps of float64) are the settings of the paper. `chunk` is accepted and changes nothing.

    References:
        Zhu, Byrd, Lu & Nocedal 1997, Algorithm 778: L-BFGS-B.

    Example:
        >>> minimise_scipy(lambda x, rows: (x**2).sum(-1), torch.ones(1, 2), 0.5, 2.0).x
        tensor([[0.5000, 0.5000]])
    """
    x0, box = check(x0, lower, upper)
    ftol = 10 * float(np.finfo(float).eps) if relative_tolerance is None else relative_tolerance
    options = {"maxcor": memory, "maxiter": max_iterations, "maxfun": 2 * max_iterations, "ftol": ftol}
    options["gtol"] = gradient_tolerance
    found = Solution.unsolved(x0)
    with progress_bar("Minimising with scipy", total=len(x0), enabled=progress) as advance:
        for row in range(len(x0)):
            _solve_row(fun, x0, box, torch.tensor([row], device=x0.device), options, found)
            advance()
    return found


def _solve_row(fun: Objective, x0: Tensor, box: Box, row: Tensor, options: dict[str, Any], found: Solution) -> None:
    from scipy.optimize import minimize

    count, all_finite = 0, True

    def value(x: np.ndarray[Any, Any]) -> tuple[float, np.ndarray[Any, Any]]:
        nonlocal count, all_finite
        f, g = value_and_gradient(fun, torch.as_tensor(x[None], dtype=x0.dtype, device=x0.device), row)
        count, all_finite = count + 1, all_finite and bool(torch.isfinite(f).all())
        return float(f), g[0].double().cpu().numpy()

    bounds = [b.expand_as(x0)[row][0].double().cpu().numpy() for b in (box.lower, box.upper)]
    start = x0[row][0].double().cpu().numpy()
    result = minimize(
        value, start, jac=True, method="L-BFGS-B", bounds=list(zip(*bounds, strict=True)), options=options
    )
    one_row = box.rows(row)
    x = one_row.clamp(torch.as_tensor(result.x[None], dtype=x0.dtype, device=x0.device))
    # status: 0 converged, 1 out of iterations or evaluations, 2 the line search ended abnormally
    status = (Status.CONVERGED, Status.BUDGET, Status.STALLED)[min(int(result.status), 2)]
    found.x[row], found.value[row], found.evaluations[row] = x, float(result.fun), count
    found.status[row] = int(status if all_finite or np.isfinite(result.fun) else Status.NOT_FINITE)


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
    found, rows = Solution.unsolved(x0), torch.arange(len(x0), device=x0.device)
    x, m, v = x0.clone(), torch.zeros_like(x0), torch.zeros_like(x0)
    best, healthy = torch.full_like(found.value, torch.inf), torch.ones_like(rows, dtype=torch.bool)
    with progress_bar("Minimising with Adam", total=max_iterations, enabled=progress) as advance:
        for step in range(1, max_iterations + 1):
            f, g = value_and_gradient(fun, x, rows, chunk)
            healthy &= torch.isfinite(f) & torch.isfinite(g).all(-1)
            better = healthy & (f < best)
            best = torch.where(better, f, best)
            found.x.copy_(torch.where(better[:, None], x, found.x))
            m, v = m.lerp(g, 0.1), v.lerp(g**2, 0.001)
            ascent = (m / (1 - 0.9**step)) / ((v / (1 - 0.999**step)).sqrt() + 1e-8)
            x = torch.where(healthy[:, None], box.clamp(x - learning_rate * ascent), x)
            advance()
    found.value.copy_(torch.where(best.isinf(), torch.nan, best))
    found.status.copy_(torch.where(healthy, int(Status.BUDGET), int(Status.NOT_FINITE)))
    found.evaluations.fill_(max_iterations)
    return found
