"""The evidence lower bound, and β-VAE's over-weighted KL."""

from dataclasses import dataclass

from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.models.hierarchical import Encoding
from seatbelt_vae.objectives.terms import Terms
from seatbelt_vae.objectives.weighing import ELBOTerms, ramp


@dataclass(frozen=True)
class ELBO(ELBOTerms):
    r"""The evidence lower bound of a hierarchy.

    .. math:: \log p(x|z) - \sum_{l<L} \big[\log q(z_l|\cdot) - \log p(z_l|z_{>l})\big]
        - KL(q(z_L|\cdot) \,\|\, N(0, I))

    Args:
        free_bits: floor in nats under the KL of each dimension or layer; 0.125 per dimension is the authors' setting.
        free_bits_per: ``dimension`` or ``layer``.
        warm_up: steps over which the KL's weight rises from 0 to 1.
        layer_kl: ``sample``, or ``paper`` for the biased form of equation 9.

    References:
        Kingma & Welling 2014; Sønderby et al. 2016 (warm-up); Kingma et al. 2016 (free bits).

    Example:
        >>> import torch
        >>> from seatbelt_vae.models import vae
        >>> model, x = vae((1, 28, 28), network="mlp"), torch.rand(4, 1, 28, 28)
        >>> ELBO()(model(x), x, data_size=100).elbo.shape
        torch.Size([4])
    """

    def __call__(self, encoding: Encoding, x: Tensor, data_size: int) -> Terms:
        """The terms for images x; `data_size` plays no part."""
        return self.weigh(encoding, x)


@dataclass(frozen=True)
class BetaVAE(ELBOTerms):
    r"""β-VAE: the KL weighted by β; in a hierarchy that of the top layer.

    .. math:: \mathrm{ELBO} - (\beta - 1) \, KL(q(z_L|\cdot) \,\|\, N(0, I))

    Free bits bound the KL before β weighs it, so that a dimension at its floor feels no pull at any β.

    Args:
        beta: β ≥ 0; 1 gives the ELBO exactly.
        anneal: steps over which β moves linearly from 1 to its value.

    References:
        Higgins et al. 2017, beta-VAE.

    Example:
        >>> BetaVAE(beta=4.0, anneal=100).at(50).weight
        2.5
    """

    beta: float = 4.0
    anneal: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_beta(self.beta)

    @property
    def weight(self) -> float:
        """β at this step."""
        return 1 + ramp(self.step, self.anneal) * (self.beta - 1)

    def __call__(self, encoding: Encoding, x: Tensor, data_size: int) -> Terms:
        """The terms for images x; `data_size` plays no part."""
        return self.weigh(encoding, x, top_weight=self.weight)


def check_beta(beta: float, name: str = "beta") -> None:
    """Refuse a negative or undefined weight."""
    if not 0 <= beta < float("inf"):
        raise InputError(f"{name} {beta}: must be a finite number, zero or more")
