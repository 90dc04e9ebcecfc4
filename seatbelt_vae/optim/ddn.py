r"""DDN: the direction from the gradient, the norm from a ball that shrinks where the limit is kept."""

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.optim.levels import Levels, Search, cosine, directions, of_length
from seatbelt_vae.optim.penalty import PathSolution
from seatbelt_vae.optim.problem import Problem
from seatbelt_vae.progress import progress_bar


def solve_ddn(
    problem: Problem,
    limits: Tensor,
    *,
    steps: int = 1000,
    step_size: float = 1.0,
    gamma: float = 0.05,
    radius: float = 1.0,
    progress: bool = False,
) -> PathSolution:
    r"""Smallest ‖d‖ with c(d) ≤ limit by decoupling direction and norm.

    .. math::
        \varepsilon_{k+1} = (1 \mp \gamma)\, \varepsilon_k, \qquad
        u = d_k - \alpha_k \frac{\nabla c(d_k)}{\|\nabla c(d_k)\|}, \qquad
        d_{k+1} = \Pi\Big(\varepsilon_{k+1} \frac{u}{\|u\|}\Big)

    − where d_k keeps to the limit, + where it does not; α falls along a cosine to a hundredth; Π is the projection on
    the bounds. The paper's rounding to 8 bits is left out.

    Args:
        problem: c and its bounds, which contain 0.
        limits: of c, shape (R, K).
        steps: evaluations of c and its gradient.
        step_size: α at the start, in the units of d.
        gamma: γ, by how much of itself the radius changes.
        radius: ε at the start; small, as a ball that reaches beyond the target only grows.
        progress: show a bar on stderr.

    Returns:
        See `PathSolution`: `objective` and `distortion` are ‖d‖, infinite where no point kept to the limit, and
        `discrepancy` is c(d).

    Raises:
        InputError: bad input, one line.

    References:
        Rony et al. 2019, Decoupling direction and norm for efficient gradient-based L2 adversarial attacks.

    Example:
        >>> problem = Problem(lambda d, i: 1 - d[:, 0], torch.zeros(1, 2), -9.0, 9.0)
        >>> solve_ddn(problem, torch.tensor([[-1.0]])).distortion.round(decimals=2)
        tensor([[2.]], dtype=torch.float64)
    """
    check_steps(steps, step_size, gamma)
    levels = Levels.of(problem, limits)
    search = Search(levels, levels.everything)
    d = search.start
    epsilon = torch.full_like(search.norm, radius)
    with progress_bar("Looking for small norms with DDN", total=steps, enabled=progress) as advance:
        for k in range(steps):
            excess, gradient = search.look(d)
            epsilon = torch.where(excess <= 0, (1 - gamma) * epsilon, (1 + gamma) * epsilon)
            alpha = step_size * (0.01 + 0.99 * cosine(k, steps))
            u = d - alpha * directions(gradient)
            d = search.box.clamp(of_length(u, epsilon))
            advance()
    return search.solution()


def check_steps(steps: int, step_size: float, gamma: float) -> None:
    """Refuse settings that make no descent.

    Raises:
        InputError: no step, one of no length, a γ outside (0, 1).
    """
    if steps < 1:
        raise InputError(f"steps: {steps} is too few, use 1 or more")
    if not step_size > 0:
        raise InputError(f"step_size: {step_size} is not above 0")
    if not 0 < gamma < 1:
        raise InputError(f"gamma: {gamma} is not between 0 and 1")
