"""Denoising: random perturbations in the place of the worst ones, the control for adversarial training."""

from dataclasses import dataclass

from seatbelt_vae.models.hierarchical import Encoding, HierarchicalVAE
from seatbelt_vae.objectives.protocol import Batch
from seatbelt_vae.objectives.wrapper import Perturbed


@dataclass(frozen=True)
class Denoising(Perturbed):
    r"""Any objective, with a share of each batch encoded from x + d, d in a random direction of length ε.

    What a robust objective gains over this one is no mere augmentation. Radius 0 gives the base objective to the bit.

    Args:
        base: the objective that is wrapped.

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

    def encode(self, model: HierarchicalVAE, batch: Batch) -> Encoding:
        """The base's pass over the batch, whose first rows are perturbed."""
        if self.radius == 0:
            return self.base.encode(model, batch)
        perturbed = self.ball(batch).random(batch.generator)
        return self.base.encode(model, batch.with_first(perturbed))
