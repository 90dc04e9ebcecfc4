"""Projected L-BFGS on many rows, one turn at a time; rows may enter and leave between turns."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from seatbelt_vae.optim.history import History
from seatbelt_vae.optim.linesearch import ARMIJO, KINKED, PATIENCE, TRIALS, LineSearch
from seatbelt_vae.optim.problem import Box, dot, wide
from seatbelt_vae.optim.rows import append, close_gaps, take, tensor_map
from seatbelt_vae.optim.solution import Status
from seatbelt_vae.optim.subproblem import GUESSES, quasi_newton_step

SMALLEST = 1e-8
"""Values smaller than this count as this in the relative decrease: a minimum of 0 need not be met to 1e-300."""

NOISE = 4.0
"""Rounding of f, in eps of x's dtype, that a step may lose: near a minimum no decrease can be seen below it."""

RESTART_GAIN = 1e-4
"""Relative decrease since the last restart along steepest descent that earns a row another."""

_AT_WORK = -1


class Problems(Protocol):
    """What a `Descent` works on: many bounded problems, each known by its index."""

    def evaluate(self, x: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
        """Values (B,) in float64 and gradients (B, n) at the points x (B, n) of the problems `index` (B,)."""

    def box(self, index: Tensor) -> Box:
        """The bounds of the problems `index`, each (B, n) or (1, n)."""


@dataclass(frozen=True)
class Rules:
    """When a row ends.

    Attributes:
        gradient_tolerance: the largest entry of P(x - g) - x is at most this; 0 for never.
        relative_tolerance: `patience` steps running decrease f by at most this share of |f|.
        patience: that many steps.
        memory: pairs of the quasi-Newton history.
        first_step: length of the first step, in the units of x.
        guesses: of the active bounds that a quasi-Newton step takes.
        wolfe: share of the slope that a line search may leave.
    """

    gradient_tolerance: float
    relative_tolerance: float
    patience: int = 2
    memory: int = 10
    first_step: float = 1.0
    guesses: int = GUESSES
    wolfe: float = KINKED


@dataclass
class Batch:
    """The rows at work; every tensor has one entry per row, so rows can be moved and joined alike."""

    index: Tensor  # which problem this is
    ticket: Tensor  # which of all solves: a problem may be solved twice at a time
    x: Tensor
    f: Tensor
    g: Tensor
    d: Tensor
    g_low: Tensor  # the gradient at the lower end of the bracket
    lower: Tensor
    upper: Tensor
    search: LineSearch
    history: History
    fresh: Tensor  # not evaluated yet: whatever is finite is accepted
    length: Tensor  # of the last accepted step: the scale of a steepest-descent restart
    budget: Tensor  # accepted steps left
    turns: Tensor  # evaluations
    f_mark: Tensor  # the lowest f when it last fell by more than the tolerance
    calm: Tensor  # accepted steps since
    f_restart: Tensor  # f at the last restart
    inherited: Tensor  # pairs of another problem; below 0, pairs still wanted since these were dropped
    status: Tensor

    @classmethod
    def begin(cls, index: Tensor, ticket: Tensor, x: Tensor, box: Box, budget: Tensor | int, rules: Rules) -> "Batch":
        """Rows that are not evaluated yet."""
        b, dtype, device = len(index), wide(x.device), x.device
        zero = torch.zeros(b, dtype=dtype, device=device)
        count = torch.zeros(b, dtype=torch.long, device=device)
        return cls(
            index=index, ticket=ticket, x=x, f=zero + torch.inf, g=torch.zeros_like(x), d=torch.zeros_like(x),
            g_low=torch.zeros_like(x), lower=box.lower.expand_as(x).contiguous(),
            upper=box.upper.expand_as(x).contiguous(),
            search=LineSearch.start(zero + 1, zero + torch.inf, zero.clone()),
            history=History.empty(b, rules.memory, x), fresh=count == 0, length=zero + rules.first_step,
            budget=count + budget, turns=count.clone(), f_mark=zero + torch.inf, calm=count.clone(),
            f_restart=zero + torch.inf, inherited=count.clone(), status=torch.full_like(count, _AT_WORK),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.index)

    def clamp(self, x: Tensor) -> Tensor:
        """The nearest points inside the bounds."""
        return x.clamp(self.lower, self.upper)


class Descent:
    r"""Minimises bounded functions together, each row on its own.

    The quasi-Newton step is restricted to the free variables, and followed along the projected path P(x + t d) until
    the decrease is enough and the slope flat. Each turn, a `step` and a `release`, evaluates every row at work once,
    whatever phase its line search is in. Rows never influence each other.

    Args:
        problems: their values, gradients and bounds.
        rules: when a row ends.
    """

    def __init__(self, problems: Problems, rules: Rules) -> None:
        self.problems, self.rules = problems, rules
        self._batch: Batch | None = None
        self._tickets = 0

    def __len__(self) -> int:
        return 0 if self._batch is None else len(self._batch)

    @property
    def batch(self) -> Batch:
        """The rows at work, and after a step those that ended in it."""
        if self._batch is None:
            raise ValueError("no row was admitted yet")
        return self._batch

    def admit(self, index: Tensor, x: Tensor, budget: Tensor | int, parents: Tensor | None = None) -> Tensor:
        """Take in problems.

        Args:
            index: which, (B,).
            x: their starting points, inside the bounds, (B, n).
            budget: steps each may take.
            parents: places in the batch of related rows, whose quasi-Newton memory is inherited.

        Returns:
            A ticket for each, by which `aged` knows it again, (B,).
        """
        ticket = self._tickets + torch.arange(len(index), device=index.device)
        if not len(index):
            return ticket
        self._tickets += len(index)
        new = Batch.begin(index, ticket, x, self.problems.box(index), budget, self.rules)
        if parents is not None:
            new.history = take(self.batch.history, parents)
            new.inherited = new.history.filled.sum(-1)
            new.length = torch.where(new.inherited > 0, self.batch.length[parents], new.length)
        self._batch = new if not len(self) else tensor_map(_join, self.batch, new)
        return ticket

    def step(self) -> None:
        """Evaluate every row at its trial point, and let each draw its own conclusion."""
        b = self.batch
        if not len(b):
            return
        search = b.search
        trial = b.clamp(torch.addcmul(b.x, search.step[:, None].to(b.x.dtype), b.d))
        f, g = self.problems.evaluate(trial, b.index)
        b.turns = b.turns + 1
        finite = torch.isfinite(f) & torch.isfinite(g.sum(-1))
        f = torch.where(finite, f, torch.inf)
        s = trial - b.x
        length = torch.linalg.vector_norm(s, dim=-1).to(f.dtype)
        stuck = length == 0  # the step is below the spacing of the floats
        slack = NOISE * torch.finfo(b.x.dtype).eps * b.f.abs()
        enough = finite & (b.fresh | (~stuck & (f <= b.f + ARMIJO * dot(b.g, s) + slack)))
        before = search.low, search.slope_low
        lost = ~finite | (stuck & search.f_high.isinf() & search.high.isfinite())
        slope = torch.where(finite, dot(g, s) / search.step, 0.0)
        done = search.record(f, slope, enough, self.rules.wolfe) | (b.fresh & finite)
        raised = ((search.low != before[0]) & ~done).nonzero()[:, 0]
        b.g_low[raised] = g[raised]
        spent = ~done & ((search.trials >= torch.where(search.low > 0, PATIENCE, TRIALS)) | stuck)
        settled = spent & (search.low > 0)  # no flat point found: the best steep one will do
        back = settled.nonzero()[:, 0]
        if len(back):
            low = search.low[back, None].to(b.x.dtype) * b.d[back]
            trial[back] = (b.x[back] + low).clamp(b.lower[back], b.upper[back])
            s[back], g[back], f[back] = trial[back] - b.x[back], b.g_low[back], search.f_low[back]
            length[back] = torch.linalg.vector_norm(s[back], dim=-1).to(f.dtype)
        self._conclude(b, done | settled, spent & ~settled, lost, (trial, f, g), s, length)
        search.step = search.next_step(*before)
        self._redirect(b, done | settled | spent)

    def _conclude(
        self, b: Batch, accept: Tensor, fail: Tensor, lost: Tensor, new: tuple[Tensor, ...], s: Tensor, length: Tensor
    ) -> None:
        """Move the rows that accept a step, and find who has ended and why."""
        x, f, g = new
        moved = accept & ~b.fresh
        b.history.push(s, g - b.g, moved)
        b.length = torch.where(moved, length, b.length)
        least = torch.maximum(b.f_mark.abs(), f.abs()).clamp_min(SMALLEST)
        progress = b.fresh | (f < b.f_mark - self.rules.relative_tolerance * least)
        b.calm = torch.where(accept, torch.where(progress, 0, b.calm + 1), b.calm)
        b.f_mark = torch.where(accept & progress, f, b.f_mark)
        b.f = torch.where(accept, f, b.f)
        b.x, b.g = _choose(accept, x, b.x), _choose(accept, g, b.g)
        b.budget, b.inherited = b.budget - moved.long(), b.inherited - b.inherited.sign() * moved
        over = b.calm >= self.rules.patience
        if self.rules.gradient_tolerance > 0:
            over |= (b.clamp(b.x - b.g) - b.x).abs().amax(-1) <= self.rules.gradient_tolerance
        b.status = torch.where(accept & (b.budget <= 0), int(Status.BUDGET), b.status)
        b.status = torch.where(accept & over, int(Status.CONVERGED), b.status)
        last = torch.where(lost, int(Status.NOT_FINITE), int(Status.STALLED))
        earned = b.history.filled.any(-1) & (b.f <= b.f_restart - RESTART_GAIN * b.f.abs())
        b.status = torch.where(fail & ~earned, last, b.status)
        b.f_restart = torch.where(fail & earned, b.f, b.f_restart)
        b.history.clear(fail & earned)  # the failure may be the memory's: once more along steepest descent
        b.fresh = b.fresh & ~accept

    def _redirect(self, b: Batch, where: Tensor) -> None:
        """Give the marked rows a new direction and a new line search."""
        d = quasi_newton_step(b.history, b.g, b.lower - b.x, b.upper - b.x, self.rules.guesses)
        slope = dot(b.g, d)
        size = torch.linalg.vector_norm(b.g, dim=-1) * torch.linalg.vector_norm(d, dim=-1)
        good = b.history.filled.any(-1) & (slope < -1e-10 * size)
        eps = torch.finfo(b.x.dtype).eps
        tolerance = min(self.rules.relative_tolerance, 10 * eps)
        little = good & (-slope <= tolerance * b.f.abs().clamp_min(SMALLEST))  # all that is left to gain
        doubtful = where & little & (b.inherited > 0)  # says another problem's memory: better to begin one's own
        b.history.clear(doubtful)
        b.inherited = torch.where(doubtful, -self.rules.memory, b.inherited)
        b.length = torch.where(doubtful, self.rules.first_step, b.length)
        good &= ~doubtful
        little &= b.inherited == 0
        step = torch.ones_like(slope)
        rest = (where & ~good).nonzero()[:, 0]
        if len(rest):
            d[rest], slope[rest], step[rest] = self._steepest(b, rest)
            little[rest] = slope[rest] == 0  # stationary to the last bit
        b.status = torch.where(where & little & (b.status == _AT_WORK), int(Status.CONVERGED), b.status)
        b.d = _choose(where, d, b.d)
        new = LineSearch.start(step, b.f, slope)
        b.search = tensor_map(lambda a, c: torch.where(where, a, c), new, b.search)

    @staticmethod
    def _steepest(b: Batch, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Direction, slope and first step of some rows downhill inside the bounds."""
        x, g = b.x[rows], b.g[rows]
        blocked = ((x <= b.lower[rows]) & (g >= 0)) | ((x >= b.upper[rows]) & (g <= 0))
        d = torch.where(blocked, 0.0, -g)
        slope = dot(g, d)
        return d, slope, b.length[rows] / (-slope).sqrt().clamp_min(torch.finfo(slope.dtype).tiny)

    @property
    def ended(self) -> Tensor:
        """Places of the rows that ended and were not released yet."""
        return (self.batch.status != _AT_WORK).nonzero()[:, 0]

    def release(self) -> Batch:
        """Hand out the rows that ended."""
        ended = self.ended  # the one synchronisation that a turn needs
        out: Batch = take(self.batch, ended)
        if len(ended):
            self._batch = close_gaps(self.batch, len(self.batch), ended)
        return out

    def aged(self, ticket: Tensor, turns: Tensor) -> tuple[Tensor, Tensor]:
        """Which of the solves `ticket` (B,) were at work for `turns` (B,) or just ended, and their places here."""
        which, place = (ticket[:, None] == self.batch.ticket).nonzero(as_tuple=True)
        old = (self.batch.turns[place] >= turns[which]) | (self.batch.status[place] != _AT_WORK)
        return which[old], place[old]


def _join(a: Tensor, b: Tensor) -> Tensor:
    return append(a, b) if a.ndim == 3 else torch.cat((a, b))  # three dimensions has the history alone, and it is large


def _choose(where: Tensor, new: Tensor, old: Tensor) -> Tensor:
    return new if bool(where.all()) else torch.where(where[:, None], new, old)
