"""What objectives have in common that wrap another one."""

import dataclasses
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.models.hierarchical import Encoding, HierarchicalVAE
from seatbelt_vae.objectives.perturbation import Ball, draw
from seatbelt_vae.objectives.protocol import Adversary, Batch, Objective
from seatbelt_vae.objectives.terms import Terms


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
    def adversary(self) -> Adversary | None:
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

    def adversary_loss(self, encoding: Encoding, generator: torch.Generator) -> Tensor:
        """The base's."""
        return self.base.adversary_loss(encoding, generator)


@dataclass(frozen=True)
class Perturbed(Wrapper):
    """A wrapper that encodes images from elsewhere within a ball around them.

    Args:
        radius: ε, largest L2 norm of the perturbation over the whole image, in the units of the data.
        ramp: share of the training over which the radius rises from 0.
        share: of each batch that is perturbed.
        spread: each image has a radius of its own, uniform between (1 - spread) ε and ε; 0 gives all the same one.
    """

    radius: float = dataclasses.field(kw_only=True)
    ramp: float = 0.3
    share: float = 0.5
    spread: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.radius < float("inf"):
            raise InputError(f"radius {self.radius}: must be a finite distance, zero or more")
        if not 0 <= self.ramp <= 1:
            raise InputError(f"ramp {self.ramp}: must be a share of the steps, from 0 to 1")
        if not 0 < self.share <= 1:
            raise InputError(f"share {self.share}: must be a share of the batch, above 0 and at most 1")
        if not 0 <= self.spread <= 1:
            raise InputError(f"spread {self.spread}: must be a share of the radius, from 0 to 1")

    def ball(self, batch: Batch) -> Ball:
        """The ball around the images of a batch that are perturbed, the first ones, at this step.

        Raises:
            InputError: the radius is longer than the diagonal of the bounds.
        """
        low, high = batch.bounds
        diagonal = (high - low) * batch.x[0].numel() ** 0.5
        if self.radius > diagonal:
            raise InputError(f"radius {self.radius:g}: is more than any two images differ, use at most {diagonal:.3g}")
        centre = first(self.share, batch.x)
        radii = centre.new_full((len(centre), 1), risen(self.radius, self.ramp, self.done))
        if self.spread:
            radii = radii * (1 - self.spread * draw(torch.rand, radii, batch.generator))
        return Ball(centre, radii, batch.bounds)


def first(share: float, x: Tensor) -> Tensor:
    """The first images of a batch, at least one."""
    return x[: max(1, round(share * len(x)))]


def risen(radius: float, ramp: float, done: float | None) -> float:
    """A radius that rises linearly from 0 over the first `ramp` of the training."""
    if done is None or done >= ramp:
        return radius
    return radius * done / ramp
