"""The smooth encoder: posteriors of an image and of the worst one near it are to agree."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Normal

from seatbelt_vae.models.hierarchical import Encoding, HierarchicalVAE
from seatbelt_vae.objectives.elbo import check_beta
from seatbelt_vae.objectives.perturbation import check_inner, seen, worst_case
from seatbelt_vae.objectives.protocol import Batch
from seatbelt_vae.objectives.terms import Terms
from seatbelt_vae.objectives.wrapper import Perturbed

NAME = "smoothness"


@dataclass(frozen=True)
class SmoothEncoder(Perturbed):
    r"""Any objective, and a price on how far the posterior moves under the worst perturbation.

    .. math:: \text{base} - \gamma \, W_2^2(q(z|x), q(z|x + d^*)), \qquad
        W_2^2 = \|\mu - \mu'\|^2 + \|\sigma - \sigma'\|^2

    d* is the worst for the KL between them, as in :class:`Adversarial`. Both posteriors get a gradient: with q(z|x)
    held fixed the means would drift, since a shift of all of them would seem to help. Both are encoded in the mode of
    the model and in one batch: priced in evaluation mode, layers before a batch norm would shrink for ever, which costs
    the base nothing. Means are propagated; layers that the decoder sees are summed. Radius 0 and γ 0 give the base
    objective to the bit.

    Args:
        base: the objective that is wrapped.
        gamma: γ, nats per squared unit of the latents.
        inner_steps: gradients of the encoder from which d is found.

    References:
        Cemgil et al. 2020, Adversarially Robust Representations with Smooth Encoders.

    Example:
        >>> import torch
        >>> from seatbelt_vae.models import vae
        >>> from seatbelt_vae.objectives import ELBO
        >>> model, x = vae((1, 28, 28), network="mlp"), torch.rand(4, 1, 28, 28)
        >>> objective = SmoothEncoder(ELBO(), radius=1.0)
        >>> sorted(objective(objective.encode(model, Batch.of(model, x)), x, data_size=100).others)
        ['smoothness']
    """

    gamma: float = 1.0
    inner_steps: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_beta(self.gamma, "gamma")
        check_inner(self.inner_steps)

    def encode(self, model: HierarchicalVAE, batch: Batch) -> Encoding:
        """The base's pass over the batch, and W2² of its first rows."""
        encoding = self.base.encode(model, batch)
        if self.radius == 0 or self.gamma == 0:
            return encoding
        ball = self.ball(batch)
        worst = worst_case(model, ball, batch.generator, steps=self.inner_steps)
        return encoding.with_term(NAME, moved(model, ball.centre, worst))

    def __call__(self, encoding: Encoding, x: Tensor, data_size: int) -> Terms:
        """The base's terms, and γ times the mean of W2²."""
        terms = self.base(encoding, x, data_size)
        return terms.penalised(self.gamma, encoding, NAME)


def moved(model: HierarchicalVAE, x: Tensor, worst: Tensor) -> Tensor:
    """Squared W2 between the posteriors of images and of others, summed over the layers that the decoder sees, (B,)."""
    total = x.new_zeros(len(x))
    for q in seen(model, torch.cat([x, worst])):
        total = total + squared_w2(*halves(q))
    return total


def halves(q: Normal) -> tuple[Normal, Normal]:
    """The posteriors of the first and of the second half of a batch."""
    loc, other_loc = q.loc.chunk(2)
    scale, other_scale = q.scale.chunk(2)
    return Normal(loc, scale, validate_args=False), Normal(other_loc, other_scale, validate_args=False)


def squared_w2(q: Normal, t: Normal) -> Tensor:
    r"""The squared 2-Wasserstein distance of diagonal Gaussians, (B,), in squared latent units.

    .. math:: \|\mu_q - \mu_t\|^2 + \|\sigma_q - \sigma_t\|^2

    Example:
        >>> squared_w2(Normal(torch.full((1, 1), 3.0), 5.0), Normal(torch.zeros(1, 1), 1.0))
        tensor([25.])
    """
    return ((q.loc - t.loc).square() + (q.scale - t.scale).square()).sum(-1)
