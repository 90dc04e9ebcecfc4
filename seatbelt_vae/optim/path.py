r"""Follow the minima of r(d) + λ‖d‖ over λ, and let every λ profit from what any other found."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.optim.descent import Batch, Descent, Ended, Rules
from seatbelt_vae.optim.host import Floats, Integers, Marks, read, send
from seatbelt_vae.optim.lbfgsb import rows_within
from seatbelt_vae.optim.passes import Passes, Schedule
from seatbelt_vae.optim.penalty import Family, Numbers, PathSolution, size
from seatbelt_vae.optim.problem import Problem, norm, value_and_gradient
from seatbelt_vae.optim.rows import choose, pick
from seatbelt_vae.optim.solution import Status
from seatbelt_vae.progress import progress_bar

DEPTH = 1e-6
"""Where λ is this share of the slope of r at 0, the digits of single precision end: the deep solve is that of the last
λ above it."""

ROUGH = 1e-3
"""From this share of the slope of r at 0 on, λ is so large that searches end in the kinks of r: they are smoothed."""

MARGIN = 0.02
"""Where 0 is stationary, a neighbour's point is tried if it is worse by at most this share, and not near 0 itself.
The pass from the anchor goes on while it is worse by at most this share."""


@dataclass(frozen=True)
class PathSettings:
    """How `follow_path` goes over λ.

    Args:
        max_iterations: steps of a solve; one that smooths kinks has half of them for each part.
        passes: over λ, 2 or more: a coarse one, and the two from the deep solve as one; each more goes over all λ,
            down and up in turn. That from an anchor does not count.
        coarse: steps of a solve of the coarse pass, if `max_iterations` are not fewer.
        deep: the deep solve may take `deep` · `max_iterations`.
        shallow: a solve on the way to the smallest λ takes at most so many: hardly anything changes there.
        stride: turns between the starts of two solves of the coarse pass.
        pace: of the later passes: each solve waits so long for its neighbour, or for its end.
        relative_tolerance: a solve ends when `patience` steps running decrease its value by at most this share.
        patience: that many steps.
        memory: pairs of the quasi-Newton history.
    """

    max_iterations: int = 1000
    passes: int = 2
    coarse: int = 30
    deep: int = 3
    shallow: int = 70
    stride: int = 10
    pace: int = 100
    relative_tolerance: float = 7.5e-5
    patience: int = 10
    memory: int = 20

    def __post_init__(self) -> None:
        if self.passes < 2:
            raise InputError(f"passes: {self.passes} is too few, needs 2 or more")
        for name in ("max_iterations", "coarse", "deep", "shallow", "stride", "pace", "patience", "memory"):
            if getattr(self, name) < 1:
                raise InputError(f"{name}: {getattr(self, name)} is too few, needs to be at least 1")

    @property
    def first(self) -> Schedule:
        """Of the coarse pass."""
        return Schedule(1, self.stride, min(self.coarse, self.max_iterations))

    @property
    def down(self) -> Schedule:
        """From the deep solve to the smallest λ."""
        return Schedule(1, self.pace, min(self.shallow, self.max_iterations))

    @property
    def up(self) -> Schedule:
        """From the deep solve to the largest λ."""
        return Schedule(-1, self.pace, self.max_iterations)

    @property
    def rules(self) -> Rules:
        """When a solve ends: by its decrease alone."""
        return Rules(0.0, self.relative_tolerance, self.patience, self.memory, guesses=1)

    def solves(self, grid: int, smooths: bool) -> int:
        """How many solves of a row are at work at a time, at most, on a grid of λ."""
        falling = -(-self.down.budget // self.pace) + 1
        rising = -(-self.up.budget // self.pace) + 1
        if smooths:
            return min(grid, falling + rising) + min(grid, rising)
        return min(grid, falling + rising)


def follow_path(
    problem: Problem,
    lambdas: Numbers,
    settings: PathSettings = PathSettings(),
    *,
    squared: bool = False,
    memory_budget: float = 2**30,
    progress: bool = False,
) -> PathSolution:
    r"""Minimise r(d) + λ‖d‖ for every row and every λ, together.

    A coarse pass goes from the largest λ to smaller ones: each solve sets out `stride` turns after that of the next
    larger λ, from its point and with its quasi-Newton memory. The last λ ≥ `DEPTH` · slope of r at 0 is solved in
    depth, and from there two passes set out, one to the smallest λ and one back to the largest. All that are on their
    way, of whatever row, fill one batch. Any d found is a candidate for every λ, as its value there, r(d) + λ‖d‖, costs
    nothing: each solve starts from the lower *envelope* of these lines where that is lower, and so does the answer come
    from it. At d = 0 no solve is needed where the slope of r on the bounds' tangent cone is at most λ, until a better
    point is found.

    Where the problem has an anchor, that is a candidate, too, and a solve sets out from it where the deep solve was,
    after all others, so as not to lead them astray. From its end one pass goes to the smallest λ, and one back to the
    largest: this keeps to its own points, and goes on while they are nearly as good as what is known.

    Where the problem gives r with its kinks smoothed, solves for λ ≥ `ROUGH` · slope, but for those of the coarse pass,
    minimise that first, and r itself from there.

    Args:
        problem: r, where the solves of 0 start, and bounds, which contain 0.
        lambdas: penalties >= 0, shape (K,), any order.
        settings: how it goes over λ.
        squared: charge λ‖d‖², not λ‖d‖.
        memory_budget: bytes the solver's own tensors may take; rows beyond it wait for their turn.
        progress: show a bar on stderr.

    Returns:
        See `PathSolution`; `status` is that of the last solve.

    Raises:
        InputError: bad input, or bounds that exclude d = 0.

    Example:
        >>> a = torch.tensor([[3.0, 4.0]])
        >>> problem = Problem(lambda d, i: ((d - a) ** 2).sum(-1) / 2, 0 * a, -9.0, 9.0)
        >>> follow_path(problem, [0.0, 1.0, 6.0]).distortion.round(decimals=3)
        tensor([[5., 4., 0.]], dtype=torch.float64)
    """
    family = Family.of(problem, lambdas, squared)
    box = family.bounds
    if not bool(((box.lower <= 0) & (box.upper >= 0)).all()):
        raise InputError("bounds: d = 0 must be inside them: a path starts there")
    path = _Path.begin(family, settings)
    rows, grid = family.shape
    solves = settings.solves(grid, problem.smoothed is not None)
    block = max(1, rows_within(memory_budget, family.x0, settings.memory) // solves)
    stages = settings.passes + (problem.anchor is not None)
    total = rows * grid * stages
    with progress_bar("Following the path", total=total, enabled=progress) as advance:
        for part in np.split(np.arange(rows), range(block, rows, block)):
            for number in range(1, stages):
                passes = path.passes(part, number)
                left = len(part) * grid
                if number == 1:  # the coarse pass counts, too
                    left *= 2
                for ended in path.run(passes):
                    left -= ended
                    advance(ended)
                advance(left)  # those that needed no solve
    return path.answer()


@dataclass
class _Path:
    """The best d known of each row at each λ (R, K, n), r and the charge ‖d‖ or ‖d‖² there (R, K), and the accounts."""

    family: Family
    settings: PathSettings
    lambdas: Floats
    order: Integers  # of λ, descending
    d: Tensor
    r: Floats
    charge: Floats
    status: Integers
    evaluations: Integers
    slope: Floats  # of r at d = 0, on the tangent cone of the bounds, (R,)
    bend: Floats  # the slope up to which 0 is stationary, (K,): λ where the penalty has a kink there

    @classmethod
    def begin(cls, family: Family, settings: PathSettings) -> "_Path":
        """Everything at d = 0."""
        x0 = family.x0
        box = family.bounds
        shape = family.shape
        index = torch.arange(len(x0), device=x0.device)
        value, g = value_and_gradient(family.problem.fun, torch.zeros_like(x0), index, family.problem.chunk)
        blocked = ((box.lower >= 0) & (g > 0)) | ((box.upper <= 0) & (g < 0))
        r, slope = read(value, norm(torch.where(blocked, 0.0, g)))
        hole = ~np.isfinite(r)
        r = np.where(hole, np.inf, r)  # so that 0 is neither best nor stationary
        slope = np.where(hole, np.inf, slope)
        points = shape[1] + (family.anchor is not None)
        (lambdas,) = read(family.lambdas)
        return cls(
            family=family,
            settings=settings,
            lambdas=lambdas,
            order=np.argsort(-lambdas, kind="stable"),
            d=x0.new_zeros(shape[0], points, x0.shape[1]),
            r=np.repeat(r[:, None], points, axis=1),
            charge=np.zeros((shape[0], points)),
            status=np.full(shape, int(Status.CONVERGED)),
            evaluations=np.zeros(shape, dtype=np.int64),
            slope=slope,
            bend=lambdas * (not family.squared),
        )

    def settled(self, rows: Integers) -> Integers:
        """How many of the largest λ have 0 as the best point known, which is stationary there, (rows,)."""
        flat = self.slope[rows, None] <= self.bend[self.order]
        at_zero = self.envelope(rows, self.order)[1] == 0
        return (flat & at_zero).cumprod(1).sum(1)

    def passes(self, rows: Integers, number: int) -> Passes:
        """The passes of some rows that set out together: the first, coarse and to the deep solve, or a later one."""
        if number == self.settings.passes:
            return self._anchored(rows)
        largest = self.settled(rows)
        smallest = np.full_like(rows, len(self.order) - 1)
        if number == 1:
            return self._first(rows, largest)
        if number % 2 == 0:
            return Passes.begin(rows, largest, smallest, replace(self.settings.up, way=1))
        return Passes.begin(rows, smallest, largest, self.settings.up)

    def _first(self, rows: Integers, place: Integers) -> Passes:
        """From the largest λ that needs a solve to where each row is to be solved in depth, and fork."""
        passes = Passes.begin(rows, place, self._deepest(rows, place), self.settings.first)
        final = np.full_like(rows, self.settings.deep * self.settings.max_iterations)
        return replace(passes, final=final, forks=np.ones_like(passes.forks))

    def _anchored(self, rows: Integers) -> Passes:
        """From the anchor, which becomes a candidate, where each row is to be solved in depth, and fork."""
        assert self.family.anchor is not None
        index = send(rows, self.d)
        anchor = self.family.anchor[index]
        r, charge = read(self.family.discrepancy(anchor, index), size(anchor, self.family.squared))
        self.d[index, -1] = anchor
        self.charge[rows, -1] = charge
        self.r[rows, -1] = np.where(np.isfinite(r), r, np.inf)
        settled = self.settled(rows)
        place = self._deepest(rows, settled)
        passes = Passes.begin(rows, place, place, self.settings.up)
        both = np.ones_like(passes.forks)
        needed = (settled < len(self.order)) & (self.lambdas[self.order[place]] > 0)  # at 0 it is the answer
        return replace(passes, forks=both, anchored=both).of(needed)

    def _deepest(self, rows: Integers, place: Integers) -> Integers:
        """Where rows are to be solved in depth: the last λ above `DEPTH` of the slope, at `place` or beyond."""
        above = self.lambdas[self.order] >= DEPTH * self.slope[rows, None]
        last = np.maximum(above.sum(1) - 1, place)
        return np.minimum(last, len(self.order) - 1)

    def run(self, passes: Passes) -> Iterator[int]:
        """Let passes go to their ends, and yield turn by turn how many solves ended."""
        descent = Descent(self.family, self.settings.rules)
        passes = passes.of(passes.ahead)
        x, _, zero = self.best(passes.row, self.order[passes.place])
        x = choose(zero, pick(self.family.x0, passes.row), x)
        if self.family.anchor is not None:
            x = choose(passes.anchored, pick(self.family.anchor, passes.row), x)
        passes.ticket = descent.admit(self.index(passes), x, self.steps(passes))
        while len(descent):
            descent.step()
            passes = self.onward(passes, descent)
            self.finish(descent)
            yield self.keep(descent.release())

    def onward(self, passes: Passes, descent: Descent) -> Passes:
        """Send out the solves that are due, each from where its neighbour has come to; the passes that go on."""
        due, parent = descent.aged(passes.ticket, passes.wait)
        if not len(due):
            return passes
        stay = np.ones_like(passes.row, dtype=bool)
        stay[due] = False
        moving = passes.of(due)
        going = ~moving.ending
        forks = moving.ending & moving.forks
        new = moving.of(going).onward()
        new = new.join(self._fork(moving.of(forks), self.settings.down, len(self.order) - 1))
        up = self._fork(moving.of(forks), self.settings.up, 0)
        new = new.join(replace(up, anchored=moving.anchored[forks]))
        parent = np.concatenate([parent[going], parent[forks], parent[forks]])
        parent = parent[new.ahead]
        new = new.of(new.ahead)
        x, needed = self.start(new, descent.batch, parent)
        new = new.of(needed)
        places = np.flatnonzero(needed)
        new.ticket = descent.admit(self.index(new), pick(x, places), self.steps(new), parent[places])
        return passes.of(stay).join(new)

    @staticmethod
    def _fork(ended: Passes, schedule: Schedule, last: int) -> Passes:
        """Passes that set out next to where others ended."""
        place = ended.place + schedule.way
        return Passes.begin(ended.row, place, np.full_like(ended.row, last), schedule)

    def finish(self, descent: Descent) -> None:
        """Send out solves of r itself from where those of the smoothed one ended."""
        place = descent.ended
        place = place[descent.batch.index[place] >= self.family.count]
        if not len(place):
            return
        index = descent.batch.index[place] - self.family.count
        steps = max(1, self.settings.up.budget // 2)
        descent.admit(index, pick(descent.batch.x, place), steps, place)

    def rough(self, passes: Passes) -> Marks:
        """Which passes are where kinks are to be smoothed."""
        if self.family.problem.smoothed is None:
            return np.zeros_like(passes.forks)
        high = self.lambdas[self.order[passes.place]] >= ROUGH * self.slope[passes.row]
        coarse = passes.forks & ~passes.ending
        return high & ~coarse

    def index(self, passes: Passes) -> Integers:
        """The problems at which passes are."""
        itself = passes.row * len(self.order) + self.order[passes.place]
        return itself + self.family.count * self.rough(passes)

    def steps(self, passes: Passes) -> Integers:
        """What the solves at which passes are may take."""
        half = (passes.steps + 1) // 2
        return np.where(self.rough(passes), half, passes.steps)

    @np.errstate(invalid="ignore")  # of values that are infinite
    def start(self, passes: Passes, parents: Batch, place: Integers) -> tuple[Tensor, Marks]:
        """Where the solves of passes set out, the neighbour's point or a better one known; which are needed."""
        row = passes.row
        k = self.order[passes.place]
        x = pick(parents.x, place)
        (charge,) = read(size(x, self.family.squared))
        change = self.lambdas[k] - self.lambdas[parents.index[place] % len(self.lambdas)]
        value = parents.f[place] + change * charge
        known, least, zero = self.best(row, k)
        worse = value > (1 + MARGIN) * least
        near = self.lambdas[k] * charge <= MARGIN * least
        doubt = MARGIN * self.rough(passes)  # the neighbour's value is of the smoothed r
        stationary = zero & (self.slope[row] <= self.bend[k])
        needless = stationary & (worse | near) & (least <= (1 + doubt) * value)
        better = ~zero & (least < (1 - doubt) * value) & ~passes.anchored
        beaten = passes.anchored & (value - least > MARGIN * np.abs(least))
        return choose(better, known, x), ~needless & ~beaten

    def best(self, row: Integers, k: Integers) -> tuple[Tensor, Floats, Marks]:
        """The lower envelope: the best point known for `row` at λ_k, its value, and whether it is 0."""
        value = self.r[row] + self.lambdas[k, None] * self.charge[row]
        point = value.argmin(-1)
        known = self.d[send(row, self.d), send(point, self.d)]
        return known, value.min(-1), self.charge[row, point] == 0

    def envelope(self, rows: Integers, k: Integers) -> tuple[Integers, Floats]:
        """Which point is the best known for each of `rows` at each λ_k, and what is charged for it, (rows, k) each."""
        charge = self.lambdas[k, None] * self.charge[rows, None]
        value = self.r[rows, None] + charge  # (rows, k, point)
        point = value.argmin(-1)
        return point, np.take_along_axis(self.charge[rows], point, axis=1)

    @np.errstate(invalid="ignore")  # of values that are infinite
    def keep(self, ended: Ended) -> int:
        """Note how solves ended, and their points where these are the best known; how many they were."""
        if not len(ended):
            return 0
        count = self.family.count
        row = ended.index % count // len(self.lambdas)
        k = ended.index % len(self.lambdas)
        np.add.at(self.evaluations, (row, k), ended.turns)
        known = self.r[row, k] + self.lambdas[k] * self.charge[row, k]
        itself = ended.index < count  # and not with smoothed kinks
        better = np.flatnonzero(itself & (ended.f < known) & ~_solved_better(ended))
        i = row[better]
        j = k[better]
        x = pick(ended.x, better)
        self.d[send(i, x), send(j, x)] = x
        (self.charge[i, j],) = read(size(x, self.family.squared))
        self.r[i, j] = ended.f[better] - self.lambdas[j] * self.charge[i, j]
        beaten = np.isfinite(ended.f) & (ended.f - known > MARGIN * np.abs(known))  # says nothing about the answer
        told = itself & ~beaten
        self.status[row[told], k[told]] = ended.status[told]
        return int(itself.sum())

    def answer(self) -> PathSolution:
        """Every row and λ at the lower envelope."""
        rows, grid = self.family.shape
        best, _ = self.envelope(np.arange(rows), np.arange(grid))
        r = np.take_along_axis(self.r, best, axis=1)
        r = np.where(np.isfinite(r), r, np.nan)
        d = self.d.take_along_dim(send(best, self.d)[:, :, None], dim=1)
        status = send(self.status, self.d)
        evaluations = send(self.evaluations, self.d)
        return self.family.solution(d, send(r, self.family.lambdas), status, evaluations)


def _solved_better(ended: Ended) -> Marks:
    """Which rows solve a problem that another row solves better, (B,)."""
    f = ended.f
    place = np.arange(len(f))
    tie = (f == f[:, None]) & (place < place[:, None])
    below = (f < f[:, None]) | tie
    better: Marks = ((ended.index[:, None] == ended.index) & below).any(1)
    return better
