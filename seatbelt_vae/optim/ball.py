r"""Minimisation inside a ball: what attacks with a fixed budget of distortion need."""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.optim.lbfgsb import minimise_kinked
from seatbelt_vae.optim.penalty import PathSolution
from seatbelt_vae.optim.problem import Bound, Objective, check

Norm = Literal["l2", "linf"]


def solve_ball(
    smooth: Objective,
    x0: Tensor,
    radii: Tensor | Sequence[float],
    lower: Bound,
    upper: Bound,
    *,
    norm: Norm = "l2",
    restarts: int = 1,
    seed: int = 0,
    chunk: int | None = None,
    **options: Any,
) -> PathSolution:
    r"""Minimise r(d) over ‖d‖ ≤ ε and the bounds, for every row and every radius ε.

    The L∞ ball is a box, and met by the bounds. The L2 ball is met by shrinking: the variable is u, and

    .. math:: d = u \cdot \min(1, \varepsilon / \|u\|_2),

    which stays inside bounds that contain 0. Every restart of every row and radius is one row of a single batch. A
    point of a smaller ball is a candidate for the larger, so the value never rises with ε.

    Args:
        smooth: r: ``smooth(d, rows) -> values``; d (B, n), rows (B,) indices in 0 … R - 1, values (B,).
        x0: (R, n), where the first of the restarts begins; the others begin at random points of the ball.
        radii: ε > 0, shape (K,), any order.
        lower: bounds of d, a number or broadcastable to (R, n); at most 0.
        upper: likewise, at least 0.
        norm: ``l2`` or ``linf``.
        restarts: starting points per row and radius.
        seed: of the random ones; those of a row do not depend on the other rows.
        chunk: rows per call of `smooth`.
        options: passed on to `minimise`.

    Returns:
        See `PathSolution`; `objective` and `discrepancy` are both r(d), `evaluations` those of all restarts.

    Raises:
        InputError: bad input, or bounds that exclude d = 0.

    Example:
        >>> a = torch.tensor([[3.0, 4.0]])
        >>> solve_ball(lambda d, i: ((d - a) ** 2).sum(-1), 0 * a + 0.1, [1.0, 9.0], -9.0, 9.0).x.round(decimals=3)
        tensor([[[0.6000, 0.8000],
                 [3.0000, 4.0000]]])
    """
    x0, box = check(x0, lower, upper)
    grid = torch.as_tensor(radii, dtype=torch.float64, device=x0.device)
    if grid.ndim != 1 or len(grid) == 0 or not bool((torch.isfinite(grid) & (grid > 0)).all()):
        raise InputError("radii: needs one or more finite numbers > 0")
    if norm not in ("l2", "linf"):
        raise InputError(f"norm: {norm!r} is unknown; needs 'l2' or 'linf'")
    if restarts < 1:
        raise InputError(f"restarts: {restarts} is too few, use 1 or more")
    if not bool(((box.lower <= 0) & (box.upper >= 0)).all()):
        raise InputError("bounds: d = 0 must be inside them")
    rows, count = len(x0), len(grid)
    problem = torch.arange(rows * count * restarts, device=x0.device)
    row, radius = problem // (count * restarts), grid[problem // restarts % count].to(x0.dtype)
    limits = box.rows(row)
    reach = radius[:, None] if norm == "linf" else torch.full_like(radius, torch.inf)[:, None]
    low, high = torch.maximum(limits.lower, -reach), torch.minimum(limits.upper, reach)

    def inside(u: Tensor, i: Tensor) -> Tensor:
        return u if norm == "linf" else shrink(u, radius[i])

    starts = random_starts(x0, grid.to(x0.dtype), norm, restarts, seed)
    found = minimise_kinked(lambda u, i: smooth(inside(u, i), row[i]), starts, low, high, chunk=chunk, **options)
    d = inside(found.x, problem).view(rows, count, restarts, -1)
    best = found.value.view(rows, count, restarts).nan_to_num(torch.inf).min(-1)
    keep = best.indices[..., None, None].expand(-1, -1, 1, d.shape[-1])
    d, value = smaller_balls(d.gather(2, keep)[:, :, 0], best.values, grid)
    status = found.status.view(rows, count, restarts).gather(2, best.indices[..., None])[..., 0]
    distortion = torch.linalg.vector_norm(d.double(), dim=-1)
    return PathSolution(d, value, value, distortion, status, found.evaluations.view(rows, count, restarts).sum(-1))


def shrink(u: Tensor, radius: Tensor) -> Tensor:
    """Points (B, n) moved radially into the L2 balls of the given radii (B,).

    Example:
        >>> shrink(torch.tensor([[3.0, 4.0], [0.3, 0.4]]), torch.ones(2))
        tensor([[0.6000, 0.8000],
                [0.3000, 0.4000]])
    """
    norm = torch.linalg.vector_norm(u, dim=-1, keepdim=True)
    factor: Tensor = (radius[:, None] / norm.clamp_min(torch.finfo(u.dtype).tiny)).clamp(max=1)
    return u * factor


def random_starts(x0: Tensor, radii: Tensor, norm: Norm, restarts: int, seed: int) -> Tensor:
    """Starting points (R·K·S, n): x0 first, then uniform in the cube or on the sphere of each radius.

    Example:
        >>> random_starts(torch.zeros(1, 3), torch.tensor([2.0]), "l2", restarts=2, seed=0).norm(dim=1)
        tensor([0., 2.])
    """
    starts = []
    for row in range(len(x0)):
        generator = torch.Generator().manual_seed(seed * 1_000_003 + row)
        shape = (len(radii), restarts - 1, x0.shape[1])
        if norm == "linf":
            direction = 2 * torch.rand(shape, generator=generator) - 1
        else:
            direction = torch.nn.functional.normalize(torch.randn(shape, generator=generator), dim=-1)
        others = direction.to(x0) * radii[:, None, None]
        starts.append(torch.cat([x0[row].expand(len(radii), 1, -1), others], dim=1))
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
    return d.gather(1, best.indices[..., None].expand_as(d)), best.values
