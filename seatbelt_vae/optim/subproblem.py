r"""The quasi-Newton model of each row, minimised inside its bounds."""

import torch
from torch import Tensor

from seatbelt_vae.optim.history import History, bmm, products

INNER = 8
"""Guesses of the active bounds at most. Most rows need two or three."""


def quasi_newton_step(history: History, gradient: Tensor, low: Tensor, high: Tensor) -> Tensor:
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

    Returns:
        The step, feasible, shape (B, n); for a row without pairs it is the clipped −g.

    References:
        Byrd, Nocedal & Schnabel 1994, Representations of quasi-Newton matrices, theorem 2.3.
        Hintermüller, Ito & Kunisch 2002, The primal-dual active set strategy as a semismooth Newton method.
    """
    theta, scale, kernel = _compact(history)
    t = theta[:, None].to(gradient.dtype)
    open_rows = torch.ones(len(gradient), dtype=torch.bool, device=gradient.device)
    step = gradient
    for _ in range(INNER):
        held = torch.where(history.side < 0, low, torch.where(history.side > 0, high, -gradient / t))
        inner = products(history.pairs, held[:, None])[:, :, 0] * scale
        reduced = kernel - history.gram_free * (scale[:, :, None] * scale[:, None, :] / theta[:, None, None])
        weights = torch.linalg.solve_ex(reduced, inner[:, :, None])[0][:, :, 0] * scale
        newton = (bmm(weights[:, None].to(t.dtype), history.pairs)[:, 0] - gradient) / t
        clipped = torch.minimum(torch.maximum(newton, low), high)
        step = torch.where(open_rows[:, None], clipped, step)
        side = (newton >= high).to(torch.int8) - (newton <= low).to(torch.int8)
        side = torch.where(open_rows[:, None], side, history.side)
        open_rows = open_rows & (side != history.side).any(-1)
        history.hold(side)
        if not bool(open_rows.any()):
            break
    return step


def _compact(history: History) -> tuple[Tensor, Tensor, Tensor]:
    """The pieces theta (B,), the scale of W's columns (B, 2m) and K (B, 2m, 2m); places without a pair are inert."""
    m, used = history.memory, history.filled
    ss, sy, yy = history.gram[:, :m, :m], history.gram[:, :m, m:], history.gram[:, m:, m:]
    newest = history.age.argmax(1, keepdim=True)
    d = sy.diagonal(dim1=1, dim2=2)
    theta = (yy.diagonal(dim1=1, dim2=2) / torch.where(used, d, 1.0)).gather(1, newest)[:, 0]
    theta = torch.where(used.any(1), theta, 1.0)
    both = used[:, :, None] & used[:, None, :]
    newer = history.age[:, :, None] > history.age[:, None, :]
    lower = torch.where(both & newer, sy, 0.0)
    blank = torch.diag_embed((~used).to(d.dtype))
    top = torch.cat((torch.where(both, ss, 0.0) * theta[:, None, None] + blank, lower), dim=2)
    bottom = torch.cat((lower.mT, -torch.diag_embed(torch.where(used, d, 0.0)) - blank), dim=2)
    scale = torch.cat((theta[:, None] * used, used.to(d.dtype)), dim=1)
    return theta, scale, torch.cat((top, bottom), dim=1)
