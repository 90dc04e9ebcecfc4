"""Maximum damage: no target, only as far away from what the model made of the image as a budget allows."""

import torch
from torch import Tensor
from torch.distributions import Normal

from seatbelt_vae.attacks.divergences import Divergence
from seatbelt_vae.attacks.latent import joined
from seatbelt_vae.attacks.memory import parts
from seatbelt_vae.attacks.protocol import Attackable, as_normal


class ReconstructionDamage:
    r"""The negative distance of the reconstruction from the clean one.

    .. math:: r(d) = -\| g(\mu(x + d)) - g(\mu(x)) \|_2

    with μ the posterior means and g the decoder's mean image.

    Args:
        model: what is attacked.
        source: x, (P, C, H, W).

    References:
        Camuto, Willetts, Roberts, Holmes & Rainforth 2021, Towards a theoretical understanding of the robustness of
        variational autoencoders.
    """

    def __init__(self, model: Attackable, source: Tensor) -> None:
        self.model, self.source = model, source
        with torch.no_grad():
            self.clean = torch.cat([self.reconstruct(source[part]) for part in parts(source)])

    def reconstruct(self, x: Tensor) -> Tensor:
        """Mean images of the posterior means, (B, C, H, W)."""
        mean: Tensor = self.model.decode([as_normal(q).loc for q in self.model.encode(x)]).mean
        return mean

    def __call__(self, d: Tensor, pairs: Tensor) -> Tensor:
        """Minus the damage of distortions (B, n) to the given images (B,): (B,), in the data's units."""
        x = self.source[pairs] + d.view(-1, *self.source.shape[1:])
        damage: Tensor = torch.linalg.vector_norm((self.reconstruct(x) - self.clean[pairs]).flatten(1), dim=1)
        return -damage


class PosteriorDamage:
    """The negative divergence of the posteriors of x + d from those of x, summed over layers.

    Args:
        model: what is attacked.
        source: x, (P, C, H, W).
        divergence: ``skl`` in the literature.
        layers: indices of the layers, bottom first.

    References:
        Kuzina, Welling & Tomczak 2021, Diagnosing vulnerability of variational auto-encoders to adversarial attacks.
    """

    def __init__(self, model: Attackable, source: Tensor, divergence: Divergence, layers: tuple[int, ...]) -> None:
        self.model, self.source, self.divergence, self.layers = model, source, divergence, layers
        with torch.no_grad():
            self.clean = joined([self.posteriors(source[part]) for part in parts(source)])

    def posteriors(self, x: Tensor) -> list[Normal]:
        """The chosen layers' posteriors, flattened to (B, D)."""
        q = [as_normal(layer) for layer in self.model.encode(x)]
        return [Normal(q[i].loc.flatten(1), q[i].scale.flatten(1), validate_args=False) for i in self.layers]

    def __call__(self, d: Tensor, pairs: Tensor) -> Tensor:
        """Minus the damage of distortions (B, n) to the given images (B,): (B,)."""
        total = d.new_zeros(len(d))
        after = self.posteriors(self.source[pairs] + d.view(-1, *self.source.shape[1:]))
        for q, clean in zip(after, self.clean, strict=True):
            before = Normal(clean.loc[pairs], clean.scale[pairs], validate_args=False)
            total = total - self.divergence(q, before)
        return total
