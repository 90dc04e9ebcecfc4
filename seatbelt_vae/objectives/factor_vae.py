"""FactorVAE: the total correlation by a discriminator that tells latents from shuffled latents."""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from seatbelt_vae.errors import InputError
from seatbelt_vae.models.hierarchical import Encoding
from seatbelt_vae.objectives.elbo import check_beta
from seatbelt_vae.objectives.terms import Terms
from seatbelt_vae.objectives.weighing import ELBOTerms


class Discriminator(nn.Module):
    r"""A classifier between q̂(z) and Π_d q̂_d(z_d); its logit is the log density ratio.

    Args:
        latent_size: D of the latent it looks at.
        width: units of its five hidden layers, 1000 in the paper.

    References:
        Kim & Mnih 2018, Disentangling by Factorising, appendix A (six layers, leaky ReLU 0.2).

    Example:
        >>> Discriminator(4, width=8)(torch.zeros(3, 4)).shape
        torch.Size([3])
    """

    learning_rate = 1e-4
    betas = (0.5, 0.9)

    def __init__(self, latent_size: int, width: int = 1000) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        fan_in = latent_size
        for _ in range(5):
            layers += [nn.Linear(fan_in, width), nn.LeakyReLU(0.2)]
            fan_in = width
        self.layers = nn.Sequential(*layers, nn.Linear(width, 1))

    def optimiser(self) -> Optimizer:
        """The paper's."""
        return Adam(self.parameters(), lr=self.learning_rate, betas=self.betas)

    def forward(self, z: Tensor) -> Tensor:
        """Log q̂(z) - log Π_d q̂_d(z_d) as far as it has learned, (B,), in nats."""
        logits: Tensor = self.layers(z)
        return logits.squeeze(-1)

    def loss(self, z: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Cross-entropy of telling half of the batch from the other half, shuffled; a scalar in nats.

        Args:
            z: latents (B, D); no gradient flows into them.
            generator: for the permutations, on the CPU.

        Raises:
            InputError: a batch that cannot be halved.
        """
        if len(z) < 4:
            raise InputError(f"batch of {len(z)}: FactorVAE's discriminator needs at least 4 examples, half shuffled")
        joint, other = z.detach().chunk(2)
        product = permute_dimensions(other, generator)
        real = F.softplus(-self(joint)).mean()
        fake = F.softplus(self(product)).mean()
        return 0.5 * (real + fake)


def permute_dimensions(z: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Shuffle every dimension over the batch on its own: samples of the product of the marginals."""
    columns = []
    for _ in range(z.shape[1]):
        columns.append(torch.randperm(len(z), generator=generator))
    order = torch.stack(columns, dim=1)
    return z.gather(0, order.to(z.device))


@dataclass(frozen=True)
class FactorVAE(ELBOTerms):
    r"""ELBO - γ·TC with the total correlation read off a discriminator.

    .. math:: \log p(x|z) - KL - \gamma \big[\log \hat q(z) - \log \textstyle\prod_d \hat q_d(z_d)\big]

    Args:
        gamma: γ ≥ 0; 0 gives the ELBO.
        discriminator: trained beside the model, with its own optimiser; see :meth:`for_latent_size`.

    References:
        Kim & Mnih 2018, Disentangling by Factorising.

    Example:
        >>> from seatbelt_vae.models import vae
        >>> model, x = vae((1, 28, 28), latent_sizes=(4,), network="mlp"), torch.rand(4, 1, 28, 28)
        >>> objective = FactorVAE.for_latent_size(4, gamma=6.4, width=16)
        >>> objective(model(x), x, data_size=100).total_correlation.shape
        torch.Size([4])
    """

    gamma: float = 6.4
    discriminator: Discriminator = field(default_factory=lambda: Discriminator(32))

    def __post_init__(self) -> None:
        super().__post_init__()
        check_beta(self.gamma, "gamma")

    @classmethod
    def for_latent_size(cls, latent_size: int, *, width: int = 1000, **settings: float) -> "FactorVAE":
        """The objective with a new discriminator for latents of a size."""
        return cls(discriminator=Discriminator(latent_size, width), **settings)  # type: ignore[arg-type]

    @property
    def adversary(self) -> Discriminator:
        """The discriminator."""
        return self.discriminator

    def adversary_loss(self, encoding: Encoding, generator: torch.Generator) -> Tensor:
        """What the discriminator descends: its cross-entropy on the batch's latents."""
        return self.discriminator.loss(encoding.z[-1], generator)

    def __call__(self, encoding: Encoding, x: Tensor, data_size: int) -> Terms:
        """The terms for images x; the discriminator's weights get no gradient from here."""
        z = encoding.z[-1]
        first = self.discriminator.layers[0]
        assert isinstance(first, nn.Linear)
        if first.in_features != z.shape[-1]:
            raise InputError(f"discriminator: takes {first.in_features} latents, the top layer has {z.shape[-1]}")
        frozen = {}
        for name, weight in self.discriminator.named_parameters():
            frozen[name] = weight.detach()
        tc: Tensor = torch.func.functional_call(self.discriminator, frozen, (z,))
        return self.weigh(encoding, x, [(self.gamma, tc)], total_correlation=tc)
