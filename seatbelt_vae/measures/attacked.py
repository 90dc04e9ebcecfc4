"""An attack and what the model made of it: the numbers of each pair, each computed in one place."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from seatbelt_vae import metrics
from seatbelt_vae.attacks import Assessment, AttackResult
from seatbelt_vae.notebook import rich, spread

UNTOUCHED = 1e-3
"""Relative distortion below which an image counts as not attacked."""

SMALLEST = 1e-12
"""Below it a Δ has no logarithm worth taking."""


@dataclass(frozen=True, eq=False, repr=False)
class Attacked:
    """An attack and what the model made of its images: what measures are computed from.

    Args:
        result: the attack, P pairs at K budgets.
        assessment: reconstructions and likelihoods, measured afresh.
    """

    result: AttackResult
    assessment: Assessment

    def __repr__(self) -> str:
        """A few lines, no tensors."""
        name, means = self._gained()
        return f"{self.result!r}\n  mean {name} from {means[0]:.3g} to {means[-1]:.3g}"

    def _gained(self) -> tuple[str, Tensor]:
        """What the attack was after, and its mean over pairs at each value of the budget."""
        if self.result.targeted:
            return "success", self.success.nanmean(0)
        return "damage", self.damage.mean(0)

    def _repr_html_(self) -> str:
        """The same in a notebook, with what the model makes of the most distorted images."""
        at = spread(len(self.result.budget))
        name, means = self._gained()
        numbers = {**self.result.numbers(at), name: [f"{means[place]:.3g}" for place in at]}
        largest = int(self.result.distortion.mean(0).nan_to_num(posinf=0.0).argmax())
        pictures = self.result.pictures([largest])
        pictures["rec(x)"] = self.assessment.source_reconstruction
        pictures["rec(x*)"] = self.assessment.adversarial_reconstruction[:, largest]
        return rich(repr(self), numbers, pictures, self.result.bounds)

    @cached_property
    def success(self) -> Tensor:
        """Success s, (P, K); lower is more robust."""
        seen = self.assessment
        return metrics.attack_success(
            seen.adversarial_reconstruction,
            seen.source_reconstruction,
            seen.target_reconstruction,
            self.result.target,
        )

    @cached_property
    def defined(self) -> Tensor:
        """Whether encoding the target brings the reconstruction nearer to it at all, (P,)."""
        seen = self.assessment
        return metrics.success_is_defined(seen.source_reconstruction, seen.target_reconstruction, self.result.target)

    @cached_property
    def relative_distortion(self) -> Tensor:
        """‖d‖/‖x − x_t‖, (P, K)."""
        return metrics.relative_distortion(self.result.distortion, self.result.source, self.result.target)

    @cached_property
    def damage(self) -> Tensor:
        """‖rec(x*) − rec(x)‖, (P, K), in the data's units."""
        seen = self.assessment
        moved = seen.adversarial_reconstruction - seen.source_reconstruction[:, None]
        return torch.linalg.vector_norm(moved, dim=(-3, -2, -1))

    @cached_property
    def to_target(self) -> Tensor:
        """‖rec(x*) − x_t‖, (P, K), in the data's units."""
        missed = self.assessment.adversarial_reconstruction - self.result.target[:, None]
        return torch.linalg.vector_norm(missed, dim=(-3, -2, -1))

    @cached_property
    def shown(self) -> Tensor:
        """Index of the λ that figures show, (P,), see `shown_index`."""
        return shown_index(self.result.objective)

    def best_within(self, budget: float, values: Tensor, clean: Tensor) -> Tensor:
        """A value (P, K) of the attack that has the best success within a relative distortion, (P,).

        Not attacking is within every budget: where no λ stayed within it, the value is that of the clean image, (P,).
        """
        inside = self.relative_distortion <= budget
        best = self.success.masked_fill(~inside, -math.inf).argmax(1, keepdim=True)
        return torch.where(inside.any(1), values.gather(1, best)[:, 0], clean)


def shown_index(objective: Tensor) -> Tensor:
    """Index of the λ shown in figures: among those whose Δ is above the mean over λ, the largest λ of smallest Δ.

    Args:
        objective: Δ, (P, K), λ ascending.

    Returns:
        (P,), integers. Where no Δ exceeds the mean (all are equal) the last.

    References:
        Willetts et al. 2020, caption of Figure 1.

    Example:
        >>> shown_index(torch.tensor([[0.0, 1.0, 5.0, 5.0, 9.0], [1.0, 1.0, 1.0, 1.0, 1.0]]))
        tensor([3, 4])
    """
    above = objective.where(objective > objective.mean(1, keepdim=True), torch.inf)
    smallest = above <= above.amin(1, keepdim=True)
    positions = torch.arange(objective.shape[1]).expand_as(objective)
    return positions.where(smallest, -1).amax(1)


def geometric_mean(objective: Tensor) -> Tensor:
    """Geometric mean of Δ (P, K) over λ, (P,); NaN where one Δ of the attack is negative.

    Leaving out single pairs would average over those that happen to be easy.

    Example:
        >>> geometric_mean(torch.tensor([[1.0, 100.0]])).round(decimals=6)
        tensor([10.], dtype=torch.float64)
    """
    return unless_negative(objective).clamp(min=SMALLEST).log().mean(1).exp()


def unless_negative(values: Tensor) -> Tensor:
    """Values as float64, all NaN where one of them is negative: such have no logarithm.

    Example:
        >>> unless_negative(torch.tensor([1.0, -1.0]))
        tensor([nan, nan], dtype=torch.float64)
    """
    values = values.double()
    if bool((values < 0).any()):
        return torch.full_like(values, math.nan)
    return values
