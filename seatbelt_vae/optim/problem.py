"""Bounded problems, one a row: the checked start, the box, values and gradients in chunks."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.memory import halved

Objective = Callable[[Tensor, Tensor], Tensor]
"""``fun(x, rows) -> values``: x (B, n), rows (B,) their indices in the whole batch, values (B,). Rows independent."""

Smoothed = Callable[[Tensor, Tensor, Tensor], Tensor]
"""``fun(x, rows, width) -> values``: an objective with kinks smoothed over width (B,); itself where that is 0."""

Bound = Tensor | float


def wide(device: torch.device) -> torch.dtype:
    """The dtype of values and small matrices: float64 wherever the device has it."""
    if device.type == "mps":
        return torch.float32
    return torch.float64


@dataclass(frozen=True)
class Box:
    """Bounds that broadcast against (R, n); only the rows asked for are made."""

    lower: Tensor
    upper: Tensor

    def clamp(self, x: Tensor) -> Tensor:
        """The nearest point of the box, elementwise."""
        return torch.minimum(torch.maximum(x, self.lower), self.upper)

    def rows(self, index: Tensor) -> "Box":
        """The box of some rows only."""
        return Box(_rows(self.lower, index), _rows(self.upper, index))


def _rows(bound: Tensor, index: Tensor) -> Tensor:
    if bound.ndim == 2 and len(bound) > 1:
        return bound[index]
    return bound


@dataclass(frozen=True, eq=False)
class Problem:
    """Minimise a function r of d inside bounds, one problem a row.

    Args:
        fun: r: ``fun(d, rows) -> values``; d (B, n), rows (B,) indices in 0 … R − 1, values (B,).
        x0: starting points, (R, n), float32 or float64.
        lower: bounds of d, a number or broadcastable to (R, n).
        upper: likewise.
        smoothed: r with its kinks smoothed; None where there is nothing to smooth.
        chunk: rows per call of `fun`; None for all.
        anchor: points known to have a small r, (R, n), far from 0; a path sets out from them, too. None without.
        softened: r itself, but with the gradient of smoothed kinks; None where there is nothing to smooth.
    """

    fun: Objective
    x0: Tensor
    lower: Bound
    upper: Bound
    smoothed: Smoothed | None = None
    chunk: int | None = None
    anchor: Tensor | None = None
    softened: Smoothed | None = None

    def checked(self) -> tuple[Tensor, Box]:
        """The projected start and the box; see `check`."""
        if self.chunk is not None and self.chunk < 1:
            raise InputError(f"chunk: {self.chunk} is too few, needs 1 or more, or None")
        if self.anchor is not None and self.anchor.shape != self.x0.shape:
            raise InputError(f"anchor: shape {tuple(self.anchor.shape)}; needs that of x0, {tuple(self.x0.shape)}")
        return check(self.x0, self.lower, self.upper)


def check(x0: Tensor, lower: Bound, upper: Bound) -> tuple[Tensor, Box]:
    """Refuse what cannot be solved, and bring the start into the box.

    Args:
        x0: starting points, shape (R, n), float32 or float64.
        lower: lower bounds, a number or a tensor that broadcasts to (R, n); -inf allowed.
        upper: upper bounds, likewise; +inf allowed.

    Returns:
        The projected start and its box.

    Raises:
        InputError: a wrong shape or dtype, a NaN or infinity in `x0`, NaN in a bound, or a lower above its upper.
    """
    if x0.ndim != 2 or x0.shape[1] == 0:
        raise InputError(f"x0: shape {tuple(x0.shape)}; needs (rows, n), one starting point a row")
    if x0.dtype not in (torch.float32, torch.float64):
        raise InputError(f"x0: dtype {x0.dtype}; needs float32 or float64")
    if not bool(torch.isfinite(x0).all()):
        raise InputError("x0: holds NaN or infinity; every starting point must be finite")
    box = Box(_bound("lower", lower, x0), _bound("upper", upper, x0))
    if not bool((box.lower <= box.upper).all()):
        raise InputError("bounds: a lower bound is above its upper bound; needs lower <= upper everywhere")
    return box.clamp(x0.detach()), box


def _bound(name: str, bound: Bound, x0: Tensor) -> Tensor:
    tensor = torch.as_tensor(bound, dtype=x0.dtype, device=x0.device).detach()
    try:
        fits = np.broadcast_shapes(tensor.shape, x0.shape) == x0.shape  # torch's own imports sympy: a second
    except ValueError:
        fits = False
    if not fits:
        raise InputError(f"{name}: shape {tuple(tensor.shape)} does not broadcast to x0's {tuple(x0.shape)}")
    if bool(torch.isnan(tensor).any()):
        raise InputError(f"{name}: holds NaN; bounds are numbers, -inf and inf included")
    return tensor


def value_and_gradient(
    fun: Objective,
    x: Tensor,
    rows: Tensor,
    chunk: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Values (B,) in float64 and gradients (B, n) of independent rows, `chunk` rows a call.

    The sum of the values is differentiated: with independent rows its gradient holds each row's own. Where memory runs
    out the chunk is halved.

    Raises:
        InputError: `fun` returns another shape than (B,) or values that do not depend on x.
    """
    size = len(x)
    if chunk is not None:
        size = min(chunk, size)
    return halved(lambda rows_a_call: _in_chunks(fun, x, rows, rows_a_call), size)


def _in_chunks(fun: Objective, x: Tensor, rows: Tensor, chunk: int) -> tuple[Tensor, Tensor]:
    if len(x) <= chunk:
        return _evaluate(fun, x, rows)
    pieces = -(-len(x) // chunk)  # of nearly the same size: a small rest costs more a row
    values, gradients = [], []
    for part, index in zip(x.chunk(pieces), rows.chunk(pieces), strict=True):
        f, g = _evaluate(fun, part, index)
        values.append(f)
        gradients.append(g)
    return torch.cat(values), torch.cat(gradients)


def _evaluate(fun: Objective, x: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        value = fun(x, rows)
        if value.shape != x.shape[:1]:
            raise InputError(f"fun: returned shape {tuple(value.shape)}; needs one value a row, {tuple(x.shape[:1])}")
        if not value.requires_grad:
            raise InputError("fun: its values do not depend on x through autograd; needs a differentiable function")
        (gradient,) = torch.autograd.grad(value.sum(), x)
    return value.detach().to(wide(x.device)), gradient


def dot(a: Tensor, b: Tensor) -> Tensor:
    """Dot products of the rows of a and b (B, n), handed on in float64, (B,)."""
    return torch.linalg.vecdot(a, b).to(wide(a.device))


def norm(a: Tensor) -> Tensor:
    """Lengths of the rows of a (B, n), handed on in float64, (B,)."""
    return torch.linalg.vector_norm(a, dim=-1).to(wide(a.device))
