r"""The quasi-Newton model of each row, minimised inside its bounds."""

import numpy as np
import torch
from torch import Tensor

from seatbelt_vae.optim.history import History, bmm, products
from seatbelt_vae.optim.host import Floats, read, send
from seatbelt_vae.optim.rows import take

GUESSES = 3
"""Guesses of the active bounds. Most rows settle in three or four; more than three have not saved evaluations.
One will do where an evaluation costs little more than a guess."""

NEVER = -(2**40)
"""An age that makes every sum with it negative."""


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
    unsettled = side != history.side
    history.hold(side)
    step = step.clamp(low, high)
    if guesses == 1:
        return step
    rows = np.flatnonzero(read(unsettled.any(-1)))
    if 2 * len(rows) > len(step):  # a copy of the pairs costs more than to repeat what is settled
        return quasi_newton_step(history, gradient, low, high, guesses - 1)
    if len(rows):
        index = send(rows, step)
        part = take(history, rows)
        step[index] = quasi_newton_step(part, gradient[index], low[index], high[index], guesses - 1)
        history.side[index] = part.side
        history.gram_free[index] = part.gram_free
    return step


def _newton(history: History, gradient: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Solve for the free variables with the others held, and say where the held ones would go: unclipped."""
    theta = _theta(history)
    used = history.filled
    t = send(theta, gradient)
    held = torch.where(history.side < 0, low, torch.where(history.side > 0, high, -gradient / t))
    scale = send(np.concatenate((theta * used, used), axis=1), history.grams)  # of W's columns
    inner = products(held[:, None], history.pairs)[:, 0] * scale
    small = _small(history, send(theta, scale), scale)
    solved = torch.linalg.solve_ex(small, inner[:, :, None])[0][:, :, 0]
    weights = (solved * scale).to(t.dtype)
    return (bmm(weights[:, None], history.pairs)[:, 0] - gradient) / t


def _theta(history: History) -> Floats:
    """θ = y.y / s.y of the newest pair, (B, 1); 1 without pairs."""
    ratio = np.divide(history.yy, history.sy, out=np.ones_like(history.sy), where=history.filled)
    return np.take_along_axis(ratio, history.age.argmax(1)[:, None], axis=1)


def _small(history: History, theta: Tensor, scale: Tensor) -> Tensor:
    """K − W_F^T W_F / θ, (B, 2m, 2m); places without a pair are inert.

    The ages of y count as negative. Then the entries of S^T S and of L are those whose two ages add up to more than 0.
    """
    m = history.memory
    used = history.filled
    age = np.concatenate((np.where(used, history.age, NEVER), np.where(used, -history.age, NEVER)), axis=1)
    ages = send(age, scale)
    kernel = history.gram * (ages[:, :, None] + ages[:, None, :] > 0)
    kernel[:, :m, :m] *= theta[:, :, None]
    small = kernel - history.gram_free * (scale[:, :, None] * scale[:, None, :] / theta[:, :, None])
    diagonal = np.concatenate((~used, -np.where(used, history.sy, 1.0)), axis=1)
    small.diagonal(dim1=1, dim2=2).add_(send(diagonal, scale))
    return small
