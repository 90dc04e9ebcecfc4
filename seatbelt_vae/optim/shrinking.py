r"""Smallest norm by descent in balls that shrink, with softened gradients, and an augmented Lagrangian at the end."""

from dataclasses import dataclass

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.optim.ball import shrink
from seatbelt_vae.optim.lagrangian import POLISHING, polish
from seatbelt_vae.optim.levels import Levels, Search, cosine, directions, length
from seatbelt_vae.optim.penalty import PathSolution
from seatbelt_vae.optim.problem import Problem
from seatbelt_vae.progress import progress_bar

STRIDE = 0.5, 0.0025
"""The first and the last step of a round, as shares of the radius: long ones cross from valley to valley."""

GAMMA = 0.05
"""By how much of itself the radius changes in a step, at most."""

WIDTH = 0.2
"""Of the smoothed kinks at the start of a round, in the unit of `Smoothed`."""

LEAST = 2 * POLISHING
"""Evaluations that the rounds and the polish want at least."""


def solve_shrinking(
    problem: Problem,
    limits: Tensor,
    *,
    evaluations: int = 1000,
    rounds: int = 3,
    memory_budget: float = 2**30,
    progress: bool = False,
) -> PathSolution:
    r"""Smallest ‖d‖ with c(d) ≤ limit.

    A round descends inside a ball, by steps along a normalised gradient g that are a share κ of the radius ε:

    .. math::
        d_{k+1} = \Pi\big(\operatorname{shrink}_{\varepsilon_k}(d_k - \kappa_k \varepsilon_k g_k)\big), \qquad
        \varepsilon_k = \varepsilon_{k-1}
            + \operatorname{clip}\Big(\frac{c(d_k) - \text{limit}}{\|\nabla c(d_k)\|}, \pm \gamma \varepsilon_{k-1}\Big)

    So the radius follows the distance to the limit, and never exceeds the best norm known. g sees the kinks of c
    smoothed, while c itself decides: descents then pass by most of the poor minima that ReLUs make. The width of that,
    like κ, falls over the round. The first round begins at the anchor, each later one at the best point so far. That
    is polished by `polish`, which meets the conditions of a minimum. It is never worse than the anchor.

    Args:
        problem: c and its bounds, which contain 0; without an anchor it begins at `x0`.
        limits: of c, shape (R, K).
        evaluations: of c and its gradient, for every row and limit, at most.
        rounds: descents, one after the other.
        memory_budget: bytes that the polish's own tensors may take.
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
    check_rounds(evaluations, rounds)
    levels = Levels.of(problem, limits)
    search = Search(levels, levels.everything)
    place = first_place(search)
    steps = (evaluations - POLISHING - 1) // rounds
    with progress_bar("Looking for small norms", total=rounds * steps, enabled=progress) as advance:
        for _ in range(rounds):
            for k in range(steps):
                place = step(search, place, cosine(k, steps))
                advance()
            place = place.back_to_best(search)
    return polish(search, memory_budget).solution()


def check_rounds(evaluations: int, rounds: int) -> None:
    """Refuse what leaves a round without steps.

    Raises:
        InputError: fewer than `LEAST` evaluations, no round, more rounds than steps.
    """
    if evaluations < LEAST:
        raise InputError(f"evaluations: {evaluations} is too few, use {LEAST} or more")
    most = (evaluations - POLISHING) // 10
    if not 1 <= rounds <= most:
        raise InputError(f"rounds: {rounds} is not between 1 and {most}, a tenth of what the polish leaves")


@dataclass(frozen=True)
class Place:
    """Where descents are: points d (B, n), each in its ball of a radius (B,)."""

    d: Tensor
    radius: Tensor

    def back_to_best(self, search: Search) -> "Place":
        """The best points known, and their balls, where there are any."""
        known = search.norm.isfinite()
        d = torch.where(known[:, None], search.x, self.d)
        return Place(d, torch.where(known, search.norm, self.radius))


def first_place(search: Search) -> Place:
    """The anchor; without one the start, in a ball that reaches the limit if c is linear."""
    anchor = search.levels.problem.anchor
    if anchor is not None:
        d = search.box.clamp(anchor[search.levels.row(search.index)])
        return Place(d, length(d))
    excess, gradient = search.look(search.start)
    return Place(search.start, length(search.start) + to_limit(excess, gradient).abs())


def to_limit(excess: Tensor, gradient: Tensor) -> Tensor:
    """How far the limit is along the gradient if c is linear, below 0 where it is kept, (B,)."""
    return (excess / length(gradient).clamp_min(1e-12)).nan_to_num(0.0)


def step(search: Search, place: Place, falling: float) -> Place:
    """One step; `falling` goes from 1 to 0 over a round."""
    d = place.d
    excess, gradient = search.look(d, WIDTH * falling**2)
    radius = torch.where(excess <= 0, torch.minimum(place.radius, length(d)), place.radius)
    change = to_limit(excess, gradient).clamp(-GAMMA * radius, GAMMA * radius)
    radius = torch.minimum(radius + change, search.norm)
    stride = STRIDE[1] + (STRIDE[0] - STRIDE[1]) * falling
    u = d - (stride * radius)[:, None].to(d) * directions(gradient)
    return Place(search.box.clamp(shrink(u, radius.to(d))), radius)
