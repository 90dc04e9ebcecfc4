r"""Smallest norm: min ‖d‖ with c(d) ≤ limit, and the book that every solver of it keeps."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.optim.penalty import PathSolution
from seatbelt_vae.optim.problem import Box, Problem, value_and_gradient, wide
from seatbelt_vae.optim.solution import Status


@dataclass(frozen=True, eq=False)
class Levels:
    r"""Make ‖d‖₂ small while c(d) ≤ limit and the bounds hold: problem i is row i // K at limit i % K.

    Attributes:
        problem: c, its start and its bounds, which contain 0.
        limits: of c, (R, K), float64.
        x0: starting points inside the bounds, (R, n).
        bounds: of d, each broadcastable to (R, n).
    """

    problem: Problem
    limits: Tensor
    x0: Tensor
    bounds: Box

    @classmethod
    def of(cls, problem: Problem, limits: Tensor) -> "Levels":
        """Check what makes the problems.

        Raises:
            InputError: what `minimise` refuses; limits of another shape or not finite; bounds that exclude d = 0.
        """
        x0, box = problem.checked()
        limits = limits.to(x0.device, wide(x0.device))
        if limits.ndim != 2 or len(limits) != len(x0) or not bool(torch.isfinite(limits).all()):
            raise InputError(f"limits: needs finite numbers of shape ({len(x0)}, levels), got {tuple(limits.shape)}")
        if not bool(((box.lower <= 0) & (box.upper >= 0)).all()):
            raise InputError("bounds: d = 0 must be inside them")
        return cls(problem, limits, x0, box)

    @property
    def count(self) -> int:
        """R·K."""
        return self.limits.numel()

    @property
    def everything(self) -> Tensor:
        """The indices of all problems, (R·K,)."""
        return torch.arange(self.count, device=self.x0.device)

    def row(self, index: Tensor) -> Tensor:
        """The rows of the problems `index`."""
        return index // self.limits.shape[1]

    def box(self, index: Tensor) -> Box:
        """The bounds of the problems `index`."""
        return self.bounds.rows(self.row(index))

    def excess(self, d: Tensor, index: Tensor, width: float = 0.0) -> tuple[Tensor, Tensor]:
        """How far c is above its limit at d (B, n), (B,), and its gradient (B, n), of kinks smoothed over a width."""
        fun = self.problem.fun
        softened = self.problem.softened
        if width > 0 and softened is not None:
            fun = lambda d, rows: softened(d, rows, torch.full_like(d[:, 0], width))  # noqa: E731
        value, gradient = value_and_gradient(fun, d, self.row(index), self.problem.chunk)
        return value - self.limits.flatten()[index], gradient


class Search:
    """The smallest point that keeps to its limit, of every one of some problems, and what it took.

    Args:
        levels: all problems.
        index: those that are worked on, (B,); one may be there more than once.

    Attributes:
        start: where they begin, (B, n).
        x: the smallest point found, 0 where there is none, (B, n).
        norm: ‖x‖, infinite where there is none, (B,), float64.
        evaluations: of c and its gradient, (B,).
        status: why they ended, BUDGET until something is known, (B,).
    """

    def __init__(self, levels: Levels, index: Tensor) -> None:
        self.levels = levels
        self.index = index
        self.box = levels.box(index)
        self.start = levels.x0[levels.row(index)]
        self.x = torch.zeros_like(self.start)
        self.norm = torch.full((len(index),), torch.inf, dtype=wide(index.device), device=index.device)
        self.evaluations = torch.zeros_like(index)
        self.status = torch.full_like(index, int(Status.BUDGET))

    def look(self, d: Tensor, width: float = 0.0) -> tuple[Tensor, Tensor]:
        """Evaluate d (B, n), note the points that are better than all before; see `Levels.excess`."""
        excess, gradient = self.levels.excess(d, self.index, width)
        self.evaluations += 1
        self.note(d, excess <= 0)
        return excess, gradient

    def note(self, d: Tensor, feasible: Tensor) -> None:
        """Keep the points d (B, n) that are feasible and smaller than what is known."""
        norm = length(d)
        better = feasible & (norm < self.norm)
        self.norm = torch.where(better, norm, self.norm)
        self.x = torch.where(better[:, None], d, self.x)

    def solution(self) -> PathSolution:
        """The answer: for each limit the smallest point that keeps to it, whichever limit it was found for."""
        levels = self.levels
        shape = levels.limits.shape
        norm = self.norm.view(shape)
        harder = levels.limits[:, None, :] <= levels.limits[:, :, None]  # (row, limit, candidate)
        best = torch.where(harder, norm[:, None, :], torch.inf).min(-1)
        d = self.x.view(*shape, -1).take_along_dim(best.indices[:, :, None], dim=1)
        reached = best.values.isfinite()
        status = torch.where(reached, self.status.view(shape), int(Status.UNREACHED)).to(torch.int8)
        c = values(levels.problem, d)
        return PathSolution(d, best.values, c, best.values, status, self.evaluations.view(shape))


def values(problem: Problem, d: Tensor) -> Tensor:
    """Values of a problem's function at d (R, K, n), without a gradient, (R, K)."""
    rows, count = d.shape[:2]
    row = torch.arange(rows, device=d.device).repeat_interleave(count)
    points = d.flatten(0, 1)
    chunk = problem.chunk or len(points)
    found = []
    with torch.no_grad():
        for part, index in zip(points.split(chunk), row.split(chunk), strict=True):
            found.append(problem.fun(part, index).to(wide(d.device)))
    return torch.cat(found).view(rows, count)


def length(d: Tensor) -> Tensor:
    """‖d‖ of rows (B, n), in float64, (B,)."""
    return torch.linalg.vector_norm(d.to(wide(d.device)), dim=-1)


def directions(gradient: Tensor) -> Tensor:
    """Gradients (B, n) of length 1; 0 where there is none.

    Example:
        >>> directions(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
        tensor([[0.6000, 0.8000],
                [0.0000, 0.0000]])
    """
    return torch.nn.functional.normalize(gradient.nan_to_num(0.0, 0.0, 0.0), dim=-1)


def of_length(d: Tensor, radius: Tensor) -> Tensor:
    """Points (B, n) brought to the given distance (B,) from 0; 0 stays.

    Example:
        >>> of_length(torch.tensor([[3.0, 4.0]]), torch.tensor([10.0]))
        tensor([[6., 8.]])
    """
    return directions(d) * radius[:, None].to(d)


def cosine(step: int, steps: int) -> float:
    """From 1 at step 0 to 0 at the last, along half a cosine.

    Example:
        >>> cosine(0, 10), cosine(10, 10)
        (1.0, 0.0)
    """
    return (1 + math.cos(math.pi * step / steps)) / 2
