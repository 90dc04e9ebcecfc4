"""Many bounded minimisations at once: projected L-BFGS, each row on its own."""

from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.optim.history import History
from seatbelt_vae.optim.linesearch import ARMIJO, PATIENCE, TRIALS, LineSearch
from seatbelt_vae.optim.problem import Bound, Box, Objective, check, value_and_gradient, wide
from seatbelt_vae.optim.solution import Solution, Status
from seatbelt_vae.optim.subproblem import quasi_newton_step
from seatbelt_vae.progress import progress_bar

CALM = 2
"""Iterations in a row whose relative decrease is below the tolerance before a row counts as converged."""

SMALLEST = 1e-8
"""Values smaller than this count as this in the relative decrease: a minimum of 0 need not be met to 1e-300."""

NOISE = 4.0
"""Rounding of f, in eps of x's dtype, that a step may lose: near a minimum no decrease can be seen below it."""

RESTART_GAIN = 1e-4
"""Relative decrease since the last restart along steepest descent that earns a row another."""

_AT_WORK = -1


def minimise(
    fun: Objective,
    x0: Tensor,
    lower: Bound,
    upper: Bound,
    *,
    max_iterations: int = 1000,
    memory: int = 10,
    gradient_tolerance: float = 1e-5,
    relative_tolerance: float | None = None,
    initial_step: float = 1.0,
    chunk: int | None = None,
    memory_budget: float = 2**30,
    progress: bool = False,
) -> Solution:
    r"""Minimise one bounded function per row, all rows together.

    .. math:: \min_{l_i \le x_i \le u_i} f_i(x_i), \quad i = 1, \dots, R

    Projected L-BFGS: the quasi-Newton step is restricted to the free variables, and followed along the projected path
    P(x + t d) until the decrease is enough and the slope flat. Each turn evaluates every row at work once, whatever
    phase its line search is in; a row that ends makes room for the next. Rows never influence each other.

    Args:
        fun: ``fun(x, rows) -> values``: x (B, n), rows (B,) their indices in the whole batch, values (B,);
            differentiable, row i of the values depending on row i of x alone.
        x0: starting points, shape (R, n), float32 or float64; projected onto the bounds first.
        lower: lower bounds, a number or a tensor that broadcasts to (R, n); -inf allowed.
        upper: upper bounds, likewise.
        max_iterations: accepted steps a row may take.
        memory: pairs of the quasi-Newton history.
        gradient_tolerance: converged when the largest entry of P(x - g) - x is at most this.
        relative_tolerance: converged when two steps running decrease f by at most this share of \|f\|;
            None for 10 eps of the dtype in float64 and 1 eps in float32.
        initial_step: length of the first step, in the units of x.
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
    if min(max_iterations, memory) < 1 or (chunk is not None and chunk < 1):
        raise InputError("max_iterations, memory, chunk: each needs to be at least 1")
    if relative_tolerance is None:
        relative_tolerance = torch.finfo(x0.dtype).eps * (10 if x0.dtype == torch.float64 else 1)
    room = int(memory_budget / ((2 * memory + 12) * x0.shape[1] * x0.element_size()))
    solver = _Solver(fun, box, max_iterations, gradient_tolerance, relative_tolerance, initial_step, chunk)
    return solver.run(x0, memory, max(1, min(len(x0), room)), progress)


@dataclass
class _Batch:
    """The rows at work; every tensor has one entry per row, so rows can be moved and replaced alike."""

    index: Tensor  # which row of the whole batch this is
    x: Tensor
    f: Tensor
    g: Tensor
    d: Tensor
    g_low: Tensor  # the gradient at the lower end of the bracket
    search: LineSearch
    history: History
    lower: Tensor
    upper: Tensor
    fresh: Tensor  # not evaluated yet: whatever is finite is accepted
    length: Tensor  # of the last accepted step: the scale of a steepest-descent restart
    iterations: Tensor
    evaluations: Tensor
    f_mark: Tensor  # the lowest f when it last fell by more than the tolerance
    calm: Tensor  # accepted steps since
    f_restart: Tensor  # f at the last restart
    status: Tensor

    @classmethod
    def begin(cls, index: Tensor, x0: Tensor, box: Box, memory: int, initial_step: float) -> "_Batch":
        x, b, dtype, device = x0[index], len(index), wide(x0.device), x0.device
        zero = torch.zeros(b, dtype=dtype, device=device)
        count = torch.zeros(b, dtype=torch.long, device=device)
        bounds = (b if b.ndim == 2 and b.shape[0] > 1 else b.expand_as(x0) for b in (box.lower, box.upper))
        lower, upper = (bound[index] for bound in bounds)
        return cls(
            index=index, x=x, f=zero + torch.inf, g=torch.zeros_like(x), d=torch.zeros_like(x),
            g_low=torch.zeros_like(x), search=LineSearch.start(zero + 1, zero + torch.inf, zero.clone()),
            history=History.empty(b, memory, x), lower=lower, upper=upper, fresh=count == 0,
            length=zero + initial_step, iterations=count, evaluations=count.clone(), calm=count.clone(),
            f_mark=zero + torch.inf, f_restart=zero + torch.inf,
            status=torch.full_like(count, _AT_WORK),
        )  # fmt: skip

    def clamp(self, x: Tensor) -> Tensor:
        return torch.minimum(torch.maximum(x, self.lower), self.upper)


@dataclass(frozen=True)
class _Solver:
    fun: Objective
    box: Box
    max_iterations: int
    gradient_tolerance: float
    relative_tolerance: float
    initial_step: float
    chunk: int | None

    def run(self, x0: Tensor, memory: int, room: int, progress: bool) -> Solution:
        """Work through all rows, `room` at a time."""
        rows = len(x0)
        found = Solution(
            x0.clone(),
            torch.full((rows,), torch.nan, dtype=wide(x0.device), device=x0.device),
            torch.zeros(rows, dtype=torch.int8, device=x0.device),
            torch.zeros(rows, dtype=torch.long, device=x0.device),
        )
        waiting = torch.arange(rows, device=x0.device)
        batch = _Batch.begin(waiting[:room], x0, self.box, memory, self.initial_step)
        waiting = waiting[room:]
        with progress_bar("Minimising", total=rows, enabled=progress) as advance:
            while len(batch.index):
                self._turn(batch)
                ended = (batch.status != _AT_WORK).nonzero()[:, 0]  # the one synchronisation of a turn
                if len(ended):
                    _write(found, batch, ended)
                    entering, waiting = waiting[: len(ended)], waiting[len(ended) :]
                    _put(batch, ended[: len(entering)], _Batch.begin(entering, x0, self.box, memory, self.initial_step))
                    batch = _close_gaps(batch, ended[len(entering) :])
                    advance(len(ended))
        return found

    def _turn(self, b: _Batch) -> None:
        """Evaluate every row at its trial point and let each row draw its own conclusion."""
        search = b.search
        trial = b.clamp(b.x + search.step[:, None].to(b.x.dtype) * b.d)
        f, g = value_and_gradient(self.fun, trial, b.index, self.chunk)
        b.evaluations = b.evaluations + 1
        finite = torch.isfinite(f) & torch.isfinite(g).all(-1)
        f, g = torch.where(finite, f, torch.inf), torch.where(finite[:, None], g, 0.0)
        stuck = (trial == b.x).all(-1)  # the step is below the spacing of the floats
        moving = (trial > b.lower) & (trial < b.upper)
        slack = NOISE * torch.finfo(b.x.dtype).eps * b.f.abs()
        enough = finite & (b.fresh | (~stuck & (f <= b.f + ARMIJO * _dot(b.g, trial - b.x) + slack)))
        before = search.low, search.slope_low
        lost = ~finite | (stuck & search.f_high.isinf() & search.high.isfinite())
        done = search.record(f, _dot(g, b.d * moving), enough) | (b.fresh & finite)
        raised = search.low != before[0]
        b.g_low = torch.where(raised[:, None], g, b.g_low)
        spent = ~done & ((search.trials >= torch.where(search.low > 0, PATIENCE, TRIALS)) | stuck)
        settled = spent & (search.low > 0)  # no flat point found: the best steep one will do
        if_low = b.clamp(b.x + search.low[:, None].to(b.x.dtype) * b.d)
        x_new = torch.where(done[:, None], trial, if_low)
        f_new, g_new = torch.where(done, f, search.f_low), torch.where(done[:, None], g, b.g_low)
        self._conclude(b, done | settled, spent & ~settled, lost, x_new, f_new, g_new)
        search.step = search.next_step(*before)
        self._redirect(b, done | settled | spent)

    def _conclude(self, b: _Batch, accept: Tensor, fail: Tensor, lost: Tensor, x: Tensor, f: Tensor, g: Tensor) -> None:
        """Move the rows that accept a step, and find who has ended and why."""
        moved = accept & ~b.fresh
        s, row = x - b.x, accept[:, None]
        b.history.push(s, g - b.g, moved)
        b.length = torch.where(moved, _dot(s, s).sqrt(), b.length)
        progress = f < b.f_mark - self.relative_tolerance * torch.maximum(b.f_mark.abs(), f.abs()).clamp_min(SMALLEST)
        progress |= b.fresh
        b.calm = torch.where(accept, torch.where(progress, 0, b.calm + 1), b.calm)
        b.f_mark = torch.where(accept & progress, f, b.f_mark)
        b.x, b.f, b.g = torch.where(row, x, b.x), torch.where(accept, f, b.f), torch.where(row, g, b.g)
        b.iterations = b.iterations + moved
        flat = (b.clamp(b.x - b.g) - b.x).abs().amax(-1) <= self.gradient_tolerance
        b.status = torch.where(accept & (b.iterations >= self.max_iterations), int(Status.BUDGET), b.status)
        b.status = torch.where(accept & (flat | (b.calm >= CALM)), int(Status.CONVERGED), b.status)
        last = torch.where(lost, int(Status.NOT_FINITE), int(Status.STALLED))
        earned = b.history.filled.any(-1) & (b.f <= b.f_restart - RESTART_GAIN * b.f.abs())
        b.status = torch.where(fail & ~earned, last, b.status)
        b.f_restart = torch.where(fail & earned, b.f, b.f_restart)
        b.history.clear(fail)  # the failure may be the memory's: once more along steepest descent
        b.fresh = b.fresh & ~accept

    def _redirect(self, b: _Batch, where: Tensor) -> None:
        """Give the marked rows a new direction and a new line search."""
        d = quasi_newton_step(b.history, b.g, b.lower - b.x, b.upper - b.x)
        steepest = torch.where(((b.x <= b.lower) & (b.g >= 0)) | ((b.x >= b.upper) & (b.g <= 0)), 0.0, -b.g)
        size = _dot(steepest, steepest).sqrt()
        good = b.history.filled.any(-1) & (_dot(b.g, d) < -1e-10 * size * _dot(d, d).sqrt())
        d = torch.where(good[:, None], d, steepest)
        step = torch.where(good, 1.0, b.length / size.clamp_min(torch.finfo(size.dtype).tiny))
        slope = _dot(b.g, d)
        little = good & (-slope <= self.relative_tolerance * b.f.abs().clamp_min(SMALLEST))  # all that is left to gain
        b.status = torch.where(where & little & (b.status == _AT_WORK), int(Status.CONVERGED), b.status)
        b.d = torch.where(where[:, None], d, b.d)
        _merge(b.search, LineSearch.start(step, b.f, slope), where)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum(-1, dtype=wide(a.device))


def _merge(old: LineSearch, new: LineSearch, where: Tensor) -> None:
    for field in fields(old):
        setattr(old, field.name, torch.where(where, getattr(new, field.name), getattr(old, field.name)))


def _write(found: Solution, b: _Batch, ended: Tensor) -> None:
    index = b.index[ended]
    found.x[index], found.value[index] = b.x[ended], b.f[ended]
    found.value[index] = torch.where(b.fresh[ended], torch.nan, b.f[ended])
    found.status[index], found.evaluations[index] = b.status[ended].to(torch.int8), b.evaluations[ended]


def _put(old: Any, places: Tensor, new: Any) -> None:
    """Write the rows of `new` into `places` of `old`, in every tensor."""
    for field in fields(old):
        a, b = getattr(old, field.name), getattr(new, field.name)
        if isinstance(a, Tensor):
            a[places] = b
        else:
            _put(a, places, b)


def _close_gaps(batch: Any, gaps: Tensor) -> Any:
    """Move the last rows into `gaps` and cut the tail off: the cost is that of the rows moved, not of the batch."""
    if not len(gaps):
        return batch
    for field in fields(batch):
        value = getattr(batch, field.name)
        setattr(batch, field.name, _cut(value, gaps) if isinstance(value, Tensor) else _close_gaps(value, gaps))
    return batch


def _cut(x: Tensor, gaps: Tensor) -> Tensor:
    left = len(x) - len(gaps)
    tail = torch.ones(len(gaps), dtype=torch.bool, device=x.device)
    tail[gaps[gaps >= left] - left] = False
    x[gaps[gaps < left]] = x[left:][tail]
    return x[:left]
