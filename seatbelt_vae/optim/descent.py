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

FLAT = 1e-3
"""Share of the gradient at the start that is no reason yet to end, however small it is."""

FIRST_STEP = 1.0
"""Length of the first step, in the units of x."""

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
        gradient_tolerance: the largest entry of P(x - g) - x is at most this, and at most `FLAT` of the largest free
            entry of g at the start; 0 for never.
        relative_tolerance: `patience` steps running decrease f by at most this share of |f|.
        patience: that many steps.
        memory: pairs of the quasi-Newton history.
        guesses: of the active bounds that a quasi-Newton step takes.
        wolfe: share of the slope that a line search may leave.
    """

    gradient_tolerance: float
    relative_tolerance: float
    patience: int = 2
    memory: int = 10
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
    steep: Tensor  # the largest free entry of the gradient at the start
    length: Tensor  # of the last accepted step: the scale of a steepest-descent restart
    budget: Tensor  # accepted steps left
    turns: Tensor  # evaluations
    f_mark: Tensor  # the lowest f when it last fell by more than the tolerance
    calm: Tensor  # accepted steps since
    f_restart: Tensor  # f at the last restart
    inherited: Tensor  # pairs of another problem; below 0, pairs still wanted since these were dropped
    status: Tensor

    @classmethod
    def begin(
        cls,
        index: Tensor,
        ticket: Tensor,
        x: Tensor,
        box: Box,
        budget: Tensor | int,
        rules: Rules,
    ) -> "Batch":
        """Rows that are not evaluated yet."""
        zero = torch.zeros(len(index), dtype=wide(x.device), device=x.device)
        count = torch.zeros(len(index), dtype=torch.long, device=x.device)
        infinite = zero + torch.inf
        return cls(
            index=index,
            ticket=ticket,
            x=x,
            f=infinite,
            g=torch.zeros_like(x),
            d=torch.zeros_like(x),
            g_low=torch.zeros_like(x),
            lower=box.lower.expand_as(x).contiguous(),
            upper=box.upper.expand_as(x).contiguous(),
            search=LineSearch.start(zero + 1, infinite, zero.clone()),
            history=History.empty(len(index), rules.memory, x),
            fresh=count == 0,
            steep=infinite.clone(),
            length=zero + FIRST_STEP,
            budget=count + budget,
            turns=count.clone(),
            f_mark=infinite.clone(),
            calm=count.clone(),
            f_restart=infinite.clone(),
            inherited=count.clone(),
            status=torch.full_like(count, _AT_WORK),
        )

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
        if self._batch is None:
            return 0
        return len(self._batch)

    @property
    def batch(self) -> Batch:
        """The rows at work, and after a step those that ended in it."""
        if self._batch is None:
            raise ValueError("no row was admitted yet")
        return self._batch

    def admit(
        self,
        index: Tensor,
        x: Tensor,
        budget: Tensor | int,
        parents: Tensor | None = None,
    ) -> Tensor:
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
        box = self.problems.box(index)
        new = Batch.begin(index, ticket, x, box, budget, self.rules)
        if parents is not None:
            new.history = take(self.batch.history, parents)
            new.inherited = new.history.filled.sum(-1)
            length = self.batch.length[parents]
            new.length = torch.where(new.inherited > 0, length, new.length)
        if len(self):
            new = tensor_map(_join, self.batch, new)
        self._batch = new
        return ticket

    def step(self) -> None:
        """Evaluate every row at its trial point, and let each draw its own conclusion."""
        b = self.batch
        if not len(b):
            return
        search = b.search
        step = search.step[:, None].to(b.x.dtype)
        trial = b.clamp(torch.addcmul(b.x, step, b.d))
        f, g = self.problems.evaluate(trial, b.index)
        b.turns = b.turns + 1
        finite = torch.isfinite(f) & torch.isfinite(g.sum(-1))
        f = torch.where(finite, f, torch.inf)
        s = trial - b.x
        length = torch.linalg.vector_norm(s, dim=-1).to(f.dtype)
        stuck = length == 0  # the step is below the spacing of the floats
        slack = NOISE * torch.finfo(b.x.dtype).eps * b.f.abs()
        falls = f <= b.f + ARMIJO * dot(b.g, s) + slack
        enough = finite & (b.fresh | (~stuck & falls))
        previous_low = search.low
        previous_slope = search.slope_low
        lost = ~finite | (stuck & search.f_high.isinf() & search.high.isfinite())
        slope = torch.where(finite, dot(g, s) / search.step, 0.0)
        flat = search.record(f, slope, enough, self.rules.wolfe)
        done = flat | (b.fresh & finite)
        raised = ((search.low != previous_low) & ~done).nonzero()[:, 0]
        b.g_low[raised] = g[raised]
        allowed = torch.where(search.low > 0, PATIENCE, TRIALS)
        spent = ~done & ((search.trials >= allowed) | stuck)
        settled = spent & (search.low > 0)  # no flat point found: the best steep one will do
        new = _Trial(trial, f, g, s, length)
        self._go_back(b, new, settled.nonzero()[:, 0])
        self._accept(b, new, done | settled)
        self._fail(b, spent & ~settled, lost)
        search.step = search.next_step(previous_low, previous_slope)
        self._redirect(b, done | settled | spent)

    @staticmethod
    def _go_back(b: Batch, new: "_Trial", rows: Tensor) -> None:
        """Replace the trial of some rows by the lower end of their bracket."""
        if not len(rows):
            return
        low = b.search.low[rows, None].to(b.x.dtype)
        x = b.x[rows] + low * b.d[rows]
        new.x[rows] = x.clamp(b.lower[rows], b.upper[rows])
        new.s[rows] = new.x[rows] - b.x[rows]
        new.g[rows] = b.g_low[rows]
        new.f[rows] = b.search.f_low[rows]
        new.length[rows] = torch.linalg.vector_norm(new.s[rows], dim=-1).to(new.f.dtype)

    def _accept(self, b: Batch, new: "_Trial", accept: Tensor) -> None:
        """Move the rows that accept their trial, and find who has converged or spent its budget."""
        moved = accept & ~b.fresh
        b.history.push(new.s, new.g - b.g, moved)
        b.length = torch.where(moved, new.length, b.length)
        least = torch.maximum(b.f_mark.abs(), new.f.abs()).clamp_min(SMALLEST)
        mark = b.f_mark - self.rules.relative_tolerance * least
        progress = b.fresh | (new.f < mark)
        calm = torch.where(progress, 0, b.calm + 1)
        b.calm = torch.where(accept, calm, b.calm)
        b.f_mark = torch.where(accept & progress, new.f, b.f_mark)
        b.f = torch.where(accept, new.f, b.f)
        b.x = _choose(accept, new.x, b.x)
        b.g = _choose(accept, new.g, b.g)
        b.budget = b.budget - moved.long()
        b.inherited = b.inherited - b.inherited.sign() * moved
        over = b.calm >= self.rules.patience
        if self.rules.gradient_tolerance > 0:
            free = torch.minimum(torch.maximum(-b.g, b.lower - b.x), b.upper - b.x)
            steep = b.g.where(free != 0, 0.0).abs().amax(-1).to(b.steep)
            b.steep = torch.where(accept & b.fresh, steep, b.steep)
            over |= free.abs().amax(-1) <= (FLAT * b.steep).clamp(max=self.rules.gradient_tolerance)
        b.status = torch.where(accept & (b.budget <= 0), int(Status.BUDGET), b.status)
        b.status = torch.where(accept & over, int(Status.CONVERGED), b.status)
        b.fresh = b.fresh & ~accept

    def _fail(self, b: Batch, fail: Tensor, lost: Tensor) -> None:
        """End the rows whose search failed, or let them go on once more along steepest descent."""
        reason = torch.where(lost, int(Status.NOT_FINITE), int(Status.STALLED))
        gained = b.f <= b.f_restart - RESTART_GAIN * b.f.abs()
        earned = b.history.filled.any(-1) & gained
        b.status = torch.where(fail & ~earned, reason, b.status)
        b.f_restart = torch.where(fail & earned, b.f, b.f_restart)
        b.history.clear(fail & earned)  # the failure may be the memory's

    def _redirect(self, b: Batch, where: Tensor) -> None:
        """Give the marked rows a new direction and a new line search."""
        low = b.lower - b.x
        high = b.upper - b.x
        d = quasi_newton_step(b.history, b.g, low, high, self.rules.guesses)
        slope = dot(b.g, d)
        size = torch.linalg.vector_norm(b.g, dim=-1) * torch.linalg.vector_norm(d, dim=-1)
        good = b.history.filled.any(-1) & (slope < -1e-10 * size)
        eps = torch.finfo(b.x.dtype).eps
        tolerance = min(self.rules.relative_tolerance, 10 * eps)
        scale = b.f.abs().clamp_min(SMALLEST)
        little = good & (-slope <= tolerance * scale)  # all that is left to gain
        doubtful = where & little & (b.inherited > 0)  # says another problem's memory: better to begin one's own
        b.history.clear(doubtful)
        b.inherited = torch.where(doubtful, -self.rules.memory, b.inherited)
        b.length = torch.where(doubtful, FIRST_STEP, b.length)
        good &= ~doubtful
        little &= b.inherited == 0
        step = torch.ones_like(slope)
        rest = (where & ~good).nonzero()[:, 0]
        if len(rest):
            d[rest], slope[rest], step[rest] = self._steepest(b, rest)
            little[rest] = slope[rest] == 0  # stationary to the last bit
        ends = where & little & (b.status == _AT_WORK)
        b.status = torch.where(ends, int(Status.CONVERGED), b.status)
        b.d = _choose(where, d, b.d)
        new = LineSearch.start(step, b.f, slope)
        b.search = tensor_map(lambda a, c: torch.where(where, a, c), new, b.search)

    @staticmethod
    def _steepest(b: Batch, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Direction, slope and first step of some rows downhill inside the bounds."""
        x = b.x[rows]
        g = b.g[rows]
        at_lower = (x <= b.lower[rows]) & (g >= 0)
        at_upper = (x >= b.upper[rows]) & (g <= 0)
        d = torch.where(at_lower | at_upper, 0.0, -g)
        slope = dot(g, d)
        tiny = torch.finfo(slope.dtype).tiny
        step = b.length[rows] / (-slope).sqrt().clamp_min(tiny)
        return d, slope, step

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
        waited = self.batch.turns[place] >= turns[which]
        over = waited | (self.batch.status[place] != _AT_WORK)
        return which[over], place[over]


@dataclass
class _Trial:
    """The point that each row tries, f and g there, and the step to it."""

    x: Tensor
    f: Tensor
    g: Tensor
    s: Tensor
    length: Tensor


def _join(a: Tensor, b: Tensor) -> Tensor:
    if a.ndim == 3:  # only the history has three dimensions, and it is large
        return append(a, b)
    return torch.cat((a, b))


def _choose(where: Tensor, new: Tensor, old: Tensor) -> Tensor:
    if bool(where.all()):
        return new
    return torch.where(where[:, None], new, old)
