"""What finds the distortions: a continuation over λ, every λ by itself, or a baseline of other work."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from seatbelt_vae.attacks.budget import Ball, Budget, MinimumNorm, Penalty
from seatbelt_vae.attacks.part import Part, check_count
from seatbelt_vae.errors import InputError
from seatbelt_vae.optim import (
    PathSettings,
    PathSolution,
    Problem,
    follow_path,
    minimise_adam,
    minimise_scipy,
    solve_ball,
    solve_cold,
    solve_ddn,
    solve_fmn,
    solve_shrinking,
)
from seatbelt_vae.optim.ddn import check_steps
from seatbelt_vae.optim.shrinking import check_rounds


@dataclass(frozen=True)
class Run:
    """What a solve may use, and what decides no result but the seed.

    Attributes:
        seed: of random starting points.
        memory: bytes of the solver's own tensors.
        progress: show a bar on stderr.
    """

    seed: int = 0
    memory: float = 2**30
    progress: bool = False


class Solver(Part):
    """What minimises an attack's problem within a budget.

    Attributes:
        budgets: those that it can do with, by name.
        smooths: whether it makes use of smoothed kinks.
    """

    budgets: ClassVar[tuple[str, ...]] = ("penalty",)
    smooths: ClassVar[bool] = False

    def solve(self, problem: Problem, budget: Budget, run: Run) -> PathSolution:
        """Minimise for every pair and every value of the budget."""
        if isinstance(budget, Ball):
            return self._inside(problem, budget, run)
        assert isinstance(budget, Penalty)
        return self._penalised(problem, budget, run)

    def smallest(self, constraint: Problem, limits: Tensor, run: Run) -> PathSolution:
        """Minimise ‖d‖ such that c(d) ≤ limit.

        Args:
            constraint: c.
            limits: one for every pair and level, (P, K).
            run: what the solve may use.
        """
        raise NotImplementedError

    def _penalised(self, problem: Problem, budget: Penalty, run: Run) -> PathSolution:
        raise NotImplementedError

    def _inside(self, problem: Problem, budget: Ball, run: Run) -> PathSolution:
        raise NotImplementedError


@dataclass(frozen=True)
class Continuation(Solver):
    """Passes over λ with warm starts, every λ profiting from all others. The default with a penalty.

    At large λ the kinks of ReLU are smoothed first. The last pass sets out from x_t − x: no answer is worse than that.

    Args:
        max_iterations: steps of a solve at most.
        passes: over λ, down and up in turn, 2 or more. With 3 it finds lower values where λ is small, for 1.5 times
            the evaluations.
    """

    name: ClassVar[str] = "continuation"
    smooths: ClassVar[bool] = True
    max_iterations: int = 1000
    passes: int = 2

    def __post_init__(self) -> None:
        check_count("max_iterations", self.max_iterations)
        check_count("passes", self.passes, least=2)

    def _penalised(self, problem: Problem, budget: Penalty, run: Run) -> PathSolution:
        settings = PathSettings(max_iterations=self.max_iterations, passes=self.passes)
        return follow_path(
            problem,
            budget.grid().values,
            settings,
            squared=budget.squared,
            memory_budget=run.memory,
            progress=run.progress,
        )


@dataclass(frozen=True)
class Cold(Solver):
    """Every λ by itself from a start near zero, all in one batch: the papers' protocol. The default in a ball.

    Args:
        max_iterations: steps of a solve at most.
    """

    name: ClassVar[str] = "cold"
    budgets: ClassVar[tuple[str, ...]] = ("penalty", "ball")
    max_iterations: int = 1000

    def __post_init__(self) -> None:
        check_count("max_iterations", self.max_iterations)

    def _inside(self, problem: Problem, budget: Ball, run: Run) -> PathSolution:
        return solve_ball(
            problem,
            budget.grid().values,
            norm=budget.norm,
            restarts=budget.restarts,
            seed=run.seed,
            max_iterations=self.max_iterations,
            memory_budget=run.memory,
            progress=run.progress,
        )

    def _penalised(self, problem: Problem, budget: Penalty, run: Run) -> PathSolution:
        return solve_cold(
            problem,
            budget.grid().values,
            squared=budget.squared,
            max_iterations=self.max_iterations,
            chunk=problem.chunk,
            memory_budget=run.memory,
            progress=run.progress,
        )


@dataclass(frozen=True)
class Scipy(Solver):
    """Every λ by itself, one after another, by L-BFGS-B of scipy.

    Args:
        max_iterations: steps of a solve at most.
    """

    name: ClassVar[str] = "scipy"
    max_iterations: int = 15000

    def __post_init__(self) -> None:
        check_count("max_iterations", self.max_iterations)

    def _penalised(self, problem: Problem, budget: Penalty, run: Run) -> PathSolution:
        return solve_cold(
            problem,
            budget.grid().values,
            squared=budget.squared,
            minimiser=minimise_scipy,
            max_iterations=self.max_iterations,
            progress=run.progress,
        )


@dataclass(frozen=True)
class Adam(Solver):
    """Every λ by itself, all in one batch, by projected Adam; the best point seen is kept.

    Args:
        max_iterations: steps of every solve.
        learning_rate: of Adam, in the units of a pixel.

    References:
        Kingma & Ba 2015, Adam. Gondim-Ribeiro et al. 2018 attack with it.
    """

    name: ClassVar[str] = "adam"
    max_iterations: int = 3000
    learning_rate: float = 0.01

    def __post_init__(self) -> None:
        check_count("max_iterations", self.max_iterations)
        if not 0 < self.learning_rate < float("inf"):
            raise InputError(f"learning_rate {self.learning_rate!r}: must be a finite number > 0")

    def _penalised(self, problem: Problem, budget: Penalty, run: Run) -> PathSolution:
        return solve_cold(
            problem,
            budget.grid().values,
            squared=budget.squared,
            minimiser=minimise_adam,
            max_iterations=self.max_iterations,
            learning_rate=self.learning_rate,
            chunk=problem.chunk,
            progress=run.progress,
        )


@dataclass(frozen=True)
class Shrinking(Solver):
    """Descents in shrinking balls from x_t − x, with softened gradients, and a polish. The default of smallest norms.

    Args:
        evaluations: for every pair and level, at most.
        rounds: descents, one after the other, each from the best point so far.
    """

    name: ClassVar[str] = "shrinking"
    budgets: ClassVar[tuple[str, ...]] = ("minimum-norm",)
    smooths: ClassVar[bool] = True
    evaluations: int = 1000
    rounds: int = 3

    def __post_init__(self) -> None:
        check_rounds(self.evaluations, self.rounds)

    def smallest(self, constraint: Problem, limits: Tensor, run: Run) -> PathSolution:
        """See `solve_shrinking`."""
        return solve_shrinking(
            constraint,
            limits,
            evaluations=self.evaluations,
            rounds=self.rounds,
            memory_budget=run.memory,
            progress=run.progress,
        )


@dataclass(frozen=True)
class DDN(Solver):
    """Decoupled direction and norm (Rony et al. 2019): a baseline of smallest norms.

    Args:
        steps: evaluations for every pair and level.
        step_size: length of the first step, in the units of a pixel.
        gamma: by how much of itself the radius changes.
        radius: of the first ball.
    """

    name: ClassVar[str] = "ddn"
    budgets: ClassVar[tuple[str, ...]] = ("minimum-norm",)
    steps: int = 1000
    step_size: float = 1.0
    gamma: float = 0.05
    radius: float = 1.0

    def __post_init__(self) -> None:
        check_steps(self.steps, self.step_size, self.gamma)

    def smallest(self, constraint: Problem, limits: Tensor, run: Run) -> PathSolution:
        """See `solve_ddn`."""
        return solve_ddn(
            constraint,
            limits,
            steps=self.steps,
            step_size=self.step_size,
            gamma=self.gamma,
            radius=self.radius,
            progress=run.progress,
        )


@dataclass(frozen=True)
class FMN(Solver):
    """Fast minimum norm (Pintor et al. 2021): a baseline of smallest norms.

    Args:
        steps: evaluations for every pair and level.
        step_size: length of the first step, in the units of a pixel.
        gamma: by how much of itself the radius changes at first.
    """

    name: ClassVar[str] = "fmn"
    budgets: ClassVar[tuple[str, ...]] = ("minimum-norm",)
    steps: int = 1000
    step_size: float = 1.0
    gamma: float = 0.05

    def __post_init__(self) -> None:
        check_steps(self.steps, self.step_size, self.gamma)

    def smallest(self, constraint: Problem, limits: Tensor, run: Run) -> PathSolution:
        """See `solve_fmn`."""
        return solve_fmn(
            constraint,
            limits,
            steps=self.steps,
            step_size=self.step_size,
            gamma=self.gamma,
            progress=run.progress,
        )


SOLVERS: dict[str, type[Solver]] = {
    "continuation": Continuation,
    "cold": Cold,
    "scipy": Scipy,
    "adam": Adam,
    "shrinking": Shrinking,
    "ddn": DDN,
    "fmn": FMN,
}
"""Solvers by name."""


def default_solver(budget: Budget) -> Solver:
    """The solver that a budget gets unless told otherwise."""
    if isinstance(budget, Ball):
        return Cold()
    if isinstance(budget, MinimumNorm):
        return Shrinking()
    return Continuation()
