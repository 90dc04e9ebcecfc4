r"""Minimisation inside a ball: what attacks with a fixed budget of distortion need."""

from typing import Any, Literal

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.optim.lbfgsb import minimise_kinked
from seatbelt_vae.optim.penalty import Numbers, PathSolution
from seatbelt_vae.optim.problem import Problem

Norm = Literal["l2", "linf"]


def solve_ball(
    problem: Problem,
    radii: Numbers,
    *,
    norm: Norm = "l2",
    restarts: int = 1,
    seed: int = 0,
    **options: Any,
) -> PathSolution:
    r"""Minimise r(d) over ‖d‖ ≤ ε and the bounds, for every row and every radius ε.

    The L∞ ball is a box, and met by the bounds. The L2 ball is met by shrinking: the variable is u, and

    .. math:: d = u \cdot \min(1, \varepsilon / \|u\|_2),

    which stays inside bounds that contain 0. Every restart of every row and radius is one row of a single batch. A
    point of a smaller ball is a candidate for the larger, so the value never rises with ε.

    Args:
        problem: r and its bounds, which contain 0. The first restart begins at `x0`, the others at random points.
        radii: ε > 0, shape (K,), any order.
        norm: ``l2`` or ``linf``.
        restarts: starting points per row and radius.
        seed: of the random ones; those of a row do not depend on the other rows.
        options: passed on to `minimise`.

    Returns:
        See `PathSolution`; `objective` and `discrepancy` are both r(d), `evaluations` those of all restarts.

    Raises:
        InputError: bad input, or bounds that exclude d = 0.

    Example:
        >>> a = torch.tensor([[3.0, 4.0]])
        >>> problem = Problem(lambda d, i: ((d - a) ** 2).sum(-1), 0 * a + 0.1, -9.0, 9.0)
        >>> solve_ball(problem, [1.0, 9.0]).x.round(decimals=3)
        tensor([[[0.6000, 0.8000],
                 [3.0000, 4.0000]]])
    """
    x0, box = problem.checked()
    grid = torch.as_tensor(radii, dtype=torch.float64, device=x0.device)
    fits = torch.isfinite(grid) & (grid > 0)
    if grid.ndim != 1 or len(grid) == 0 or not bool(fits.all()):
        raise InputError("radii: needs one or more finite numbers > 0")
    if norm not in ("l2", "linf"):
        raise InputError(f"norm: {norm!r} is unknown; needs 'l2' or 'linf'")
    if restarts < 1:
        raise InputError(f"restarts: {restarts} is too few, use 1 or more")
    if not bool(((box.lower <= 0) & (box.upper >= 0)).all()):
        raise InputError("bounds: d = 0 must be inside them")
    rows, count = len(x0), len(grid)
    solve = torch.arange(rows * count * restarts, device=x0.device)
    row = solve // (count * restarts)
    radius = grid[solve // restarts % count].to(x0.dtype)
    limits = box.rows(row)
    reach = torch.full_like(radius, torch.inf)[:, None]
    if norm == "linf":
        reach = radius[:, None]
    low = torch.maximum(limits.lower, -reach)
    high = torch.minimum(limits.upper, reach)

    def inside(u: Tensor, i: Tensor) -> Tensor:
        if norm == "linf":
            return u
        return shrink(u, radius[i])

    def fun(u: Tensor, i: Tensor) -> Tensor:
        return problem.fun(inside(u, i), row[i])

    starts = random_starts(x0, grid.to(x0.dtype), norm, restarts, seed)
    found = minimise_kinked(fun, starts, low, high, chunk=problem.chunk, **options)
    shape = (rows, count, restarts)
    d = inside(found.x, solve).view(*shape, -1)
    best = found.value.view(shape).nan_to_num(torch.inf).min(-1)
    status = found.status.view(shape).gather(2, best.indices[..., None])[..., 0]
    evaluations = found.evaluations.view(shape).sum(-1)
    keep = best.indices[..., None, None].expand(-1, -1, 1, d.shape[-1])
    d, value = smaller_balls(d.gather(2, keep)[:, :, 0], best.values, grid)
    distortion = torch.linalg.vector_norm(d.double(), dim=-1)
    return PathSolution(d, value, value, distortion, status, evaluations)


def shrink(u: Tensor, radius: Tensor) -> Tensor:
    """Points (B, n) moved radially into the L2 balls of the given radii (B,).

    Example:
        >>> shrink(torch.tensor([[3.0, 4.0], [0.3, 0.4]]), torch.ones(2))
        tensor([[0.6000, 0.8000],
                [0.3000, 0.4000]])
    """
    norm = torch.linalg.vector_norm(u, dim=-1, keepdim=True)
    tiny = torch.finfo(u.dtype).tiny
    factor = (radius[:, None] / norm.clamp_min(tiny)).clamp(max=1)
    return u * factor


def random_starts(x0: Tensor, radii: Tensor, norm: Norm, restarts: int, seed: int) -> Tensor:
    """Starting points (R·K·S, n): x0 first, then uniform in the cube or on the sphere of each radius.

    Example:
        >>> random_starts(torch.zeros(1, 3), torch.tensor([2.0]), "l2", restarts=2, seed=0).norm(dim=1)
        tensor([0., 2.])
    """
    starts = []
    shape = (len(radii), restarts - 1, x0.shape[1])
    for row, first in enumerate(x0):
        generator = torch.Generator().manual_seed(seed * 1_000_003 + row)
        if norm == "linf":
            direction = 2 * torch.rand(shape, generator=generator) - 1
        else:
            direction = torch.randn(shape, generator=generator)
            direction = torch.nn.functional.normalize(direction, dim=-1)
        others = direction.to(x0) * radii[:, None, None]
        own = first.expand(len(radii), 1, -1)
        starts.append(torch.cat([own, others], dim=1))
    return torch.stack(starts).flatten(0, 2)


def smaller_balls(d: Tensor, value: Tensor, radii: Tensor) -> tuple[Tensor, Tensor]:
    """For each radius the best point among its own and those of smaller balls; d (R, K, n), value (R, K).

    Example:
        >>> smaller_balls(torch.tensor([[[1.0], [2.0]]]), torch.tensor([[3.0, 5.0]]), torch.tensor([1.0, 2.0]))[1]
        tensor([[3., 3.]])
    """
    allowed = radii[None, :] <= radii[:, None]  # (ball, candidate)
    candidates = torch.where(allowed, value[:, None, :], torch.inf)
    best = candidates.min(-1)
    points = best.indices[..., None].expand_as(d)
    return d.gather(1, points), best.values
