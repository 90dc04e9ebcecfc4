r"""FMN: gradient steps inside a ball whose radius closes in on the limit."""

import torch
from torch import Tensor

from seatbelt_vae.optim.ball import shrink
from seatbelt_vae.optim.ddn import check_steps
from seatbelt_vae.optim.levels import Levels, Search, cosine, directions, length
from seatbelt_vae.optim.penalty import PathSolution
from seatbelt_vae.optim.problem import Problem
from seatbelt_vae.progress import progress_bar

LAST_GAMMA = 0.001
"""γ at the end, as in the paper."""


def solve_fmn(
    problem: Problem,
    limits: Tensor,
    *,
    steps: int = 1000,
    step_size: float = 1.0,
    gamma: float = 0.05,
    progress: bool = False,
) -> PathSolution:
    r"""Smallest ‖d‖ with c(d) ≤ limit by fast minimum-norm steps.

    .. math::
        \varepsilon_{k+1} = \begin{cases}
            \min((1 - \gamma_k)\, \varepsilon_k,\; \|d^*\|) & c(d_k) \le \text{limit} \\
            (1 + \gamma_k)\, \varepsilon_k & \text{else, once a point kept to the limit} \\
            \|d_k\| + |c(d_k) - \text{limit}| \,/\, \|\nabla c(d_k)\| & \text{before} \end{cases}

    .. math::
        u = d_k - \alpha_k \frac{\nabla c(d_k)}{\|\nabla c(d_k)\|}, \qquad
        d_{k+1} = \Pi\big(u \min(1, \varepsilon_{k+1} / \|u\|)\big)

    d* is the best point so far; α falls along a cosine to a hundredth, γ to `LAST_GAMMA`; Π is the projection on the
    bounds.

    Args:
        problem: c and its bounds, which contain 0.
        limits: of c, shape (R, K).
        steps: evaluations of c and its gradient.
        step_size: α at the start, in the units of d.
        gamma: γ at the start.
        progress: show a bar on stderr.

    Returns:
        As `solve_ddn`.

    Raises:
        InputError: bad input, one line.

    References:
        Pintor, Roli, Brendel & Biggio 2021, Fast minimum-norm adversarial attacks through adaptive norm constraints.

    Example:
        >>> problem = Problem(lambda d, i: 1 - d[:, 0], torch.zeros(1, 2), -9.0, 9.0)
        >>> solve_fmn(problem, torch.tensor([[-1.0]])).distortion.round(decimals=2)
        tensor([[2.]], dtype=torch.float64)
    """
    check_steps(steps, step_size, gamma)
    levels = Levels.of(problem, limits)
    search = Search(levels, levels.everything)
    d = search.start
    epsilon = torch.full_like(search.norm, torch.inf)
    with progress_bar("Looking for small norms with FMN", total=steps, enabled=progress) as advance:
        for k in range(steps):
            falling = cosine(k, steps)
            gamma_k = LAST_GAMMA + (gamma - LAST_GAMMA) * falling
            excess, gradient = search.look(d)
            linear = length(d) + excess.abs() / length(gradient).clamp_min(1e-12)
            wider = torch.where(search.norm.isfinite(), (1 + gamma_k) * epsilon, linear)
            tighter = torch.minimum((1 - gamma_k) * epsilon, search.norm)
            epsilon = torch.where(excess <= 0, tighter, wider)
            alpha = step_size * (0.01 + 0.99 * falling)
            u = d - alpha * directions(gradient)
            d = search.box.clamp(shrink(u, epsilon.to(u)))
            advance()
    return search.solution()
