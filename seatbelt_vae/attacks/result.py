"""What an attack found, in memory and on disk."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from seatbelt_vae.attacks.budget import BUDGETS, Grid
from seatbelt_vae.attacks.objectives import OBJECTIVES
from seatbelt_vae.errors import InputError
from seatbelt_vae.notebook import rich, spread
from seatbelt_vae.optim import Status
from seatbelt_vae.storage import read_json, read_tensors, write_json, write_tensors

ABOVE = 1e-4
"""Share of its bound by which an answer exceeds it, and is a violation."""


@dataclass(frozen=True, eq=False, repr=False)
class AttackResult:
    r"""P pairs attacked at K values of a budget.

    Attributes:
        source: x, (P, C, H, W).
        target: x_t, (P, C, H, W); x itself where the objective has no target.
        adversarial: x* = x + d inside the bounds, (P, K, C, H, W).
        budget: the prices λ of distortion, its limits ε, or the levels to be reached, (K,), ascending.
        objective: Δ = r + λ‖d‖ at the solution, (P, K); in a ball r; of a smallest norm ‖d‖.
        discrepancy: r, the part without the penalty, (P, K).
        distortion: ‖d‖, un-squared L2 over the whole image, (P, K); infinite where a level was not reached.
        status: how each solve ended, (P, K), values of :class:`~seatbelt_vae.optim.Status`.
        evaluations: evaluations of r and its gradient spent on each, (P, K).
        settings: how it was done, JSON values: objective, budget, solver, seed, bounds and whether kinks were smoothed.
        bound: Δ at x_t − x, which no answer may exceed, (P, K); None without a target, and in a ball.
    """

    source: Tensor
    target: Tensor
    adversarial: Tensor
    budget: Grid
    objective: Tensor
    discrepancy: Tensor
    distortion: Tensor
    status: Tensor
    evaluations: Tensor
    settings: dict[str, Any]
    bound: Tensor | None = None

    @property
    def violations(self) -> Tensor:
        """Which answers are above their bound by more than 10⁻⁴ of it: these solves failed, whatever their status says.

        (P, K); none without a bound.
        """
        if self.bound is None:
            return torch.zeros_like(self.status, dtype=torch.bool)
        return self.objective - self.bound > ABOVE * self.bound.abs()

    @property
    def targeted(self) -> bool:
        """Whether it has targets of its own."""
        return OBJECTIVES[self.settings["objective"]["name"]].targeted

    def __repr__(self) -> str:
        """A few lines, no tensors."""
        pairs, count = self.status.shape
        objective = self.settings["objective"]
        solver = self.settings["solver"]["name"]
        symbol = self.budget.symbol
        values = self.budget.values
        distortion = self.distortion.mean(0)
        failed = int((self.status != int(Status.CONVERGED)).sum())
        never = int((self.status == int(Status.UNREACHED)).sum())
        lines = (
            f"AttackResult: {objective['name']} attack ({objective['divergence']}) on {pairs} pairs, {solver}\n"
            f"  {count} values of {symbol} from {values[0]:g} to {values[-1]:g}\n"
            f"  mean distortion from {distortion[0]:.4g} to {distortion[-1]:.4g}\n"
            f"  {int(self.evaluations.sum())} evaluations, {failed} of {pairs * count} solves did not converge"
        )
        worse = int(self.violations.sum())
        if never:
            lines += f"\n  {never} levels were not reached: their distortion is infinite"
        if worse:
            lines += f"\n  {worse} failed: the target itself has a lower Δ"
        return lines

    def _repr_html_(self) -> str:
        """The same in a notebook, with numbers and images at a few values of the budget."""
        at = spread(len(self.budget))
        return rich(repr(self), self.numbers(at), self.pictures(at), self.bounds)

    @property
    def bounds(self) -> tuple[float, float]:
        """Of the images."""
        low, high = self.settings["bounds"]
        return low, high

    def numbers(self, at: Sequence[int]) -> dict[str, list[str]]:
        """Means over pairs at some values of the budget, a column each."""
        columns = {self.budget.symbol: self.budget.values}
        columns |= {"‖d‖": self.distortion.mean(0), "Δ": self.objective.mean(0)}
        return {head: [f"{column[place]:.4g}" for place in at] for head, column in columns.items()}

    def pictures(self, at: Sequence[int]) -> dict[str, Tensor]:
        """Images (P, C, H, W) by what they show: the sources, x* at some values of the budget, the targets."""
        found = {"source": self.source}
        for place in at:
            found[f"x*, {self.budget.symbol} = {self.budget.values[place]:.3g}"] = self.adversarial[:, place]
        if self.targeted:
            found["target"] = self.target
        return found

    def save(self, folder: str | Path, name: str) -> Path:
        """Write ``name.json`` (the settings) and ``name.safetensors`` (the tensors); returns the JSON's path.

        Raises:
            RunError: the folder cannot be written.
        """
        folder = Path(folder)
        tensors = {field: getattr(self, field) for field in tensor_names()}
        tensors["budget"] = self.budget.values
        if self.bound is not None:
            tensors["bound"] = self.bound
        write_tensors(folder / f"{name}.safetensors", tensors)
        return write_json(folder / f"{name}.json", self.settings)

    @classmethod
    def load(cls, folder: str | Path, name: str) -> Self:
        """Read what :meth:`save` wrote; equal to the bit.

        Raises:
            InputError: a file is missing, corrupt, or not of an attack of this version.
        """
        folder = Path(folder)
        tensors = read_tensors(folder / f"{name}.safetensors")
        settings = read_json(folder / f"{name}.json")
        bound = tensors.pop("bound", None)
        if sorted(tensors) != sorted(tensor_names()) or not _known(settings):
            raise InputError(f"{folder / name}.safetensors: is not an attack of this version")
        kind = settings["budget"].get("level", settings["budget"]["name"])
        budget = Grid(tensors.pop("budget"), kind)
        return cls(**tensors, budget=budget, settings=settings, bound=bound)


def tensor_names() -> list[str]:
    """What the tensors that every :class:`AttackResult` has are called in its file.

    Example:
        >>> tensor_names()[:3]
        ['source', 'target', 'adversarial']
    """
    return [field.name for field in fields(AttackResult) if field.name not in ("settings", "bound")]


def _known(settings: Any) -> bool:
    """Whether settings name an objective and a budget that there are."""
    try:
        objective = settings["objective"]["name"]
        budget = settings["budget"]["name"]
    except (KeyError, TypeError):
        return False
    return objective in OBJECTIVES and budget in BUDGETS
