"""Maximum damage: no target, only as far away from what the model made of the image as a budget allows."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import torch
from torch import Tensor

from seatbelt_vae.attacks.divergences import Divergence
from seatbelt_vae.attacks.latent import Latent, Layers, check_layers, choose_layers
from seatbelt_vae.attacks.noise import Noise
from seatbelt_vae.attacks.part import AttackObjective, check_choice
from seatbelt_vae.attacks.protocol import Attackable, distorted, mean_image, parts
from seatbelt_vae.errors import InputError
from seatbelt_vae.optim.problem import Objective

RECONSTRUCTION = "reconstruction"
NAMES = (RECONSTRUCTION, "kl", "reverse-kl", "skl", "w2", "l2-means")


@dataclass(frozen=True)
class Damage(AttackObjective):
    r"""Minus how far the reconstruction or the posterior of x + d is moved away from that of x. Needs a `Ball`.

    .. math:: r(d) = -\| g(\mu(x + d)) - g(\mu(x)) \|_2 \quad\text{or}\quad
        r(d) = -\sum_{l \in \text{layers}} r\big(q(z_l|x+d),\, q(z_l|x)\big)

    with μ the posterior means and g the decoder's mean image.

    Args:
        divergence: "reconstruction", or of posteriors "kl", "reverse-kl", "skl", "w2", "l2-means", or in Python a
            function (q, t) -> (B,).
        layers: whose posteriors are compared: "all", "bottom", "top" or indices from 0 (the bottom); None for those
            that the decoder sees. A reconstruction has none.

    Raises:
        InputError: an unknown name or layer, layers of a reconstruction.

    References:
        reconstruction: Camuto, Willetts, Roberts, Holmes & Rainforth 2021, Towards a theoretical understanding of the
        robustness of variational autoencoders.
        skl: Kuzina, Welling & Tomczak 2021, Diagnosing vulnerability of variational auto-encoders to adversarial
        attacks.

    Example:
        >>> Damage().targeted, Damage("skl", layers="top").layers
        (False, 'top')
    """

    name: ClassVar[str] = "damage"
    targeted: ClassVar[bool] = False
    reach: ClassVar[float] = 1e-2  # at the source itself the gradient of a divergence is 0
    divergence: str | Divergence = RECONSTRUCTION
    layers: Layers = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", check_layers(self.layers))
        if not callable(self.divergence):
            check_choice("divergence", self.divergence, NAMES)
        if self.divergence == RECONSTRUCTION and self.layers is not None:
            raise InputError(f"layers {self.layers!r}: a reconstruction has none, leave them out")

    def resolved(self, depth: int, decoder_sees: str) -> Self:
        """With the layers' indices."""
        if self.divergence == RECONSTRUCTION:
            return self
        return replace(self, layers=choose_layers(self.layers, depth, decoder_sees))

    def pose(self, model: Attackable, source: Tensor, target: Tensor, noise: Noise) -> Objective:
        """Minus the damage as a function of d."""
        if self.divergence == RECONSTRUCTION:
            return ReconstructionDamage(model, source)
        moved = Latent(self.divergence, self.layers).pose(model, source, source, Noise())
        return lambda d, pairs: -moved(d, pairs)


class ReconstructionDamage:
    """Minus the distance of the reconstruction of x + d from that of x.

    Args:
        model: what is attacked.
        source: x, (P, C, H, W).
    """

    def __init__(self, model: Attackable, source: Tensor) -> None:
        self.model = model
        self.source = source
        with torch.no_grad():
            self.clean = torch.cat([mean_image(model, source[pairs]) for pairs in parts(source)])

    def __call__(self, d: Tensor, pairs: Tensor) -> Tensor:
        """Minus the damage of distortions (B, n) to the given images (B,): (B,), in the data's units."""
        x = distorted(self.source, d, pairs)
        gap = mean_image(self.model, x) - self.clean[pairs]
        return -torch.linalg.vector_norm(gap.flatten(1), dim=1)
