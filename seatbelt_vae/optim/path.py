r"""Follow the minima of r(d) + λ‖d‖ over λ, and let every λ profit from what any other found."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.optim.cold import solve_cold
from seatbelt_vae.optim.descent import Batch, Descent, Rules
from seatbelt_vae.optim.lbfgsb import rows_within
from seatbelt_vae.optim.penalty import Family, PathSolution, Penalty, family, size
from seatbelt_vae.optim.problem import Bound, Objective, Rounded, value_and_gradient
from seatbelt_vae.optim.reference import minimise_adam, minimise_scipy
from seatbelt_vae.optim.rows import tensor_map
from seatbelt_vae.optim.solution import Status
from seatbelt_vae.optim.walks import Gait, Walks
from seatbelt_vae.progress import progress_bar

DEPTH = 1e-6
"""Where λ is this share of the slope of r at 0, the digits of single precision end: the deep solve is that of the last
λ above it."""

ROUGH = 1e-3
"""From this share of the slope of r at 0 on, λ is so large that searches end in the kinks of r: rounded off."""

HOPE = 0.02
"""Where 0 is stationary, a neighbour's point is tried if it is worse by at most this share, and not near 0 itself."""


def follow_path(
    smooth: Objective,
    x0: Tensor,
    lambdas: Tensor | Sequence[float],
    lower: Bound,
    upper: Bound,
    *,
    penalty: Penalty = "norm",
    rounded: Rounded | None = None,
    max_iterations: int = 1000,
    scout: int = 30,
    deep: int = 3,
    shallow: int = 70,
    waves: int = 2,
    stride: int = 10,
    pace: int = 100,
    relative_tolerance: float = 7.5e-5,
    patience: int = 10,
    memory: int = 20,
    chunk: int | None = None,
    memory_budget: float = 2**30,
    progress: bool = False,
) -> PathSolution:
    r"""Minimise r(d) + λ‖d‖ for every row and every λ, together.

    Scouts walk from the largest λ to smaller ones: each solve sets out `stride` turns after that of the next larger λ,
    from its point and with its quasi-Newton memory. The last λ ≥ `DEPTH` · slope of r at 0 is solved in depth, and from
    there two walks set out, one to the smallest λ and one back to the largest. All that are on their way, of whatever
    row, fill one batch. Any d found is a candidate for every λ, as its value there, r(d) + λ‖d‖, costs nothing: each
    solve starts from the lower *envelope* of these lines where that is lower, and so does the answer come from it. At
    d = 0 no solve is needed where the slope of r on the bounds' tangent cone is at most λ, until a better point is
    found.

    Where r is given with its kinks `rounded` off, solves for λ ≥ `ROUGH` · slope, but for the scouts', minimise that
    first, and r itself from there.

    Args:
        smooth: r: ``smooth(d, rows) -> values``; d (B, n), rows (B,) indices in 0 … R − 1, values (B,).
        x0: starting points, shape (R, n).
        lambdas: penalties >= 0, shape (K,), any order.
        lower: bounds of d, a number or broadcastable to (R, n); at most 0.
        upper: likewise, at least 0.
        penalty: ``"norm"`` charges λ‖d‖, ``"squared"`` λ‖d‖².
        rounded: ``rounded(d, rows, width) -> values``: r with kinks rounded off by width (B,), r itself at width 0.
        max_iterations: of a solve; one that rounds has half of them for each part.
        scout: but of a scout, if `max_iterations` are not fewer.
        deep: the solve in depth may take `deep` · `max_iterations`.
        shallow: a solve on the way to the smallest λ takes at most so many: hardly anything changes there.
        waves: scouts and the walks from the deep solve are two; each more goes over all λ, down and up in turn.
        stride: turns between the starts of two scouts.
        pace: of the walks from the deep solve: each solve waits so long for its neighbour, or for its end.
        relative_tolerance: a solve ends when `patience` steps running decrease its value by at most this share.
        patience: that many steps.
        memory: pairs of the quasi-Newton history.
        chunk: rows per call of `smooth`.
        memory_budget: bytes the solver's own tensors may take; rows beyond it wait for their turn.
        progress: show a bar on stderr.

    Returns:
        See `PathSolution`; `status` is that of the last solve.

    Raises:
        InputError: bad input, or bounds that exclude d = 0.

    Example:
        >>> a = torch.tensor([[3.0, 4.0]])
        >>> path = follow_path(lambda d, i: ((d - a) ** 2).sum(-1) / 2, 0 * a, [0.0, 1.0, 6.0], -9.0, 9.0)
        >>> path.distortion.round(decimals=3)
        tensor([[5., 4., 0.]], dtype=torch.float64)
    """
    problems = family(smooth, x0, lambdas, lower, upper, penalty, chunk, rounded)
    if not bool(((problems.bounds.lower <= 0) & (problems.bounds.upper >= 0)).all()):
        raise InputError("bounds: d = 0 must be inside them: a path starts there")
    if min(max_iterations, scout, deep, shallow, stride, pace, patience, memory) < 1:
        raise InputError(
            "max_iterations, scout, deep, shallow, stride, pace, patience, memory: each must be at least 1"
        )
    if waves < 2:
        raise InputError(f"waves: {waves} is too few, needs 2 or more")
    lead = Gait(1, stride, min(scout, max_iterations))
    down, up = Gait(1, pace, min(shallow, max_iterations)), Gait(-1, pace, max_iterations)
    path = _Path.begin(problems, Rules(0.0, relative_tolerance, patience, memory, guesses=1), (down, up))
    rows, grid = problems.shape
    falling, rising = (-(-gait.budget // gait.stride) + 1 for gait in (down, up))  # solves of a row at once
    abreast = min(grid, falling + rising) + (0 if rounded is None else min(grid, rising))
    block = max(1, rows_within(memory_budget, x0, memory) // abreast)
    with progress_bar("Following the path", total=rows * grid * waves, enabled=progress) as advance:
        for part in torch.arange(rows, device=x0.device).split(block):
            walks = path.scouts(part, lead, deep * max_iterations)
            for wave in range(1, waves):
                left = len(part) * grid * (1 + (wave == 1))
                for ended in path.walk(walks):
                    left -= ended
                    advance(ended)
                advance(left)  # those that needed no solve
                walks = path.once_more(part, replace(up, way=1 if wave % 2 else -1))
    return path.answer()


@dataclass
class _Path:
    """The best d known of each row at each λ (R, K, n), r and the charge ‖d‖ or ‖d‖² there (R, K), and the accounts."""

    problems: Family
    rules: Rules
    gaits: tuple[Gait, Gait]  # of the walks from the deep solve, to smaller and to larger λ
    order: Tensor  # of λ, descending
    d: Tensor
    r: Tensor
    charge: Tensor
    status: Tensor
    evaluations: Tensor
    slope: Tensor  # of r at d = 0, on the tangent cone of the bounds, (R,)
    bend: Tensor  # the slope up to which 0 is stationary, (K,): λ where the penalty has a kink there

    @property
    def steps_after_rounding(self) -> int:
        """What a solve of r itself may take, from the minimum of the rounded one."""
        return max(1, self.gaits[1].budget // 2)

    @classmethod
    def begin(cls, problems: Family, rules: Rules, gaits: tuple[Gait, Gait]) -> "_Path":
        """Everything at d = 0."""
        (rows, grid), x0, box = problems.shape, problems.x0, problems.bounds
        zero, index = torch.zeros_like(x0), torch.arange(len(x0), device=x0.device)
        r, g = value_and_gradient(problems.smooth, zero, index, problems.chunk)
        downhill = torch.where(((box.lower >= 0) & (g > 0)) | ((box.upper <= 0) & (g < 0)), 0.0, g)
        slope, hole = size(downhill, "norm"), ~torch.isfinite(r)
        r, slope = r.where(~hole, torch.inf), slope.where(~hole, torch.inf)  # so that 0 is neither best nor stationary
        count = torch.zeros(rows, grid, dtype=torch.long, device=x0.device)
        return cls(
            problems, rules, gaits, problems.lambdas.argsort(descending=True),
            x0.new_zeros(rows, grid, x0.shape[1]), r[:, None].repeat(1, grid), r.new_zeros(rows, grid),
            torch.full_like(count, int(Status.CONVERGED)), count, slope,
            problems.lambdas * (problems.penalty == "norm"),
        )  # fmt: skip

    def settled(self, rows: Tensor) -> Tensor:
        """How many of the largest λ have 0 as the best point known, which is stationary there, (rows,)."""
        flat = self.slope[rows, None] <= self.bend[self.order]
        return (flat & (self.envelope(rows, self.order)[1] == 0)).long().cumprod(1).sum(1)

    def scouts(self, rows: Tensor, gait: Gait, deep: int) -> Walks:
        """Walks from the largest λ that needs a solve to where each row is to be solved in depth, and fork."""
        above = self.problems.lambdas[self.order] >= DEPTH * self.slope[rows, None]
        place = self.settled(rows)
        last = torch.maximum(above.sum(1) - 1, place).clamp(max=len(self.order) - 1)
        return Walks.begin(rows, place, last, gait, deep, forks=True)

    def once_more(self, rows: Tensor, gait: Gait) -> Walks:
        """Walks over every λ that needs a solve."""
        largest, smallest = self.settled(rows), torch.full_like(rows, len(self.order) - 1)
        ends = (largest, smallest) if gait.way > 0 else (smallest, largest)
        return Walks.begin(rows, *ends, gait)

    def walk(self, walks: Walks) -> Iterator[int]:
        """Walk, and yield turn by turn how many solves ended."""
        descent, walks = Descent(self.problems, self.rules), walks.of(walks.ahead)
        x = self.best(walks.row, self.order[walks.place])[0]
        x = torch.where((x == 0).all(-1, keepdim=True), self.problems.x0[walks.row], x)
        walks.ticket = descent.admit(self.index(walks), x, self.steps(walks))
        while len(descent):
            descent.step()
            walks = self.onward(walks, descent)
            self.finish(descent)
            yield self.keep(descent.release())

    def onward(self, walks: Walks, descent: Descent) -> Walks:
        """Send out the solves that are due, each from where its neighbour has come to; what is left to walk."""
        due, parent = descent.aged(walks.ticket, walks.wait)
        if not len(due):
            return walks
        stay = torch.ones_like(walks.row, dtype=torch.bool)
        stay[due] = False
        moving, ended = walks.of(due), walks.ending[due]
        forks = ended & walks.forks[due]
        new, parents = moving.of(~ended).onward(), [parent[~ended], parent[forks], parent[forks]]
        for gait, last in zip(self.gaits, (len(self.order) - 1, 0), strict=True):
            row, place = moving.row[forks], moving.place[forks]
            new = new.join(Walks.begin(row, place + gait.way, torch.full_like(row, last), gait))
        new, parent = new.of(new.ahead), torch.cat(parents)[new.ahead]
        x, needed = self.start(new, descent.batch, parent)
        new = new.of(needed)
        new.ticket = descent.admit(self.index(new), x[needed], self.steps(new), parent[needed])
        return walks.of(stay).join(new)

    def finish(self, descent: Descent) -> None:
        """Send out solves of r itself from where those of the rounded one ended."""
        place = descent.ended
        place = place[descent.batch.index[place] >= self.problems.count]
        if len(place):
            index, x = descent.batch.index[place] - self.problems.count, descent.batch.x[place]
            descent.admit(index, x, self.steps_after_rounding, place)

    def rough(self, walks: Walks) -> Tensor:
        """Which walks are where kinks are to be rounded off."""
        if self.problems.rounded is None:
            return torch.zeros_like(walks.forks)
        high = self.problems.lambdas[self.order[walks.place]] >= ROUGH * self.slope[walks.row]
        return high & ~(walks.forks & ~walks.ending)

    def index(self, walks: Walks) -> Tensor:
        """The problems at which walks are."""
        return walks.row * len(self.order) + self.order[walks.place] + self.problems.count * self.rough(walks)

    def steps(self, walks: Walks) -> Tensor:
        """What the solves at which walks are may take."""
        return torch.where(self.rough(walks), (walks.steps + 1) // 2, walks.steps)

    def start(self, walks: Walks, parents: Batch, place: Tensor) -> tuple[Tensor, Tensor]:
        """Where the solves of walks set out, the neighbour's point or a better one known; which are needed."""
        lambdas, x, row, k = self.problems.lambdas, parents.x[place], walks.row, self.order[walks.place]
        change = lambdas[k] - lambdas[parents.index[place] % len(lambdas)]
        value = parents.f[place] + change * size(x, self.problems.penalty)
        known, least = self.best(row, k)
        zero = (known == 0).all(-1)
        hopeless = (value > (1 + HOPE) * least) | (lambdas[k] * size(x, self.problems.penalty) <= HOPE * least)
        doubt = HOPE * self.rough(walks)  # the neighbour's value is of the rounded r
        needless = zero & hopeless & (least <= (1 + doubt) * value) & (self.slope[row] <= self.bend[k])
        return torch.where((~zero & (least < (1 - doubt) * value))[:, None], known, x), ~needless

    def best(self, row: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
        """The lower envelope: the best point known for `row` at λ_k, and its value."""
        least = (self.r[row] + self.problems.lambdas[k, None] * self.charge[row]).min(-1)
        return self.d[row, least.indices], least.values

    def envelope(self, rows: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
        """Which point is the best known for each of `rows` at each λ_k, and what is charged for it, (rows, k) each."""
        value = self.r[rows, None] + self.problems.lambdas[k, None] * self.charge[rows, None]  # (rows, k, point)
        point = value.argmin(-1)
        return point, self.charge[rows].gather(1, point)

    def keep(self, ended: Batch) -> int:
        """Note how solves ended, and their points where these are the best known; how many they were."""
        problems, index, itself = self.problems, ended.index, ended.index < self.problems.count
        row, k = problems.row(index), index % len(problems.lambdas)
        self.evaluations.index_put_((row, k), ended.turns, accumulate=True)
        row, k, ended = row[itself], k[itself], tensor_map(lambda tensor: tensor[itself], ended)
        place = torch.arange(len(row), device=row.device)
        below = (ended.f < ended.f[:, None]) | ((ended.f == ended.f[:, None]) & (place < place[:, None]))
        twice = (ended.index[:, None] == ended.index) & below  # the same problem, solved better
        better = (ended.f < self.r[row, k] + problems.lambdas[k] * self.charge[row, k]) & ~twice.any(1)
        i, j, x = row[better], k[better], ended.x[better]
        self.d[i, j], self.charge[i, j] = x, size(x, problems.penalty)
        self.r[i, j] = ended.f[better] - problems.lambdas[j] * self.charge[i, j]
        self.status[row, k] = ended.status
        return len(row)

    def answer(self) -> PathSolution:
        """Every row and λ at the lower envelope."""
        rows, grid = (torch.arange(size, device=self.r.device) for size in self.problems.shape)
        best, _ = self.envelope(rows, grid)
        d = self.d.take_along_dim(best[:, :, None], dim=1)
        r = self.r.gather(1, best)
        return self.problems.solution(d, r.where(torch.isfinite(r), torch.nan), self.status, self.evaluations)


SOLVERS: dict[str, Callable[..., PathSolution]] = {
    "path": follow_path,
    "cold": solve_cold,
    "scipy": partial(solve_cold, solver=minimise_scipy),
    "adam": partial(solve_cold, solver=minimise_adam),
}


def solve(
    name: str,
    smooth: Objective,
    x0: Tensor,
    lambdas: Tensor | Sequence[float],
    lower: Bound,
    upper: Bound,
    **options: Any,
) -> PathSolution:
    """Minimise r(d) + λ‖d‖ by the solver of that name: ``path``, ``cold``, ``scipy`` or ``adam``.

    ``path`` is `follow_path`; the others are `solve_cold` with `minimise`, scipy's L-BFGS-B and projected Adam.
    Arguments are theirs; ``penalty``, ``max_iterations``, ``chunk`` and ``progress`` suit all.

    Raises:
        InputError: an unknown name, or bad input.

    Example:
        >>> a = torch.tensor([[3.0, 4.0]])
        >>> solve("path", lambda d, i: ((d - a) ** 2).sum(-1) / 2, 0 * a, [1.0], -9.0, 9.0).objective
        tensor([[4.5000]], dtype=torch.float64)
    """
    if name not in SOLVERS:
        raise InputError(f"solver: {name!r} is unknown; needs one of {', '.join(SOLVERS)}")
    return SOLVERS[name](smooth, x0, lambdas, lower, upper, **options)
