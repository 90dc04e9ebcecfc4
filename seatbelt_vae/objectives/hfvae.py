"""HFVAE: the decomposition with groups of latent dimensions."""

import itertools
from dataclasses import dataclass

from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.models.hierarchical import Encoding
from seatbelt_vae.objectives.aggregate import aggregate
from seatbelt_vae.objectives.beta_tc import all_posteriors
from seatbelt_vae.objectives.elbo import check_beta
from seatbelt_vae.objectives.terms import Terms
from seatbelt_vae.objectives.weighing import ELBOTerms
from seatbelt_vae.objectives.weights import Estimator, check_estimator


@dataclass(frozen=True)
class HFVAE(ELBOTerms):
    r"""Two-level decomposition of the KL of the top latent, each part with its weight.

    With groups g of dimensions,

    .. math:: KL \to \alpha\, MI
        + \beta \underbrace{\big[\log \hat q(z) - \textstyle\sum_g \log \hat q_g(z_g)\big]}_{\text{between groups}}
        + \gamma \underbrace{\textstyle\sum_g
            \big[\log \hat q_g(z_g) - \sum_{d \in g} \log \hat q_d(z_d)\big]}_{\text{within groups}}
        + \sum_d KL_d.

    All weights 1 give the ELBO; singleton groups give β-TCVAE.

    Args:
        groups: lists of dimensions of z_L, each dimension in one; None for singletons.
        alpha: weight of the mutual information.
        beta: weight of the total correlation between groups.
        gamma: weight of the total correlation within groups.
        estimator: of the aggregate; the paper's is ``leave-one-in``.
        tc_samples: examples over which log q̂ is estimated.

    References:
        Esmaeili et al. 2019, Structured Disentangled Representations.

    Example:
        >>> import torch
        >>> from seatbelt_vae.models import vae
        >>> model, x = vae((1, 28, 28), latent_sizes=(4,), network="mlp"), torch.rand(4, 1, 28, 28)
        >>> HFVAE(groups=((0, 1), (2, 3)), beta=4.0)(model(x), x, data_size=100).loss.shape
        torch.Size([])
    """

    groups: tuple[tuple[int, ...], ...] | None = None
    alpha: float = 1.0
    beta: float = 4.0
    gamma: float = 3.0
    estimator: Estimator = "leave-one-in"
    tc_samples: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("alpha", "beta", "gamma"):
            check_beta(getattr(self, name), name)
        check_estimator(self.estimator)

    def __call__(self, encoding: Encoding, x: Tensor, data_size: int) -> Terms:
        """The terms for images x out of `data_size`."""
        z, q, p = encoding.z[-1], encoding.q[-1], encoding.p[-1]
        groups = self.checked_groups(z.shape[-1])
        posteriors = all_posteriors(encoding)
        joint, grouped, marginals = aggregate(z, posteriors, data_size, self.estimator, groups)
        mi = q.log_prob(z).sum(-1) - joint
        between = joint - grouped.sum(-1)
        within = grouped.sum(-1) - marginals.sum(-1)
        return self.weigh(
            encoding,
            x,
            [(self.alpha - 1, mi), (self.beta - 1, between), (self.gamma - 1, within)],
            mutual_information=mi,
            total_correlation=between + within,
            dimension_wise_kl=marginals.sum(-1) - p.log_prob(z).sum(-1),
            others={
                "total_correlation_between": between,
                "total_correlation_within": within,
            },
        )

    def checked_groups(self, size: int) -> tuple[tuple[int, ...], ...]:
        """The groups, if they are a partition of the `size` dimensions of z_L."""
        if self.groups is None:
            return tuple((dimension,) for dimension in range(size))
        dimensions = sorted(itertools.chain(*self.groups))
        if dimensions != list(range(size)):
            raise InputError(
                f"groups {self.groups}: every one of the {size} dimensions 0…{size - 1} must be in one group"
            )
        return self.groups
