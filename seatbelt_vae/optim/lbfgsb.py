"""Many bounded minimisations at once: projected L-BFGS, each row on its own."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.optim.descent import Descent, Ended, Rules
from seatbelt_vae.optim.host import send
from seatbelt_vae.optim.linesearch import KINKED
from seatbelt_vae.optim.problem import Bound, Box, Objective, check, value_and_gradient
from seatbelt_vae.optim.rows import pick
from seatbelt_vae.optim.solution import Solution
from seatbelt_vae.progress import progress_bar


def minimise(
    fun: Objective,
    x0: Tensor,
    lower: Bound,
    upper: Bound,
    *,
    max_iterations: int = 1000,
    memory: int = 10,
    gradient_tolerance: float = 1e-5,
    wolfe: float = 0.5,
    chunk: int | None = None,
    memory_budget: float = 2**30,
    progress: bool = False,
) -> Solution:
    r"""Minimise one bounded function per row, all rows together.

    .. math:: \min_{l_i \le x_i \le u_i} f_i(x_i), \quad i = 1, \dots, R

    Projected L-BFGS (:class:`~seatbelt_vae.optim.descent.Descent`): a row that ends makes room for the next.
    A row has converged when two steps running decrease f by at most 10 eps of its dtype (float32: 1 eps), times \|f\|.

    Args:
        fun: ``fun(x, rows) -> values``: x (B, n), rows (B,) their indices in the whole batch, values (B,);
            differentiable, row i of the values depending on row i of x alone.
        x0: starting points, shape (R, n), float32 or float64; projected onto the bounds first.
        lower: lower bounds, a number or a tensor that broadcasts to (R, n); -inf allowed.
        upper: upper bounds, likewise.
        max_iterations: accepted steps a row may take.
        memory: pairs of the quasi-Newton history.
        gradient_tolerance: converged when the largest entry of P(x - g) - x is at most this, and a thousandth of the
            largest free entry of g at the start: the unit of `fun` does not decide.
        wolfe: share of the slope that a line search may leave, in (0, 1): where `fun` has kinks, 0.9 wastes less.
        chunk: rows per call of `fun`; None for all at work.
        memory_budget: bytes the solver's own tensors may take; rows beyond it wait for their turn.
        progress: show a bar of finished rows on stderr.

    Returns:
        The best point of every row; see `Solution`.

    Raises:
        InputError: a start, a bound, a setting or `fun` is wrong.

    References:
        Byrd, Lu, Nocedal & Zhu 1995, A limited memory algorithm for bound constrained optimization.
        Bertsekas 1982, Projected Newton methods for optimization problems with simple constraints.

    Example:
        >>> target = torch.tensor([[0.5, 2.0], [-1.0, 0.25]])
        >>> solution = minimise(lambda x, rows: ((x - target[rows]) ** 2).sum(-1), torch.zeros(2, 2), 0.0, 1.0)
        >>> solution.x
        tensor([[0.5000, 1.0000],
                [0.0000, 0.2500]])
    """
    x0, box = check(x0, lower, upper)
    if not 0 < wolfe < 1:
        raise InputError(f"wolfe: {wolfe!r} is not between 0 and 1")
    if min(max_iterations, memory) < 1 or (chunk is not None and chunk < 1):
        raise InputError("max_iterations, memory, chunk: each needs to be at least 1")
    rules = Rules(gradient_tolerance, relative_tolerance(x0.dtype), memory=memory, wolfe=wolfe)
    descent = Descent(_Rows(fun, box, chunk), rules)
    found = Solution.unsolved(x0)
    waiting = np.arange(len(x0))
    room = rows_within(memory_budget, x0, memory)
    with progress_bar("Minimising", total=len(x0), enabled=progress) as advance:
        while len(waiting) or len(descent):
            free = room - len(descent)
            entering = waiting[:free]
            waiting = waiting[free:]
            descent.admit(entering, pick(x0, entering), max_iterations)
            descent.step()
            ended = descent.release()
            _write(found, ended)
            advance(len(ended))
    return found


minimise_kinked = partial(minimise, wolfe=KINKED)
"""`minimise` for functions with kinks, as networks have."""


def relative_tolerance(dtype: torch.dtype) -> float:
    """The relative decrease of f below which a step counts as none."""
    eps = torch.finfo(dtype).eps
    if dtype == torch.float64:
        return eps * 10
    return eps


@dataclass(frozen=True)
class _Rows:
    """One problem per row of the start."""

    fun: Objective
    bounds: Box
    chunk: int | None

    def evaluate(self, x: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
        return value_and_gradient(self.fun, x, index, self.chunk)

    def box(self, index: Tensor) -> Box:
        return self.bounds.rows(index)


def rows_within(budget: float, x: Tensor, memory: int) -> int:
    """How many rows of the size and dtype of x (·, n) a `Descent` can hold in `budget` bytes; at least 1."""
    vectors = 2 * memory + 20  # the pairs, the state, and what a turn needs besides
    matrices = 5 * (2 * memory) ** 2  # the products of the pairs, and what is made of them to solve with
    row = vectors * x.shape[1] * x.element_size() + 8 * matrices
    return max(1, int(budget / row))


def _write(found: Solution, ended: Ended) -> None:
    if not len(ended):
        return
    index = send(ended.index, found.x)
    f = np.where(np.isinf(ended.f), np.nan, ended.f)
    found.x[index] = ended.x
    found.value[index] = send(f, found.value)
    found.status[index] = send(ended.status, found.x).to(torch.int8)
    found.evaluations[index] = send(ended.turns, found.x)
