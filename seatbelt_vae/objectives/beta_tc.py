"""β-TC: the ELBO with a heavier total correlation of the top latent."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Normal

from seatbelt_vae.models.hierarchical import Encoding
from seatbelt_vae.objectives.aggregate import aggregate
from seatbelt_vae.objectives.elbo import check_beta
from seatbelt_vae.objectives.terms import Terms
from seatbelt_vae.objectives.weighing import ELBOTerms, ramp
from seatbelt_vae.objectives.weights import Estimator, check_estimator


@dataclass(frozen=True)
class BetaTC(ELBOTerms):
    r"""The objective of β-TCVAE, β-TCDLGM and the Seatbelt-VAE.

    .. math:: \mathrm{ELBO} - (\beta - 1) \, TC(z_L), \qquad
        TC = \log \hat q(z_L) - \sum_d \log \hat q_d(z_{L,d})

    At the sample, MI + TC + Σ_d KL_d telescopes to log q(z_L|·) - log p(z_L), so β = 1 is the ELBO exactly.

    Args:
        beta: β ≥ 0.
        estimator: ``mws``, ``mss`` (corrected) or ``leave-one-in``, see :mod:`seatbelt_vae.objectives.weights`.
        tc_samples: examples over which log q̂ is estimated; more than the gradient batch are encoded without gradient.
            An MWS mixture of M posteriors holds at most log M nats of information, which β·TC then squeezes z to:
            this is a setting of the science, not of the machine.
        anneal: steps over which β moves linearly from 1 to its value.
        free_bits: floor under the KL; the TC stays outside.

    References:
        Chen et al. 2018, Isolating Sources of Disentanglement in VAEs. Willetts et al. 2020 (on the top layer alone).

    Example:
        >>> from seatbelt_vae.models import seatbelt_vae
        >>> model, x = seatbelt_vae((1, 28, 28), latent_sizes=(8, 4), network="mlp"), torch.rand(4, 1, 28, 28)
        >>> sorted(BetaTC(beta=6.0)(model(x), x, data_size=100).summary())[:3]
        ['dimension_wise_kl', 'elbo', 'kl_1']
    """

    beta: float = 6.0
    estimator: Estimator = "mws"
    tc_samples: int | None = None
    anneal: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_beta(self.beta)
        check_estimator(self.estimator)

    @property
    def weight(self) -> float:
        """β - 1 at this step."""
        return ramp(self.step, self.anneal) * (self.beta - 1)

    def __call__(self, encoding: Encoding, x: Tensor, data_size: int) -> Terms:
        """The terms for images x out of `data_size`."""
        z, q, p = encoding.z[-1], encoding.q[-1], encoding.p[-1]
        joint, _, marginals = aggregate(z, all_posteriors(encoding), data_size, self.estimator)
        tc = joint - marginals.sum(-1)
        return self.weigh(
            encoding,
            x,
            [(self.weight, tc)],
            mutual_information=q.log_prob(z).sum(-1) - joint,
            total_correlation=tc,
            dimension_wise_kl=marginals.sum(-1) - p.log_prob(z).sum(-1),
        )


def all_posteriors(encoding: Encoding) -> Normal:
    """The batch's own top posteriors first, then those of the other examples; (M, D)."""
    own = encoding.q[-1]
    others = encoding.others
    if others is None:
        return own
    loc = torch.cat([own.loc, others.loc])
    scale = torch.cat([own.scale, others.scale])
    return Normal(loc, scale, validate_args=False)
