r"""Smallest norm by descent in balls that shrink, from several starts, and an augmented Lagrangian at the end."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.optim.ball import shrink
from seatbelt_vae.optim.lagrangian import POLISHING, polish
from seatbelt_vae.optim.levels import Levels, Search, cosine, directions, length
from seatbelt_vae.optim.path import PathSettings, follow_path
from seatbelt_vae.optim.penalty import Family, PathSolution
from seatbelt_vae.optim.problem import Problem
from seatbelt_vae.optim.rows import join
from seatbelt_vae.progress import progress_bar

STARTS = ((0.0, 1.0), (0.5, 1.0), (0.0, 2.0), (0.5, 0.5), (0.0, 0.5), (0.5, 2.0))
"""Where each start begins, as a share of the way to the anchor, and its first step, as a share of the radius: the
longer, the less it matters where it began."""

LAST_STRIDE = 0.005
"""The last step, as a share of the first."""

GAMMA = 0.05, 0.001
"""By how much of itself the radius changes, at the start and at the end."""

PRICES = (0.25, 1.0)
"""λ of the path, in units of r(0)/‖x_t − x‖: at 1 the target costs as much as doing nothing."""

LEAST = 400
"""Evaluations that the path, the starts and the polish want at least."""

PATH = PathSettings(max_iterations=40, coarse=30, shallow=30, deep=1)
"""A short one: it only has to find the valley."""


def solve_shrinking(
    problem: Problem,
    limits: Tensor,
    guide: Problem | None = None,
    *,
    evaluations: int = 1000,
    starts: int = 2,
    memory_budget: float = 2**30,
    progress: bool = False,
) -> PathSolution:
    r"""Smallest ‖d‖ with c(d) ≤ limit.

    Every start descends inside a ball, by steps along the normalised gradient that are a share κ of the radius:

    .. math::
        d_{k+1} = \Pi\Big(\operatorname{shrink}_{\varepsilon_k}\Big(
            d_k - \kappa_k \varepsilon_k \frac{\nabla c(d_k)}{\|\nabla c(d_k)\|}\Big)\Big)

    ε falls below ‖d_k‖ where d_k keeps to the limit, and grows where it does not, up to the best norm known. κ falls
    along a cosine, so that the early steps cross from valley to valley. What is best is polished by `polish`, which
    meets the conditions of a minimum. One of the starts is the end of a short path over λ of the guide.

    Args:
        problem: c and its bounds, which contain 0; its anchor, if any, says how far to look.
        limits: of c, shape (R, K).
        guide: r, whose path over λ gives a start; it needs an anchor. None for none.
        evaluations: of c or r and its gradient, for every row and limit, at most.
        starts: for every row and limit, 1 to 6, besides that of the guide.
        memory_budget: bytes that the solvers' own tensors may take.
        progress: show a bar on stderr.

    Returns:
        As `solve_ddn`; the status is CONVERGED where the last round of the polish gained nothing.

    Raises:
        InputError: bad input, one line.

    Example:
        >>> problem = Problem(lambda d, i: 1 - d[:, 0], torch.zeros(1, 2), -9.0, 9.0)
        >>> solve_shrinking(problem, torch.tensor([[-1.0]])).distortion.round(decimals=3)
        tensor([[2.]], dtype=torch.float64)
    """
    if not 1 <= starts <= len(STARTS):
        raise InputError(f"starts: {starts} is not between 1 and {len(STARTS)}")
    if evaluations < LEAST:
        raise InputError(f"evaluations: {evaluations} is too few, use {LEAST} or more")
    levels = Levels.of(problem, limits)
    begun = Starts.of(levels, starts)
    known = Search(levels, levels.everything)
    if guide is not None and guide.anchor is not None:
        begun = begun.join(guided(known, guide, memory_budget))
    left = evaluations - int(known.evaluations.max()) - POLISHING
    steps = max(1, left // (len(begun.index) // levels.count))
    search = Search(levels, begun.index)
    descend(search, begun, steps, progress)
    return polish(known.best_of(search)).solution()


@dataclass(frozen=True)
class Starts:
    """Where descents begin.

    Attributes:
        index: problems, (S,).
        d: points, (S, n).
        radius: of the first ball, (S,).
        stride: first step as a share of the radius, (S,).
    """

    index: Tensor
    d: Tensor
    radius: Tensor
    stride: Tensor

    @classmethod
    def of(cls, levels: Levels, count: int) -> "Starts":
        """The first so many of `STARTS`, for every problem."""
        index = levels.everything.repeat(count)
        row = levels.row(index)
        table = torch.tensor(STARTS[:count], dtype=levels.x0.dtype, device=row.device)
        share, stride = table.repeat_interleave(levels.count, dim=0).unbind(1)
        d = levels.x0[row]
        anchor = levels.problem.anchor
        if anchor is None:
            excess, gradient = levels.excess(d, index)
            return cls(index, d, excess.abs() / length(gradient).clamp_min(1e-12), stride)
        d = levels.box(index).clamp(d + share[:, None] * anchor[row])
        return cls(index, d, length(anchor[row]) / 2, stride)

    def join(self, more: "Starts") -> "Starts":
        """These and more."""
        joined: Starts = join(self, more)
        return joined


def guided(known: Search, guide: Problem, memory_budget: float) -> Starts:
    """Follow the guide's path, note what keeps to the limits, and start there; elsewhere where c is least."""
    levels = known.levels
    anchor = guide.anchor
    assert anchor is not None
    rows = torch.arange(len(anchor), device=anchor.device)
    family = Family.of(guide, PRICES, squared=False)
    clean = family.discrepancy(torch.zeros_like(anchor), rows) - family.discrepancy(anchor, rows)
    unit = length(anchor) / clean.abs().clamp_min(1e-12)

    def priced(d: Tensor, i: Tensor) -> Tensor:
        return guide.fun(d, i) * unit[i].to(d)

    path = follow_path(replace(guide, fun=priced, smoothed=None), PRICES, PATH, memory_budget=memory_budget)
    row = levels.row(known.index)
    known.evaluations += path.evaluations.sum(1)[row]
    least = torch.full_like(known.norm, torch.inf)
    start = levels.x0[row]
    for d in path.x.unbind(1):
        excess, _ = known.look(d[row])
        start = torch.where((excess < least)[:, None], d[row], start)
        least = torch.minimum(least, excess)
    found = known.norm.isfinite()
    start = torch.where(found[:, None], known.x, start)
    return Starts(known.index, start, length(start), torch.ones_like(start[:, 0]))


def descend(search: Search, begun: Starts, steps: int, progress: bool) -> None:
    """Steps along the normalised gradient, inside balls that shrink where a point keeps to its limit."""
    d = begun.d
    radius = begun.radius
    with progress_bar("Looking for small norms", total=steps, enabled=progress) as advance:
        for k in range(steps):
            falling = cosine(k, steps)
            gamma = GAMMA[1] + (GAMMA[0] - GAMMA[1]) * falling
            excess, gradient = search.look(d)
            tighter = (1 - gamma) * torch.minimum(radius, length(d))
            wider = torch.minimum((1 + gamma) * radius, search.norm)
            radius = torch.where(excess <= 0, tighter, wider)
            stride = begun.stride * (LAST_STRIDE + (1 - LAST_STRIDE) * falling) * radius
            u = d - stride[:, None].to(d) * directions(gradient)
            d = search.box.clamp(shrink(u, radius.to(d)))
            advance()
