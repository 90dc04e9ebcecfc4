r"""Follow the minima of r(d) + λ‖d‖ as λ falls, and let every λ profit from what any other found."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.optim.cold import solve_cold
from seatbelt_vae.optim.descent import Batch, Descent, Rules
from seatbelt_vae.optim.lbfgsb import rows_within
from seatbelt_vae.optim.penalty import Family, PathSolution, Penalty, family, size
from seatbelt_vae.optim.problem import Bound, Objective, value_and_gradient
from seatbelt_vae.optim.reference import minimise_adam, minimise_scipy
from seatbelt_vae.optim.solution import Status
from seatbelt_vae.progress import progress_bar

STRIDE = 10
"""Turns that a solve is ahead of that of the next smaller λ, which starts from where it is."""

DEPTH = 1e-6
"""Where λ is this share of the slope of r at 0, the digits of single precision end: the deep solve is that of the last
λ above it."""

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
    max_iterations: int = 300,
    scout: int = 30,
    deep: int = 10,
    waves: int = 2,
    stride: int = STRIDE,
    relative_tolerance: float = 3e-4,
    patience: int = 20,
    memory: int = 20,
    chunk: int | None = None,
    memory_budget: float = 2**30,
    progress: bool = False,
) -> PathSolution:
    r"""Minimise r(d) + λ‖d‖ for every row and every λ, together.

    A wave runs from the largest λ to the smallest: each solve sets out `stride` turns after that of the next larger λ,
    from its point and with its quasi-Newton memory, so that all that are on their way fill one batch. Any d found is a
    candidate for every λ, as its value there, r(d) + λ‖d‖, costs nothing: the next wave, which runs back, starts each
    solve from the lower *envelope* of these lines, and so does the answer come from it. At d = 0 no solve is needed
    where the slope of r on the bounds' tangent cone is at most λ, until a better point is found.

    Args:
        smooth: r: ``smooth(d, rows) -> values``; d (B, n), rows (B,) indices in 0 … R − 1, values (B,).
        x0: starting points, shape (R, n).
        lambdas: penalties >= 0, shape (K,), any order.
        lower: bounds of d, a number or broadcastable to (R, n); at most 0.
        upper: likewise, at least 0.
        penalty: ``"norm"`` charges λ‖d‖, ``"squared"`` λ‖d‖².
        max_iterations: of a solve in every wave but the first.
        scout: of a solve in the first wave, if `max_iterations` are not fewer: it only has to lead the next one.
        deep: but that of the last λ ≥ `DEPTH` · slope of r at 0 may take `deep` · `max_iterations`: every smaller λ
            starts from there. The last λ of all may take `max_iterations`.
        waves: one to smaller λ, one back, and so on.
        stride: turns between two starts of a wave.
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
    problems = family(smooth, x0, lambdas, lower, upper, penalty, chunk)
    if not bool(((problems.bounds.lower <= 0) & (problems.bounds.upper >= 0)).all()):
        raise InputError("bounds: d = 0 must be inside them: a path starts there")
    if min(max_iterations, scout, deep, waves, stride, patience, memory) < 1:
        raise InputError("max_iterations, scout, deep, waves, stride, patience, memory: each needs to be at least 1")
    path = _Path.begin(problems, Rules(0.0, relative_tolerance, patience, memory, guesses=1))
    rows, grid = problems.shape
    abreast = min(grid, -(-max_iterations // stride) + 1)  # solves of one row that are usually on their way at once
    block = max(1, rows_within(memory_budget, x0, memory) // abreast)
    with progress_bar("Following the path", total=rows * grid * waves, enabled=progress) as advance:
        for wave in range(waves):
            order = problems.lambdas.argsort(descending=wave % 2 == 0)
            budget = torch.full(problems.shape, max_iterations, device=x0.device)
            if wave == 0:
                budget[:, :-1] = min(scout, max_iterations)
                budget.scatter_(1, path.depth(order), deep * max_iterations)
            for part in torch.arange(rows, device=x0.device).split(block):
                left = len(part) * grid
                for ended in path.wave(part, order, budget, stride, first=wave == 0):
                    left -= ended
                    advance(ended)
                advance(left)  # those that needed no solve
    return path.answer()


@dataclass
class _Path:
    """The best d known of each row at each λ (R, K, n), r and the charge ‖d‖ or ‖d‖² there (R, K), and the accounts."""

    problems: Family
    rules: Rules
    d: Tensor
    r: Tensor
    charge: Tensor
    status: Tensor
    evaluations: Tensor
    slope: Tensor  # of r at d = 0, on the tangent cone of the bounds, (R,)
    bend: Tensor  # the slope up to which 0 is stationary, (K,): λ where the penalty has a kink there

    @classmethod
    def begin(cls, problems: Family, rules: Rules) -> "_Path":
        """Everything at d = 0."""
        (rows, grid), x0, box = problems.shape, problems.x0, problems.bounds
        zero, index = torch.zeros_like(x0), torch.arange(len(x0), device=x0.device)
        r, g = value_and_gradient(problems.smooth, zero, index, problems.chunk)
        downhill = torch.where(((box.lower >= 0) & (g > 0)) | ((box.upper <= 0) & (g < 0)), 0.0, g)
        count = torch.zeros(rows, grid, dtype=torch.long, device=x0.device)
        return cls(
            problems, rules, x0.new_zeros(rows, grid, x0.shape[1]), r[:, None].repeat(1, grid),
            r.new_zeros(rows, grid), torch.full_like(count, int(Status.CONVERGED)), count, size(downhill, "norm"),
            problems.lambdas * (problems.penalty == "norm"),
        )  # fmt: skip

    def depth(self, order: Tensor) -> Tensor:
        """The place in a descending order of λ where each row's deep solve is due, (R, 1)."""
        above = self.problems.lambdas[order] >= DEPTH * self.slope[:, None]
        return (above.sum(1, keepdim=True) - 1).clamp(min=0)

    def wave(self, rows: Tensor, order: Tensor, budget: Tensor, stride: int, *, first: bool) -> Iterator[int]:
        """Solve for all λ of some rows in an order, each from where its neighbour has come to in `stride` turns.

        Yields how many solves ended, turn by turn.
        """
        grid = len(order)
        flat = self.slope[rows, None] <= self.bend[order]  # 0 is stationary
        settled = flat if first else flat & (self.envelope(rows, order)[1] == 0)
        leader = settled.long().cumprod(1).sum(1)  # the place of the solve that is ahead: before it 0 is the answer
        rows, leader = rows[leader < grid], leader[leader < grid]
        descent = Descent(self.problems, self.rules)
        x = self.problems.x0[rows] if first else self.best(rows, order[leader])[0]
        descent.admit(rows * grid + order[leader], x, budget[rows, leader])
        while len(descent):
            descent.step()
            due, place = descent.aged(rows * grid + order[leader], stride)
            leader[due] += 1
            due, place = due[leader[due] < grid], place[leader[due] < grid]
            x, open_ = self.start(rows[due], order[leader[due]], descent.batch, place)
            leader[due[~open_]] = grid
            due, place, x = due[open_], place[open_], x[open_]
            descent.admit(rows[due] * grid + order[leader[due]], x, budget[rows[due], leader[due]], place)
            rows, leader = rows[leader < grid], leader[leader < grid]
            yield self.keep(descent.release())

    def start(self, row: Tensor, k: Tensor, parents: Batch, place: Tensor) -> tuple[Tensor, Tensor]:
        """Where the solves of `row` at λ_k set out, the neighbour's point or a better one known; which are needed."""
        lambdas, x = self.problems.lambdas, parents.x[place]
        change = lambdas[k] - lambdas[parents.index[place] % len(lambdas)]
        value = parents.f[place] + change * size(x, self.problems.penalty)
        known, least = self.best(row, k)
        zero = (known == 0).all(-1)
        hopeless = (value > (1 + HOPE) * least) | (lambdas[k] * size(x, self.problems.penalty) <= HOPE * least)
        needless = zero & hopeless & (least <= value) & (self.slope[row] <= self.bend[k])
        return torch.where((~zero & (least < value))[:, None], known, x), ~needless

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
        problems, index = self.problems, ended.index
        row, k = index // len(problems.lambdas), index % len(problems.lambdas)
        better = ended.f < self.r[row, k] + problems.lambdas[k] * self.charge[row, k]
        i, j, x = row[better], k[better], ended.x[better]
        self.d[i, j], self.charge[i, j] = x, size(x, problems.penalty)
        self.r[i, j] = ended.f[better] - problems.lambdas[j] * self.charge[i, j]
        self.status[row, k] = ended.status
        self.evaluations[row, k] += ended.turns
        return len(index)

    def answer(self) -> PathSolution:
        """Every row and λ at the lower envelope."""
        rows, grid = (torch.arange(size, device=self.r.device) for size in self.problems.shape)
        best, _ = self.envelope(rows, grid)
        d = self.d.take_along_dim(best[:, :, None], dim=1)
        return self.problems.solution(d, self.r.gather(1, best), self.status, self.evaluations)


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
