"""Denoising: random perturbations in the place of the worst ones, the control for adversarial training."""

import dataclasses
from dataclasses import dataclass

import torch

from seatbelt_vae.models.hierarchical import Encoding, HierarchicalVAE
from seatbelt_vae.objectives.perturbation import Ball
from seatbelt_vae.objectives.terms import Batch
from seatbelt_vae.objectives.wrapper import Wrapper, check_settings, count_of, risen


@dataclass(frozen=True)
class Denoising(Wrapper):
    r"""Any objective, with a share of each batch encoded from x + d, d in a random direction of length ε.

    What a robust objective gains over this one is no mere augmentation. Radius 0 gives the base objective to the bit.

    Args:
        base: the objective that is wrapped.
        radius: ε, L2 norm of d over the whole image, in the units of the data.
        ramp: share of the training over which the radius rises from 0.
        share: of each batch that is perturbed.

    References:
        Im et al. 2017, Denoising Criterion for Variational Auto-Encoding Framework.

    Example:
        >>> import torch
        >>> from seatbelt_vae.models import vae
        >>> from seatbelt_vae.objectives import ELBO
        >>> model, x = vae((1, 28, 28), network="mlp"), torch.rand(4, 1, 28, 28)
        >>> Denoising(ELBO(), radius=1.0).encode(model, Batch.of(model, x)).z[0].shape
        torch.Size([4, 32])
    """

    radius: float = dataclasses.field(kw_only=True)
    ramp: float = 0.3
    share: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_settings(self.radius, self.ramp, self.share)

    def encode(self, model: HierarchicalVAE, batch: Batch) -> Encoding:
        """The base's pass over the batch, whose first rows are perturbed."""
        if self.radius == 0:
            return self.base.encode(model, batch)
        count = count_of(self.share, batch.x)
        ball = Ball(batch.x, self.radius, batch.bounds).around(count, risen(self.radius, self.ramp, self.done))
        mixed = torch.cat([ball.random(batch.generator), batch.x[count:]])
        return self.base.encode(model, dataclasses.replace(batch, x=mixed))
