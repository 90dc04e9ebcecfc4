"""What objectives have in common that wrap another one."""

import dataclasses
from dataclasses import dataclass
from typing import Self

from torch import Tensor, nn

from seatbelt_vae.errors import InputError
from seatbelt_vae.models.hierarchical import Encoding, HierarchicalVAE
from seatbelt_vae.objectives.terms import Batch, Objective, Terms


@dataclass(frozen=True)
class Wrapper:
    """An objective that changes another one, its base. By itself it is the base, to the bit.

    Args:
        base: the objective that is wrapped; it may be a wrapper itself.
        done: the share of the training that is done, in [0, 1]; None for all. Set by :meth:`at`.
    """

    base: Objective
    _: dataclasses.KW_ONLY
    done: float | None = None

    def __post_init__(self) -> None:
        if not callable(getattr(self.base, "encode", None)):
            raise InputError(f"base: must be an objective such as ELBO(), is a {type(self.base).__name__}")

    @property
    def tc_samples(self) -> int | None:
        """The base's."""
        return self.base.tc_samples

    @property
    def adversary(self) -> nn.Module | None:
        """The base's."""
        return self.base.adversary

    def at(self, step: int, steps: int | None = None) -> Self:
        """The objective in force at a training step out of `steps`."""
        done = None if steps is None else step / steps
        return dataclasses.replace(self, base=self.base.at(step, steps), done=done)

    def encode(self, model: HierarchicalVAE, batch: Batch) -> Encoding:
        """The base's pass over a batch."""
        return self.base.encode(model, batch)

    def __call__(self, encoding: Encoding, x: Tensor, data_size: int) -> Terms:
        """The base's terms."""
        return self.base(encoding, x, data_size)


def check_settings(radius: float, ramp: float, share: float) -> None:
    """Refuse what cannot be said of a perturbation.

    Raises:
        InputError: a radius below 0, or a share outside of [0, 1].

    Example:
        >>> check_settings(radius=1.0, ramp=0.3, share=0.5)
    """
    if not 0 <= radius < float("inf"):
        raise InputError(f"radius {radius}: must be a finite distance, zero or more")
    if not 0 <= ramp <= 1:
        raise InputError(f"ramp {ramp}: must be a share of the steps, from 0 to 1")
    if not 0 < share <= 1:
        raise InputError(f"share {share}: must be a share of the batch, above 0 and at most 1")


def count_of(share: float, x: Tensor) -> int:
    """How many images of a batch a share is, at least one.

    Example:
        >>> import torch
        >>> count_of(0.5, torch.zeros(5, 1, 2, 2))
        2
    """
    return max(1, round(share * len(x)))


def risen(radius: float, ramp: float, done: float | None) -> float:
    """A radius that rises linearly from 0 over the first `ramp` of the training.

    Example:
        >>> risen(2.0, 0.5, 0.25), risen(2.0, 0.5, 0.8), risen(2.0, 0.5, None)
        (1.0, 2.0, 2.0)
    """
    if done is None or done >= ramp:
        return radius
    return radius * done / ramp
