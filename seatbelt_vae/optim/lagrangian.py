r"""Smallest norm to the last digits, from a point that is near: an augmented Lagrangian."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from seatbelt_vae.optim.descent import Descent, Rules
from seatbelt_vae.optim.host import send
from seatbelt_vae.optim.lbfgsb import relative_tolerance, rows_within
from seatbelt_vae.optim.levels import Levels, Search, length
from seatbelt_vae.optim.problem import Box, value_and_gradient
from seatbelt_vae.optim.rows import pick
from seatbelt_vae.optim.solution import Status

STIFFNESS = 10.0
"""μ in units of ‖d‖²/(what c has to fall)²."""

ROUNDS = 3
"""Minimisations over d, each followed by a new multiplier."""

TURNS = 26
"""Evaluations of each."""

TRIES = 4
"""Evaluations that bring an end to its limit, as the Lagrangian's lie a little short of it."""

REACH = 0.02, 1e-6
"""By how much of itself a try is longer at most, and how much is added so that rounding does not miss the limit."""

POLISHING = 2 + ROUNDS * (TURNS + TRIES)
"""Evaluations that a polish takes at most."""

SETTLED = 1e-3
"""Share of the norm that the last round may gain where a polish has converged."""


@dataclass(frozen=True, eq=False)
class Lagrangian:
    r"""The augmented Lagrangian of some problems, in units of the norm that each starts with.

    .. math:: \frac{\|d\|^2}{2} + \frac{\mu}{2} \Big(c(d) - \text{limit} + \frac{y}{\mu}\Big)_+^2

    Attributes:
        levels: all problems.
        index: those that are meant, (B,).
        unit: the norm it starts with, (B,).
        mu: μ, (B,).
        y: the multiplier, (B,).
    """

    levels: Levels
    index: Tensor
    unit: Tensor
    mu: Tensor
    y: Tensor

    def __call__(self, d: Tensor, i: Tensor) -> Tensor:
        """Its values at d (B, n) of the problems index[i], (B,)."""
        index = self.index[i]
        c = self.levels.problem.fun(d, self.levels.row(index)) - self.levels.limits.flatten()[index]
        size = d.to(c.dtype).square().sum(1) / (2 * self.unit[i] ** 2)
        return size + self.mu[i] / 2 * (c + self.y[i] / self.mu[i]).clamp(min=0) ** 2

    def evaluate(self, d: Tensor, i: Tensor) -> tuple[Tensor, Tensor]:
        """Values and gradients, for a `Descent`."""
        return value_and_gradient(self, d, i, self.levels.problem.chunk)

    def box(self, i: Tensor) -> Box:
        """The bounds, for a `Descent`."""
        return self.levels.box(self.index[i])

    def minimised(self, d: Tensor, memory_budget: float) -> tuple[Tensor, Tensor]:
        """Where `TURNS` evaluations lead from d (B, n), and how many each took, (B,)."""
        d = d.clone()
        spent = torch.zeros_like(self.index)
        rules = Rules(0.0, relative_tolerance(d.dtype))
        room = rows_within(memory_budget, d, rules.memory)
        for first in range(0, len(d), room):
            rows = np.arange(first, min(first + room, len(d)))
            descent = Descent(self, rules)
            descent.admit(rows, pick(d, rows), TURNS)
            for _ in range(TURNS):
                descent.step()
                index = send(descent.batch.index, spent)
                d[index] = descent.batch.x
                spent[index] += 1
                descent.release()
        return d, spent


def polish(search: Search, memory_budget: float = 2**30) -> Search:
    r"""Shrink the points of a search further, where they keep to their limits.

    .. math::
        \min_d \; \frac{\|d\|^2}{2} + \frac{\mu}{2} \Big(c(d) - \text{limit} + \frac{y}{\mu}\Big)_+^2, \qquad
        y \leftarrow \big(y + \mu (c(d) - \text{limit})\big)_+

    The first multiplier y is the one that fits best: y ∇c = −d. No point becomes worse.

    Args:
        search: a search, one point for every problem.
        memory_budget: bytes that the quasi-Newton memories may take.

    Returns:
        The same search.

    References:
        Nocedal & Wright 2006, Numerical Optimization, chapter 17.
    """
    reached = search.norm.isfinite().nonzero()[:, 0]
    if not len(reached):
        return search
    levels = search.levels
    index = search.index[reached]
    inner = Search(levels, index)
    d = search.x[reached]
    to_fall = inner.look(0 * d)[0].clamp_min(1e-12)
    _, gradient = inner.look(d)
    unit = length(d).clamp_min(1e-12)
    y = -(d.double() * gradient).sum(1) / length(gradient).square().clamp_min(1e-24)
    y = (y / unit**2).clamp(min=0)
    mu = STIFFNESS / to_fall**2
    for _ in range(ROUNDS):
        d, spent = Lagrangian(levels, index, unit, mu, y).minimised(d, memory_budget)
        inner.evaluations += spent
        before = inner.norm
        excess = reach(inner, d)
        y = (y + mu * excess).clamp(min=0)
    search.evaluations[reached] += inner.evaluations
    settled = before - inner.norm <= SETTLED * inner.norm
    search.status[reached] = torch.where(settled, int(Status.CONVERGED), int(Status.BUDGET))
    closer = inner.norm < search.norm[reached]
    search.norm[reached] = torch.where(closer, inner.norm, search.norm[reached])
    search.x[reached] = torch.where(closer[:, None], inner.x, search.x[reached])
    return search


def reach(search: Search, d: Tensor) -> Tensor:
    """Look at d (B, n), and along its ray for the limit by Newton's method; the excess at d, (B,)."""
    first, gradient = search.look(d)
    excess = first
    for _ in range(TRIES - 1):
        inside = (d > search.box.lower) & (d < search.box.upper)
        ray = torch.where(inside, d, 0.0)
        falls = -(gradient * ray).sum(1).to(excess)
        share = torch.where(falls > 0, excess / falls, 0.0).clamp(-REACH[0], REACH[0]) + REACH[1]
        d = search.box.clamp(d + share[:, None].to(d) * ray)
        excess, gradient = search.look(d)
    return first
