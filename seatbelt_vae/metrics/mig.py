"""MIG: how exclusively single latents know single factors."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Normal

from seatbelt_vae.metrics.factors import check_factors, entropy
from seatbelt_vae.metrics.mixture import mixture_log_density
from seatbelt_vae.metrics.statistics import Estimate
from seatbelt_vae.metrics.total_correlation import check_posteriors, draw_aggregate
from seatbelt_vae.progress import Advance, progress_bar


@dataclass(frozen=True)
class MutualInformationGap:
    """The gap of every factor and what it comes from; `score` is their mean, from 0 to 1, higher is better.

    Attributes:
        gaps: (top − second) mutual information over H(v_k), shape (F,); NaN for a factor with a single value.
        mutual_information: I(z_j; v_k) in nats, at least 0, shape (D, F).
        entropies: H(z_j) of the aggregate posterior in nats, shape (D,).
        standard_error: of the score, by Monte Carlo over the samples of z; which latents come first is taken as known.
    """

    gaps: Tensor
    mutual_information: Tensor
    entropies: Tensor
    standard_error: float = math.nan

    @property
    def score(self) -> float:
        """Mean gap over the factors that vary."""
        return float(self.gaps.nanmean())

    def __float__(self) -> float:
        return self.score


def mig(
    q: Normal,
    factors: Tensor,
    samples: int | None = 10_000,
    *,
    seed: int = 0,
    progress: bool = False,
) -> MutualInformationGap:
    r"""Mutual information gap, over the full aggregate posterior. No unit, 0 to 1, higher is more disentangled.

    .. math:: \frac1F \sum_k \frac{I(z_{j_1}; v_k) - I(z_{j_2}; v_k)}{H(v_k)}, \qquad
        I(z_j; v_k) = H(z_j) - H(z_j|v_k) = E \log \frac{\bar q(z_j|v_k)}{\bar q(z_j)}

    H(v_k) is the entropy of the factor in the data at hand, log of the number of values where they are equally
    frequent. One z is drawn for each chosen image. Both densities are exact mixtures over *all* images (of the same
    factor value), and are compared at the same z, so most of the sampling error cancels. Information is cut at 0.

    Args:
        q: posteriors of the whole data set, batch shape (N, D).
        factors: value of each factor for each image, integers (N, F).
        samples: how many images a z is drawn for, spread over the data set; None takes all (N² work).
        seed: of the samples.
        progress: show a bar on stderr.

    Raises:
        InputError: `factors` is not an integer (N, F), no factor varies, or `q` is not a finite (N, D).

    References:
        Chen et al. 2018, Isolating Sources of Disentanglement in VAEs, section 4.

    Example:
        >>> factors = torch.cartesian_prod(torch.arange(4), torch.arange(4))
        >>> round(mig(Normal(factors.double(), 0.01), factors, samples=500).score, 3)
        1.0
    """
    check_posteriors(q)
    sizes = check_factors(factors, len(q.loc))
    if samples is None:
        samples = len(q.loc)
    index, z = draw_aggregate(q, samples, seed)
    D = q.loc.shape[1]
    F = factors.shape[1]
    information = torch.zeros(D, F, dtype=torch.float64)
    entropies = torch.full((F,), math.nan, dtype=torch.float64)
    leads = torch.zeros(len(z), dtype=torch.float64)  # of the top latent over the second, summed over factors
    with progress_bar("MIG", (1 + F) * len(q.loc), progress) as advance:
        _, marginals = mixture_log_density(z, q.loc, q.scale, joint=False, advance=advance)
        for k, factor in enumerate(factors.T):
            conditional = _conditional(q, factor.to(z.device), index, z, advance)
            gained = (conditional - marginals).cpu()
            information[:, k] = gained.mean(0).clamp(min=0)
            if sizes[k] > 1:
                entropies[k] = entropy(factor)
                leads += _lead(gained) / entropies[k]
    second = torch.zeros(1, F)  # should D be 1
    top = torch.cat([information, second]).topk(2, dim=0).values
    return MutualInformationGap(
        gaps=(top[0] - top[1]) / entropies,
        mutual_information=information,
        entropies=-marginals.mean(0).cpu(),
        standard_error=Estimate.of(leads).standard_error / int(entropies.isfinite().sum()),
    )


def _lead(gained: Tensor) -> Tensor:
    """What the most informative latent tells of a factor more than the second, at each sample: (S,)."""
    means = gained.mean(0)
    if len(means) == 1:
        return gained[:, 0]
    first, second = means.topk(2).indices.tolist()
    if means[second] <= 0:  # information is cut at 0
        return gained[:, first]
    return gained[:, first] - gained[:, second]


def _conditional(q: Normal, factor: Tensor, index: Tensor, z: Tensor, advance: Advance) -> Tensor:
    """Log q̄(z_j | v) of each sample under the mixture of the images that share its factor value, (S, D)."""
    values = torch.empty(z.shape, dtype=torch.float64, device=z.device)
    sizes = factor.unique(return_counts=True)[1].tolist()
    for same in factor.argsort().split(sizes):
        mine = (factor[index] == factor[same[0]]).nonzero().squeeze(1)
        if len(mine) > 0:
            _, values[mine] = mixture_log_density(z[mine], q.loc[same], q.scale[same], joint=False)
        advance(len(same))
    return values
