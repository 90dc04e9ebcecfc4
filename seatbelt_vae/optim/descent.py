"""Projected L-BFGS on many rows, one turn at a time; rows may enter and leave between turns."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from seatbelt_vae.optim.history import History
from seatbelt_vae.optim.host import Floats, Integers, Marks, read, send
from seatbelt_vae.optim.linesearch import ARMIJO, KINKED, PATIENCE, TRIALS, LineSearch
from seatbelt_vae.optim.problem import Box, dot, norm
from seatbelt_vae.optim.rows import choose, close_gaps, join, pick, row_map, take
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
    """The rows at work; every tensor and array has one entry per row, so rows can be moved and joined alike.

    No array is changed in place: fields may share one.
    """

    index: Integers  # which problem this is
    ticket: Integers  # which of all solves: a problem may be solved twice at a time
    x: Tensor
    f: Floats
    g: Tensor
    d: Tensor
    g_low: Tensor  # the gradient at the lower end of the bracket
    lower: Tensor
    upper: Tensor
    search: LineSearch
    history: History
    fresh: Marks  # not evaluated yet: whatever is finite is accepted
    steep: Floats  # the largest free entry of the gradient at the start
    length: Floats  # of the last accepted step: the scale of a steepest-descent restart
    budget: Integers  # accepted steps left
    turns: Integers  # evaluations
    f_mark: Floats  # the lowest f when it last fell by more than the tolerance
    calm: Integers  # accepted steps since
    f_restart: Floats  # f at the last restart
    inherited: Integers  # pairs of another problem; below 0, pairs still wanted since these were dropped
    status: Integers

    @classmethod
    def begin(
        cls,
        index: Integers,
        ticket: Integers,
        x: Tensor,
        box: Box,
        budget: Integers | int,
        rules: Rules,
    ) -> "Batch":
        """Rows that are not evaluated yet."""
        zero = np.zeros(len(index))
        count = np.zeros(len(index), dtype=np.int64)
        infinite = zero + np.inf
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
            search=LineSearch.start(zero + 1, infinite, zero),
            history=History.empty(len(index), rules.memory, x),
            fresh=count == 0,
            steep=infinite,
            length=zero + FIRST_STEP,
            budget=count + budget,
            turns=count,
            f_mark=infinite,
            calm=count,
            f_restart=infinite,
            inherited=count,
            status=count + _AT_WORK,
        )

    def __len__(self) -> int:
        return len(self.index)

    def clamp(self, x: Tensor) -> Tensor:
        """The nearest points inside the bounds."""
        return x.clamp(self.lower, self.upper)


@dataclass(frozen=True)
class Ended:
    """Rows that ended: the problem, the best point and its value, evaluations, and why.

    The value is infinite where none was finite.
    """

    index: Integers
    x: Tensor
    f: Floats
    turns: Integers
    status: Integers

    def __len__(self) -> int:
        return len(self.index)


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
        index: Integers,
        x: Tensor,
        budget: Integers | int,
        parents: Integers | None = None,
    ) -> Integers:
        """Take in problems.

        Args:
            index: which, (B,).
            x: their starting points, inside the bounds, (B, n).
            budget: steps each may take.
            parents: places in the batch of related rows, whose quasi-Newton memory is inherited.

        Returns:
            A ticket for each, by which `aged` knows it again, (B,).
        """
        ticket = self._tickets + np.arange(len(index))
        if not len(index):
            return ticket
        self._tickets += len(index)
        box = self.problems.box(send(index, x))
        new = Batch.begin(index, ticket, x, box, budget, self.rules)
        if parents is not None:
            new.history = take(self.batch.history, parents)
            new.inherited = new.history.filled.sum(-1)
            length = self.batch.length[parents]
            new.length = np.where(new.inherited > 0, length, new.length)
        if len(self):
            new = join(self.batch, new)
        self._batch = new
        return ticket

    @np.errstate(all="ignore")  # what is infinite or NaN is dealt with
    def step(self) -> None:
        """Evaluate every row at its trial point, and let each draw its own conclusion."""
        b = self.batch
        if not len(b):
            return
        search = b.search
        trial = b.clamp(torch.addcmul(b.x, send(search.step, b.x)[:, None], b.d))
        value, g = self.problems.evaluate(trial, send(b.index, b.x))
        s = trial - b.x
        f, rise, fall, length, total = read(value, dot(g, s), dot(b.g, s), norm(s), g.sum(-1))
        b.turns = b.turns + 1
        finite = np.isfinite(f) & np.isfinite(total)
        f = np.where(finite, f, np.inf)
        stuck = length == 0  # the step is below the spacing of the floats
        slack = NOISE * torch.finfo(b.x.dtype).eps * np.abs(b.f)
        falls = f <= b.f + ARMIJO * fall + slack
        enough = finite & (b.fresh | (~stuck & falls))
        previous_low = search.low
        previous_slope = search.slope_low
        lost = ~finite | (stuck & np.isinf(search.f_high) & np.isfinite(search.high))
        slope = np.where(finite, rise / search.step, 0.0)
        flat = search.record(f, slope, enough, self.rules.wolfe)
        done = flat | (b.fresh & finite)
        b.g_low = choose((search.low != previous_low) & ~done, g, b.g_low)
        allowed = np.where(search.low > 0, PATIENCE, TRIALS)
        spent = ~done & ((search.trials >= allowed) | stuck)
        settled = spent & (search.low > 0)  # no flat point found: the best steep one will do
        new = _Trial(trial, f, g, s, length)
        self._go_back(b, new, settled)
        self._accept(b, new, done | settled)
        self._fail(b, spent & ~settled, lost)
        search.step = search.next_step(previous_low, previous_slope)
        self._redirect(b, done | spent)

    @staticmethod
    def _go_back(b: Batch, new: "_Trial", where: Marks) -> None:
        """Replace the trial of some rows by the lower end of their bracket."""
        if not where.any():
            return
        low = send(b.search.low, b.x)[:, None]
        new.x = choose(where, b.clamp(b.x + low * b.d), new.x)
        new.s = choose(where, new.x - b.x, new.s)
        new.g = choose(where, b.g_low, new.g)
        new.f = choose(where, b.search.f_low, new.f)
        (new.length,) = read(norm(new.s))

    def _accept(self, b: Batch, new: "_Trial", accept: Marks) -> None:
        """Move the rows that accept their trial, and find who has converged or spent its budget."""
        moved = accept & ~b.fresh
        b.history.push(new.s, new.g - b.g, np.flatnonzero(moved & (new.length > 0)))
        b.length = np.where(moved, new.length, b.length)
        least = np.maximum(np.abs(b.f_mark), np.abs(new.f)).clip(min=SMALLEST)
        mark = b.f_mark - self.rules.relative_tolerance * least
        progress = b.fresh | (new.f < mark)
        calm = np.where(progress, 0, b.calm + 1)
        b.calm = np.where(accept, calm, b.calm)
        b.f_mark = np.where(accept & progress, new.f, b.f_mark)
        b.f = np.where(accept, new.f, b.f)
        b.x = choose(accept, new.x, b.x)
        b.g = choose(accept, new.g, b.g)
        b.budget = b.budget - moved
        b.inherited = b.inherited - np.sign(b.inherited) * moved
        over = b.calm >= self.rules.patience
        if self.rules.gradient_tolerance > 0:
            over |= self._flat(b, accept & b.fresh)
        b.status = np.where(accept & (b.budget <= 0), int(Status.BUDGET), b.status)
        b.status = np.where(accept & over, int(Status.CONVERGED), b.status)
        b.fresh = b.fresh & ~accept

    def _flat(self, b: Batch, first: Marks) -> Marks:
        """Which rows have a gradient that is small, and small beside that at the start."""
        free = torch.minimum(torch.maximum(-b.g, b.lower - b.x), b.upper - b.x)
        steep = b.g.where(free != 0, 0.0).abs().amax(-1)
        left, steepest = read(free.abs().amax(-1), steep)
        b.steep = np.where(first, steepest, b.steep)
        least: Marks = left <= (FLAT * b.steep).clip(max=self.rules.gradient_tolerance)
        return least

    def _fail(self, b: Batch, fail: Marks, lost: Marks) -> None:
        """End the rows whose search failed, or let them go on once more along steepest descent."""
        reason = np.where(lost, int(Status.NOT_FINITE), int(Status.STALLED))
        gained = b.f <= b.f_restart - RESTART_GAIN * np.abs(b.f)
        earned = b.history.filled.any(-1) & gained
        b.status = np.where(fail & ~earned, reason, b.status)
        b.f_restart = np.where(fail & earned, b.f, b.f_restart)
        b.history.clear(fail & earned)  # the failure may be the memory's

    def _redirect(self, b: Batch, where: Marks) -> None:
        """Give the marked rows a new direction and a new line search."""
        low = b.lower - b.x
        high = b.upper - b.x
        d = quasi_newton_step(b.history, b.g, low, high, self.rules.guesses)
        slope, steep, length = read(dot(b.g, d), norm(b.g), norm(d))
        good = b.history.filled.any(-1) & (slope < -1e-10 * steep * length)
        eps = torch.finfo(b.x.dtype).eps
        tolerance = min(self.rules.relative_tolerance, 10 * eps)
        scale = np.abs(b.f).clip(min=SMALLEST)
        little = good & (-slope <= tolerance * scale)  # all that is left to gain
        doubtful = where & little & (b.inherited > 0)  # says another problem's memory: better to begin one's own
        b.history.clear(doubtful)
        b.inherited = np.where(doubtful, -self.rules.memory, b.inherited)
        b.length = np.where(doubtful, FIRST_STEP, b.length)
        good &= ~doubtful
        little &= b.inherited == 0
        step = np.ones_like(slope)
        rest = where & ~good
        if rest.any():
            downhill = _steepest(b)
            (descent,) = read(dot(b.g, downhill))
            d = choose(rest, downhill, d)
            slope = np.where(rest, descent, slope)
            tiny = np.finfo(np.float64).tiny
            step = np.where(rest, b.length / np.sqrt(-slope).clip(min=tiny), step)
            little = np.where(rest, slope == 0, little)  # stationary to the last bit
        ends = where & little & (b.status == _AT_WORK)
        b.status = np.where(ends, int(Status.CONVERGED), b.status)
        b.d = choose(where, d, b.d)
        new = LineSearch.start(step, b.f, slope)
        b.search = row_map(lambda a, c: choose(where, a, c), new, b.search)

    @property
    def ended(self) -> Integers:
        """Places of the rows that ended and were not released yet."""
        return np.flatnonzero(self.batch.status != _AT_WORK)

    def release(self) -> Ended:
        """Hand out the rows that ended."""
        b = self.batch
        rows = self.ended
        out = Ended(b.index[rows], pick(b.x, rows), b.f[rows], b.turns[rows], b.status[rows])
        if len(rows):
            self._batch = close_gaps(b, len(b), rows)
        return out

    def aged(self, ticket: Integers, turns: Integers) -> tuple[Integers, Integers]:
        """Which of the solves `ticket` (B,) were at work for `turns` (B,) or just ended, and their places here."""
        which, place = np.nonzero(ticket[:, None] == self.batch.ticket)
        waited = self.batch.turns[place] >= turns[which]
        over = waited | (self.batch.status[place] != _AT_WORK)
        return which[over], place[over]


@dataclass
class _Trial:
    """The point that each row tries, f and g there, and the step to it."""

    x: Tensor
    f: Floats
    g: Tensor
    s: Tensor
    length: Floats


def _steepest(b: Batch) -> Tensor:
    """Downhill inside the bounds."""
    at_lower = (b.x <= b.lower) & (b.g >= 0)
    at_upper = (b.x >= b.upper) & (b.g <= 0)
    return torch.where(at_lower | at_upper, 0.0, -b.g)
