"""AVAE: an autoencoder that encodes its own decoding as it encoded the image. No adversary."""

import math
from dataclasses import dataclass

from torch import Tensor
from torch.distributions import Normal

from seatbelt_vae.errors import InputError
from seatbelt_vae.models.hierarchical import Encoding, HierarchicalVAE
from seatbelt_vae.models.modes import evaluating
from seatbelt_vae.objectives.elbo import check_beta
from seatbelt_vae.objectives.perturbation import seen
from seatbelt_vae.objectives.protocol import Batch
from seatbelt_vae.objectives.terms import Terms
from seatbelt_vae.objectives.wrapper import Wrapper

NAME = "inconsistency"


@dataclass(frozen=True)
class AVAE(Wrapper):
    r"""Any objective, and the agreement of the posterior with that of the model's own decoding.

    .. math:: \text{base} + w \big( \mathbb{E} \log N(\tilde z; \rho z, (1 - \rho^2) I) + H[q(\tilde z|\tilde x)] \big),
        \qquad \tilde x = g(z)

    with g(z) the mean image of the sample z, which gets no gradient, z of q(z|x) and z̃ of q(z̃|x̃). The layers that the
    decoder sees are summed; x̃ is encoded in evaluation mode with means propagated.

    Args:
        base: the objective that is wrapped.
        rho: ρ, the correlation of z and z̃ in the prior, in (-1, 1).
        weight: w ≥ 0; 0 gives the base objective to the bit.

    References:
        Cemgil et al. 2020, The Autoencoding Variational Autoencoder.

    Example:
        >>> import torch
        >>> from seatbelt_vae.models import vae
        >>> from seatbelt_vae.objectives import ELBO
        >>> model, x = vae((1, 28, 28), network="mlp"), torch.rand(4, 1, 28, 28)
        >>> objective = AVAE(ELBO())
        >>> sorted(objective(objective.encode(model, Batch.of(model, x)), x, data_size=100).others)
        ['inconsistency']
    """

    rho: float = 0.975
    weight: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not -1 < self.rho < 1:
            raise InputError(f"rho {self.rho}: must be a correlation between -1 and 1")
        check_beta(self.weight, "weight")

    def encode(self, model: HierarchicalVAE, batch: Batch) -> Encoding:
        """The base's pass over the batch, and the term of its decoding."""
        encoding = self.base.encode(model, batch)
        if self.weight == 0:
            return encoding
        low, high = batch.bounds
        decoded = encoding.likelihood.mean.detach().clamp(low, high)
        with evaluating(model):
            again = seen(model, decoded.to(batch.x.dtype))
        total = batch.x.new_zeros(len(batch.x))
        for q, tilde in zip(encoding.q, again, strict=False):  # the decoder sees the bottom one, or all
            total = total + inconsistency(q, tilde, self.rho)
        return encoding.with_term(NAME, total)

    def __call__(self, encoding: Encoding, x: Tensor, data_size: int) -> Terms:
        """The base's terms, and w times the mean of the new one."""
        terms = self.base(encoding, x, data_size)
        return terms.penalised(self.weight, encoding, NAME)


def inconsistency(q: Normal, tilde: Normal, rho: float) -> Tensor:
    r"""KL(q(z̃|x̃) ‖ N(ρz, (1 - ρ²)I)) averaged over z of q(z|x), (B,) in nats.

    .. math:: \sum_d \frac{\tilde\sigma^2 + \rho^2\sigma^2 + (\tilde\mu - \rho\mu)^2}{2(1 - \rho^2)}
        - \tfrac12 \log \frac{\tilde\sigma^2}{1 - \rho^2} - \tfrac12

    Example:
        >>> import torch
        >>> one = Normal(torch.zeros(1, 1), torch.ones(1, 1))
        >>> inconsistency(one, one, rho=0.0)
        tensor([0.])
    """
    variance = 1 - rho**2
    spread = tilde.scale.square() + (rho * q.scale).square()
    squares = spread + (tilde.loc - rho * q.loc).square()
    entropy = tilde.scale.log() - 0.5 * math.log(variance)
    return (squares / (2 * variance) - entropy - 0.5).sum(-1)
