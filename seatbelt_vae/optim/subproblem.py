r"""The quasi-Newton model of each row, minimised inside its bounds."""

import torch
from torch import Tensor

from seatbelt_vae.optim.history import History, bmm, products
from seatbelt_vae.optim.rows import take

GUESSES = 3
"""Guesses of the active bounds. Most rows settle in three or four; more than three have not saved evaluations.
One will do where an evaluation costs little more than a guess."""


def quasi_newton_step(
    history: History,
    gradient: Tensor,
    low: Tensor,
    high: Tensor,
    guesses: int = GUESSES,
) -> Tensor:
    r"""The step p that minimises the quadratic model inside the bounds.

    .. math:: \min_{low \le p \le high} g^T p + \tfrac12 p^T B p, \quad B = \theta I - W K^{-1} W^T, \quad
        W = [\theta S\; Y], \quad K = \begin{bmatrix} \theta S^T S & L \\ L^T & -D \end{bmatrix}

    By a semismooth Newton method: guess which variables are held at a bound, solve for the others with the small matrix
    K − W_F^T W_F / θ, clip, and take what was clipped as the next guess until it repeats. Stopping early leaves a
    feasible step that the line search judges like any other. The guess is kept in the history for the next time.

    Args:
        history: pairs and the last guess; its guess is updated.
        gradient: g, shape (B, n).
        low: lower bounds of p, at most 0, shape (B, n).
        high: upper bounds of p, at least 0.
        guesses: how many to make at most.

    Returns:
        The step, feasible, shape (B, n); for a row without pairs it is the clipped −g.

    References:
        Byrd, Nocedal & Schnabel 1994, Representations of quasi-Newton matrices, theorem 2.3.
        Hintermüller, Ito & Kunisch 2002, The primal-dual active set strategy as a semismooth Newton method.
    """
    step = _newton(history, gradient, low, high)
    side = (step >= high).to(torch.int8) - (step <= low).to(torch.int8)
    rows = (side != history.side).any(-1).nonzero()[:, 0]
    history.hold(side)
    again = guesses > 1 and len(rows) > 0
    if again and 2 * len(rows) > len(step):  # a copy of the pairs costs more than to repeat what is settled
        return quasi_newton_step(history, gradient, low, high, guesses - 1)
    step = torch.minimum(torch.maximum(step, low), high)
    if again:
        part = take(history, rows)
        step[rows] = quasi_newton_step(part, gradient[rows], low[rows], high[rows], guesses - 1)
        history.side[rows] = part.side
        history.gram_free[rows] = part.gram_free
    return step


def _newton(history: History, gradient: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Solve for the free variables with the others held, and say where the held ones would go: unclipped."""
    theta, scale, kernel = _compact(history)
    t = theta[:, None].to(gradient.dtype)
    above = torch.where(history.side > 0, high, -gradient / t)
    held = torch.where(history.side < 0, low, above)
    inner = products(held[:, None], history.pairs)[:, 0] * scale
    scales = scale[:, :, None] * scale[:, None, :] / theta[:, None, None]
    reduced = kernel - history.gram_free * scales
    solved = torch.linalg.solve_ex(reduced, inner[:, :, None])[0][:, :, 0]
    weights = (solved * scale)[:, None].to(t.dtype)
    return (bmm(weights, history.pairs)[:, 0] - gradient) / t


def _compact(history: History) -> tuple[Tensor, Tensor, Tensor]:
    """The pieces theta (B,), the scale of W's columns (B, 2m) and K (B, 2m, 2m); places without a pair are inert."""
    m = history.memory
    used = history.filled
    age = history.age
    ss = history.gram[:, :m, :m]
    sy = history.gram[:, :m, m:]
    yy = history.gram[:, m:, m:]
    d = sy.diagonal(dim1=1, dim2=2)
    ratio = yy.diagonal(dim1=1, dim2=2) / torch.where(used, d, 1.0)
    theta = ratio.gather(1, age.argmax(1, keepdim=True))[:, 0]
    theta = torch.where(used.any(1), theta, 1.0)
    both = used[:, :, None] & used[:, None, :]
    newer = age[:, :, None] > age[:, None, :]
    lower = torch.where(both & newer, sy, 0.0)
    blank = torch.diag_embed((~used).to(d.dtype))
    corner = torch.where(both, ss, 0.0) * theta[:, None, None] + blank
    other = -torch.diag_embed(torch.where(used, d, 0.0)) - blank
    top = torch.cat((corner, lower), dim=2)
    bottom = torch.cat((lower.mT, other), dim=2)
    scale = torch.cat((theta[:, None] * used, used.to(d.dtype)), dim=1)
    return theta, scale, torch.cat((top, bottom), dim=1)
