"""What every solver returns: the point, its value, why the row ended, and what it cost."""

from dataclasses import dataclass
from enum import IntEnum

import torch
from torch import Tensor

from seatbelt_vae.optim.problem import wide


class Status(IntEnum):
    """Why a row ended; the member's ``message`` is what a user reads.

    Example:
        >>> Status(1)
        <Status.STALLED: 1>
        >>> print(Status.BUDGET)
        the iteration budget ran out before convergence: raise max_iterations (or passes, in a continuation)
    """

    message: str

    CONVERGED = 0, "converged: the projected gradient or the relative decrease is below its tolerance"
    STALLED = 1, "stalled: no step decreases the objective, not even along steepest descent (a kink, or rounding)"
    BUDGET = 2, "the iteration budget ran out before convergence: raise max_iterations (or passes, in a continuation)"
    NOT_FINITE = (
        3,
        "the objective is infinite or NaN at the start or at every point tried; the best finite point is kept",
    )
    UNREACHED = 4, "no point reached the level: the smallest norm is infinite, and the image is the source"

    def __new__(cls, code: int, message: str) -> "Status":
        """Make a member that is its code and carries its message."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.message = message
        return member

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Solution:
    """One bounded minimisation per row.

    Attributes:
        x: the best feasible points found, shape (R, n), the dtype of the start.
        value: the objective there, shape (R,), float64.
        status: why each row ended, `Status` codes, shape (R,), int8.
        evaluations: values-with-gradient spent on each row, shape (R,), int64.

    Example:
        >>> import torch
        >>> from seatbelt_vae.optim import minimise
        >>> solution = minimise(lambda x, rows: (x**2).sum(-1), torch.ones(1, 2), 0.5, 2.0)
        >>> solution.x, Status(int(solution.status[0])).name
        (tensor([[0.5000, 0.5000]]), 'CONVERGED')
    """

    x: Tensor
    value: Tensor
    status: Tensor
    evaluations: Tensor

    @classmethod
    def unsolved(cls, x0: Tensor) -> "Solution":
        """What there is before the first evaluation: the starting points (R, n), and no values."""
        rows = len(x0)
        device = x0.device
        value = torch.full((rows,), torch.nan, dtype=wide(device), device=device)
        status = torch.zeros(rows, dtype=torch.int8, device=device)
        evaluations = torch.zeros(rows, dtype=torch.long, device=device)
        return cls(x0.clone(), value, status, evaluations)
