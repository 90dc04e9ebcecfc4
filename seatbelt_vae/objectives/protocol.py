"""What an objective is to training."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, Self

import torch
from torch import Tensor
from torch.optim import Optimizer

from seatbelt_vae.models.hierarchical import Encoding, HierarchicalVAE
from seatbelt_vae.objectives.terms import Terms


@dataclass(frozen=True)
class Batch:
    """All that a training step gives to an objective.

    Attributes:
        x: clean images, (B, C, H, W).
        noise: standard normal (B, D_l) of each layer, for the samples of the posterior.
        generator: for whatever else is random in this step; a function of the seed and the step.
        bounds: of the pixels.
    """

    x: Tensor
    noise: Sequence[Tensor]
    generator: torch.Generator
    bounds: tuple[float, float] = (0.0, 1.0)

    @classmethod
    def of(cls, model: HierarchicalVAE, x: Tensor, seed: int = 0) -> Self:
        """A batch of images with noise of a seed."""
        generator = torch.Generator(x.device).manual_seed(seed)
        return cls(x, model.draw_noise(len(x), generator), generator)

    def with_first(self, images: Tensor) -> Self:
        """The same batch with other images in the place of the first ones."""
        return replace(self, x=torch.cat([images, self.x[len(images) :]]))


class Adversary(Protocol):
    """A module that is trained beside the model."""

    def optimiser(self) -> Optimizer:
        """The optimiser of its parameters."""
        ...


class Objective(Protocol):
    """What training needs, in two calls: a pass over a batch, and the terms of what the pass gave.

    Most objectives take the model's own pass. Those that make a model robust encode other images than those that are
    to be explained, or add a term that needs further passes; they wrap any other objective.

    Attributes:
        tc_samples: over how many examples log q̂ is estimated; None for the gradient batch alone.
        adversary: what is trained beside the model, with an optimiser of its own: a discriminator or a multiplier.
    """

    @property
    def tc_samples(self) -> int | None: ...  # noqa: D102

    @property
    def adversary(self) -> "Adversary | None": ...  # noqa: D102

    def at(self, step: int, steps: int | None = None) -> Self:
        """The objective in force at a training step out of `steps`, counted from 0: warm-up, annealing and ramps."""
        ...

    def encode(self, model: HierarchicalVAE, batch: Batch) -> Encoding:
        """Pass a batch through the model; it is in training mode, and under autocast where training is."""
        ...

    def __call__(self, encoding: Encoding, x: Tensor, data_size: int) -> Terms:
        """The terms for images x (B, C, H, W) out of a training set of `data_size`.

        Where several processes train, x are this one's images alone; all else is of the whole batch, and so is what
        the likelihood says of x.
        """
        ...

    def adversary_loss(self, encoding: Encoding, generator: torch.Generator) -> Tensor:
        """The adversary's own loss after a step of the model; asked for only where there is one."""
        ...
