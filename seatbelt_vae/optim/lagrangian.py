r"""Smallest norm to the last digits, from a point that is near: an augmented Lagrangian."""

import torch
from torch import Tensor

from seatbelt_vae.optim.lbfgsb import minimise_kinked
from seatbelt_vae.optim.levels import Search, length
from seatbelt_vae.optim.solution import Status

STIFFNESS = 10.0
"""μ in units of ‖d‖²/(what c has to fall)²."""

ITERATIONS = 20
"""Steps of every minimisation over d."""

REACHES = (1.0, 1.001, 1.004, 1.016)
"""How far along its ray an end is tried, as the Lagrangian's lie a little short of the limit."""

SETTLED = 1e-3
"""Share of the norm that the last round may gain where a polish has converged."""

POLISHING = 110
"""Evaluations that a polish takes, nearly always at most."""


def polish(search: Search, rounds: int = 3) -> Search:
    r"""Shrink the points of a search further, where they keep to their limits.

    .. math::
        \min_d \; \frac{\|d\|^2}{2} + \frac{\mu}{2} \Big(c(d) - \text{limit} + \frac{y}{\mu}\Big)_+^2, \qquad
        y \leftarrow \big(y + \mu (c(d) - \text{limit})\big)_+

    The first multiplier y is the one that fits best: y ∇c = −d. No point becomes worse.

    Args:
        search: a search, one point for every problem.
        rounds: minimisations, each followed by a new multiplier.

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
    excess, gradient = inner.look(d)
    scale = length(d).clamp_min(1e-12)
    y = -(d.double() * gradient).sum(1) / length(gradient).square().clamp_min(1e-24)
    y = (y / scale**2).clamp(min=0)
    to_fall = levels.excess(0 * d, index)[0].clamp_min(1e-12)
    mu = STIFFNESS / to_fall**2
    box = levels.box(index)
    for _ in range(rounds):

        def lagrangian(d: Tensor, i: Tensor, y: Tensor = y) -> Tensor:
            c = levels.problem.fun(d, levels.row(index[i])) - levels.limits.flatten()[index[i]]
            size = d.to(c.dtype).square().sum(1) / (2 * scale[i] ** 2)
            return size + mu[i] / 2 * (c + y[i] / mu[i]).clamp(min=0) ** 2

        found = minimise_kinked(
            lagrangian, d, box.lower, box.upper, max_iterations=ITERATIONS, chunk=levels.problem.chunk
        )
        d = found.x
        inner.evaluations += found.evaluations
        excess = levels.excess(d, index)[0]
        y = (y + mu * excess).clamp(min=0)
        before = inner.norm
        for reach in REACHES:
            inner.look(box.clamp(reach * d))
    search.evaluations[reached] += inner.evaluations
    settled = before - inner.norm <= SETTLED * inner.norm
    search.status[reached] = torch.where(settled, int(Status.CONVERGED), int(Status.BUDGET))
    closer = inner.norm < search.norm[reached]
    search.norm[reached] = torch.where(closer, inner.norm, search.norm[reached])
    search.x[reached] = torch.where(closer[:, None], inner.x, search.x[reached])
    return search
