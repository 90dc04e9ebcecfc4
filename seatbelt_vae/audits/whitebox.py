"""Attacks with the model's own gradient: posed once, solved within each budget, judged by the images."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import torch
from torch import Tensor

from seatbelt_vae.attacks import AttackResult, Cold, MinimumNorm, Penalty
from seatbelt_vae.attacks.attack import bound, collect
from seatbelt_vae.attacks.budget import Budget
from seatbelt_vae.attacks.evaluation.memory import within
from seatbelt_vae.attacks.part import AttackObjective
from seatbelt_vae.attacks.setup import Setup, prepare
from seatbelt_vae.attacks.smallest import smallest
from seatbelt_vae.attacks.solvers import Run, Solver
from seatbelt_vae.attacks.success import Missing
from seatbelt_vae.audits.subject import Found, Subject
from seatbelt_vae.audits.suite import Entry
from seatbelt_vae.errors import InputError
from seatbelt_vae.optim.problem import Problem, value_and_gradient

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Posed:
    """An objective on a model: the problem of every pair, ready to be solved more than once.

    Attributes:
        setup: problem, images and objective.
        problem: the same problem, with as many rows a call as the memory holds.
        memory: bytes left for a solver.
        seed: of starting points.
        bounds: of the data.
        clean: r next to the source, (P,).
        gradient: of r there, (P, n).
        missing: what is missing to success, for smallest norms; None where that is not asked for.
    """

    setup: Setup
    problem: Problem
    memory: float
    seed: int
    bounds: tuple[float, float]
    clean: Tensor
    gradient: Tensor
    missing: Problem | None = None

    @classmethod
    def of(cls, subject: Subject, objective: AttackObjective, seed: int, memory: float) -> "Posed":
        """Pose an objective.

        Raises:
            InputError: the model is not a function of each image, or gives no gradient.
        """
        target = subject.target if objective.targeted else None
        setup = prepare(subject.model, subject.source, target, objective, seed=seed, bounds=subject.bounds)
        problem, left = within(setup.problem, memory)
        pairs = torch.arange(len(problem.x0), device=problem.x0.device)
        clean, gradient = value_and_gradient(problem.fun, problem.x0, pairs, problem.chunk)
        return cls(setup, problem, left, seed, subject.bounds, clean, gradient)

    @cached_property
    def price(self) -> float:
        """The unit of λ: r(0)/‖x − x_t‖, the median over the pairs where it is finite; 0 where it is nowhere."""
        assert self.problem.anchor is not None
        apart = torch.linalg.vector_norm(self.problem.anchor, dim=1)
        prices = self.clean / apart
        prices = prices[prices.isfinite()]
        if not len(prices):
            return 0.0
        return float(prices.median())

    def solve(self, budget: Budget, solver: Solver) -> AttackResult:
        """Minimise within a budget."""
        run = Run(self.seed, self.memory)
        if isinstance(budget, MinimumNorm):
            assert self.missing is not None
            solution = smallest(self.problem, self.missing, budget, solver, run)
        else:
            solution = solver.solve(self.problem, budget, run)
        settings = {
            "objective": self.setup.objective.settings(),
            "budget": budget.settings(),
            "solver": solver.settings(),
            "seed": self.seed,
            "bounds": list(self.bounds),
            "smoothed": solver.smooths and self.problem.smoothed is not None,
        }
        result = collect(solution, self.setup, budget, self.bounds, settings)
        return replace(result, bound=bound(self.problem, budget))

    def free(self, iterations: int) -> AttackResult:
        """Set out from the source, and not from the target, with a distortion that costs nothing: Δ(0)."""
        return self.solve(Penalty((0.0,)), Cold(iterations))


@dataclass(frozen=True, eq=False)
class Attempt:
    """One attack of the suite, or why there is none.

    Attributes:
        entry: what was tried.
        posed: the problem; None where the model cannot be attacked so.
        result: what was found; None likewise.
        found: what the model made of it; None likewise.
        failure: why; empty where it went well.
    """

    entry: Entry
    posed: Posed | None = None
    result: AttackResult | None = None
    found: Found | None = None
    failure: str = ""


def attempt(entry: Entry, subject: Subject, seed: int, memory: float, posed: Posed | None = None) -> Attempt:
    """Run one attack; a model that refuses it is no error here.

    Args:
        entry: the attack.
        subject: the model and its pairs.
        seed: of starting points.
        memory: bytes.
        posed: the same objective on the same subject, posed before.
    """

    def run() -> Attempt:
        known = posed or Posed.of(subject, entry.objective, seed, memory)
        if entry.levels:
            known = replace(known, missing=Posed.of(subject, Missing(), seed, memory).problem)
        if not entry.solves:
            return Attempt(entry, known)
        price = known.price if entry.prices else 0.0
        reach = float(subject.apart.median())
        budget = entry.budget(price, reach, subject.source[0].numel())
        result = known.solve(budget, entry.solver)
        found = subject.judge(entry.name, result.adversarial, int(result.evaluations.sum()))
        return Attempt(entry, known, result, found)

    return tried(run, lambda failure: Attempt(entry, failure=failure))


def tried(run: Callable[[], T], failed: Callable[[str], T]) -> T:
    """The result of work on a model of someone else, or what comes of its failure."""
    try:
        return run()
    except MemoryError:
        raise
    except (InputError, RuntimeError, ValueError, TypeError, NotImplementedError) as error:
        line = str(error).strip().splitlines() or [type(error).__name__]
        return failed(line[0])
