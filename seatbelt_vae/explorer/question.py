"""What is asked of a model: an attack in the words of the page, as parts and as Python lines."""

from dataclasses import dataclass
from typing import Any

from seatbelt_vae.attacks import OBJECTIVES, Ball, Cold, Continuation, Penalty
from seatbelt_vae.attacks.attack import check_parts
from seatbelt_vae.attacks.budget import Budget
from seatbelt_vae.attacks.solvers import Solver
from seatbelt_vae.errors import InputError

MOST_VALUES = 16
"""Values of λ or ε at most."""

MOST_ITERATIONS = 1000

DIVERGENCES = {
    "latent": ("kl", "reverse-kl", "skl", "w2", "l2-means", "l2-samples"),
    "output": (),
    "damage": ("reconstruction", "kl", "reverse-kl", "skl", "w2", "l2-means"),
}
"""What the page offers for each objective."""


@dataclass(frozen=True)
class Question:
    """An attack as the page has it.

    Args:
        objective: latent, output or damage.
        divergence: one of `DIVERGENCES`; empty for output.
        layers: all, bottom or top; "decoder" for those that the decoder sees.
        budget: penalty or ball.
        values: prices λ or radii ε, with commas.
        iterations: of a solve at most.
    """

    objective: str
    divergence: str
    layers: str
    budget: str
    values: str
    iterations: float

    def parts(self) -> tuple[Any, Any, Any]:
        """The objective, the budget and the solver.

        Raises:
            InputError: a value is no number or out of range, or they do not go together.
        """
        settings: dict[str, Any] = {}
        if DIVERGENCES[self.objective]:
            settings["divergence"] = self.divergence
            if self.layers != "decoder" and self.divergence != "reconstruction":
                settings["layers"] = self.layers
        objective = OBJECTIVES[self.objective](**settings)
        iterations = int(self.iterations)
        if not 1 <= iterations <= MOST_ITERATIONS:
            raise InputError(f"iterations {iterations}: must be from 1 to {MOST_ITERATIONS}")
        budget: Budget = Penalty(self.numbers())
        solver: Solver = Continuation(iterations)
        if self.budget == "ball":
            budget = Ball(self.numbers())
            solver = Cold(iterations)
        check_parts(objective, budget, solver)
        return objective, budget, solver

    def numbers(self) -> tuple[float, ...]:
        """The values.

        Raises:
            InputError: one is no number, or there are too many.
        """
        words = self.values.replace(",", " ").split()
        if not 1 <= len(words) <= MOST_VALUES:
            raise InputError(f"values: {len(words)} given, must be 1 to {MOST_VALUES} numbers such as 0.5, 1, 2")
        try:
            return tuple(float(word) for word in words)
        except ValueError:
            raise InputError(f"values {self.values[:40]!r}: must be numbers such as 0.5, 1, 2") from None

    def lines(self, runs: list[str], source: str, target: str) -> str:
        """The Python lines that make the same attack.

        Args:
            runs: the folders of the models.
            source: what gives the source (1, C, H, W) of a run's test images ``test``.
            target: the same of the target.
        """
        objective, budget, solver = self.parts()
        if not objective.targeted:
            target = "None"
        return f"""import seatbelt_vae as sb
from seatbelt_vae.attacks import {", ".join(type(part).__name__ for part in self.parts())}
from seatbelt_vae.experiments import RunFolder

for path in {runs}:
    run = RunFolder.open(path)
    test = run.split.test
    source, target = {source}, {target}
    result = sb.attack(
        run.model(), source, target,
        {objective}, {budget}, {solver},
        bounds=test.bounds,
    )
    print(result)
"""
