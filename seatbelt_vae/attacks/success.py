"""What is missing to success, as a function of the distortion: the constraint of smallest norms."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from seatbelt_vae.attacks.noise import Noise
from seatbelt_vae.attacks.part import AttackObjective
from seatbelt_vae.attacks.protocol import Attackable, distorted, mean_image, parts
from seatbelt_vae.metrics.robustness import attack_success


@dataclass(frozen=True)
class Missing(AttackObjective):
    """What is missing to success: 1 − s(d), with s of :func:`seatbelt_vae.metrics.attack_success`.

    It is 1 everywhere on pairs without a defined success.

    Example:
        >>> Missing().targeted
        True
    """

    name: ClassVar[str] = "missing"

    def pose(self, model: Attackable, source: Tensor, target: Tensor, noise: Noise) -> "MissingSuccess":
        """1 − s as a function of d."""
        return MissingSuccess(model, source, target)


class MissingSuccess:
    """1 − s(d) of P pairs.

    Args:
        model: what is attacked.
        source: x, (P, C, H, W).
        target: x_t, (P, C, H, W).
    """

    def __init__(self, model: Attackable, source: Tensor, target: Tensor) -> None:
        self.model = model
        self.source = source
        self.target = target
        with torch.no_grad():
            self.clean = torch.cat([mean_image(model, source[pairs]) for pairs in parts(source)])
            self.best = torch.cat([mean_image(model, target[pairs]) for pairs in parts(target)])

    def __call__(self, d: Tensor, pairs: Tensor) -> Tensor:
        """What is missing at distortions (B, n) of the given pairs (B,): (B,)."""
        reconstruction = mean_image(self.model, distorted(self.source, d, pairs))
        return 1 - attack_success(reconstruction, self.clean[pairs], self.best[pairs], self.target[pairs])
