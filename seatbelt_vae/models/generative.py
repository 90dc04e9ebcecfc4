"""The generative side of a hierarchy: p(z_1, …, z_L), and the decoder p(x | z)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Normal

from seatbelt_vae.models.conditional import at_least_float32, standard_normal


class Generative(nn.Module):
    r"""The prior over the hierarchy, top-down.

    .. math:: p(z_L) = N(0, I), \qquad p(z_l|z_{l+1}) \quad\text{or, with skips,}\quad p(z_l|z_{l+1}, …, z_L)

    Args:
        latent_sizes: D_1 … D_L, bottom first.
        conditionals: p(z_1|·) … p(z_{L-1}|·), bottom first.
        skips: every conditional sees all the layers above, and not the next alone (BIVA).

    Example:
        >>> generative = Generative([3], [])
        >>> generative((torch.ones(2, 3),))[-1].scale.shape
        torch.Size([2, 3])
    """

    def __init__(self, latent_sizes: Sequence[int], conditionals: Sequence[nn.Module], skips: bool = False) -> None:
        super().__init__()
        self.latent_sizes = tuple(latent_sizes)
        self.conditionals = nn.ModuleList(conditionals)
        self.skips = skips

    def prior(self, layer: int, above: Sequence[Tensor]) -> Normal:
        """p(z_layer | the samples above it, nearest first); counts layers from 0."""
        context = above[0]
        if self.skips:
            context = torch.cat(list(above), dim=-1)
        prior: Normal = self.conditionals[layer](context)
        return prior

    def forward(self, z: Sequence[Tensor]) -> tuple[Normal, ...]:
        """The priors of all layers at the given samples, bottom first."""
        below_top = tuple(self.prior(layer, z[layer + 1 :]) for layer in range(len(self.conditionals)))
        return (*below_top, standard_normal(z[-1]))

    def sample(self, top: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, ...]:
        """Ancestral samples of all layers below a given top latent (B, D_L); bottom first, the top included."""
        z = [top]
        for layer in reversed(range(len(self.conditionals))):
            p = self.prior(layer, z)
            noise = torch.randn(p.loc.shape, generator=generator, dtype=top.dtype, device=top.device)
            z.insert(0, p.loc + p.scale * noise)
        return tuple(z)


class Decoder(nn.Module):
    """p(x | z_1) or p(x | z_1, …, z_L): a network that gives maps, and a likelihood that reads them.

    Args:
        network: latents (B, D) → maps (B, K·C, H, W).
        likelihood: maps → distribution, see :mod:`seatbelt_vae.models.likelihoods`.
        sees_all: the network sees every layer (the Seatbelt likelihood) and not z_1 alone (the DLGM likelihood).
    """

    def __init__(self, network: nn.Module, likelihood: nn.Module, sees_all: bool) -> None:
        super().__init__()
        self.network = network
        self.likelihood = likelihood
        self.sees_all = sees_all

    def forward(self, z: Sequence[Tensor]) -> Distribution:
        """Return p(x | z) for samples of every layer, bottom first."""
        seen = z[0]
        if self.sees_all:
            seen = torch.cat(list(z), dim=-1)
        distribution: Distribution = self.likelihood(at_least_float32(self.network(seen)))
        return distribution
