"""Total correlation and its relatives of the aggregate posterior, over the whole data set: what reports may state.

A minibatch estimate is a training signal; it is off by up to (D − 1) log N. Here every posterior of the data set is
in the mixture, and the only error is Monte Carlo over the samples of z.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Normal

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.mixture import mixture_log_density
from seatbelt_vae.metrics.statistics import Estimate, summarise
from seatbelt_vae.progress import progress_bar


@dataclass(frozen=True)
class AggregatePosterior:
    r"""The aggregate posterior :math:`\bar q(z) = \frac1N \sum_n q(z|x_n)` seen at S of its samples, in nats.

    The decomposition telescopes: KL = mutual information + total correlation + dimension-wise KL.

    Attributes:
        log_joint: log q̄(z), shape (S,).
        log_marginals: log q̄_d(z_d), shape (S, D).
        log_conditional: log q(z|x) under the posterior that z was drawn from, shape (S,).
        log_prior: log N(z_d; 0, 1), shape (S, D).
    """

    log_joint: Tensor
    log_marginals: Tensor
    log_conditional: Tensor
    log_prior: Tensor

    @property
    def entropy(self) -> Estimate:
        """H(z) of the aggregate."""
        return Estimate.of(-self.log_joint)

    @property
    def mutual_information(self) -> Estimate:
        """I(x; z) = E log q(z|x) − log q̄(z); at most log N."""
        return Estimate.of(self.log_conditional - self.log_joint)

    @property
    def total_correlation(self) -> Estimate:
        """KL(q̄(z) ‖ ∏_d q̄_d(z_d)); 0 for independent dimensions."""
        return Estimate.of(self.log_joint - self.log_marginals.sum(-1))

    @property
    def dimension_wise_kl(self) -> Estimate:
        """Σ_d KL(q̄_d(z_d) ‖ N(0, 1))."""
        return Estimate.of((self.log_marginals - self.log_prior).sum(-1))

    @property
    def kl(self) -> Estimate:
        """E_x KL(q(z|x) ‖ N(0, I)), by Monte Carlo."""
        return Estimate.of(self.log_conditional - self.log_prior.sum(-1))

    def summary(self) -> dict[str, float]:
        """Values and standard errors for a report, in nats."""
        estimates = {
            "entropy": self.entropy,
            "mutual_information": self.mutual_information,
            "total_correlation": self.total_correlation,
            "dimension_wise_kl": self.dimension_wise_kl,
            "kl": self.kl,
        }
        return summarise(estimates)


def total_correlation(
    q: Normal,
    samples: int | None = 10_000,
    *,
    seed: int = 0,
    progress: bool = False,
) -> Estimate:
    r"""Total correlation of the aggregate posterior over the full data: nats, lower is more disentangled.

    .. math:: KL\Big(\bar q(z) \,\Big\|\, \prod_d \bar q_d(z_d)\Big),
        \qquad \bar q(z) = \frac1N \sum_n q(z|x_n)

    Args:
        q: posteriors of the whole data set, batch shape (N, D).
        samples: samples of z; None draws one for each image.
        seed: of the samples.
        progress: show a bar on stderr.

    Returns:
        The estimate with its Monte-Carlo standard error.

    Raises:
        InputError: `q` is not a finite (N, D), or `samples` is below 2.

    References:
        Watanabe 1960, Information theoretical analysis of multivariate correlation. Chen et al. 2018, section 3.

    Example:
        >>> independent = Normal(torch.zeros(50, 3), torch.ones(50, 3))
        >>> abs(total_correlation(independent, samples=20).value) < 1e-5
        True
    """
    return aggregate_posterior(q, samples, seed=seed, progress=progress).total_correlation


def aggregate_posterior(
    q: Normal,
    samples: int | None = 10_000,
    *,
    seed: int = 0,
    progress: bool = False,
) -> AggregatePosterior:
    """Evaluate the aggregate posterior of a whole data set at its own samples; costs S·N·D exponentials.

    Samples are stratified: posteriors are taken in random order, each as often as any other give or take one. The
    standard errors treat them as independent and are therefore, if anything, too large.

    Args:
        q: posteriors of the whole data set, batch shape (N, D). Its precision is that of the computation.
        samples: samples of z; None draws one for each image.
        seed: of the samples.
        progress: show a bar on stderr.

    Returns:
        Log densities at the samples, from which entropy, total correlation and the other parts follow.

    Raises:
        InputError: `q` is not a finite (N, D), or `samples` is below 2.

    Example:
        >>> aggregate = aggregate_posterior(Normal(torch.randn(50, 3), torch.ones(50, 3)), samples=200)
        >>> parts = (aggregate.mutual_information, aggregate.total_correlation, aggregate.dimension_wise_kl)
        >>> abs(sum(part.value for part in parts) - aggregate.kl.value) < 1e-9
        True
    """
    check_posteriors(q)
    if samples is None:
        samples = len(q.loc)
    index, z = draw_aggregate(q, samples, seed)
    with progress_bar("Aggregate posterior", len(q.loc), progress) as advance:
        joint, marginals = mixture_log_density(z, q.loc, q.scale, advance=advance)
    z = z.double()
    chosen = Normal(q.loc[index].double(), q.scale[index].double())
    prior = Normal(torch.zeros_like(marginals), 1.0)
    return AggregatePosterior(
        log_joint=joint.cpu(),
        log_marginals=marginals.cpu(),
        log_conditional=chosen.log_prob(z).sum(-1).cpu(),
        log_prior=prior.log_prob(z).cpu(),
    )


def draw_aggregate(q: Normal, samples: int, seed: int) -> tuple[Tensor, Tensor]:
    """Stratified samples of the aggregate: which posterior each is from, (S,), and z, (S, D).

    Example:
        >>> index, z = draw_aggregate(Normal(torch.zeros(4, 2), torch.ones(4, 2)), samples=6, seed=0)
        >>> sorted(index.bincount().tolist()), z.shape
        ([1, 1, 2, 2], torch.Size([6, 2]))
    """
    if samples < 2:
        raise InputError(f"samples {samples}: at least 2 are needed for an error bar")
    N, D = q.loc.shape
    generator = torch.Generator().manual_seed(seed)
    rounds = [torch.randperm(N, generator=generator) for _ in range(0, samples, N)]
    index = torch.cat(rounds)[:samples].to(q.loc.device)
    noise = torch.randn(samples, D, generator=generator, dtype=torch.float64)
    return index, q.loc[index] + q.scale[index] * noise.to(q.loc)


def check_posteriors(q: Normal) -> None:
    """Refuse posteriors that are not N × D, finite, and of positive scale.

    Raises:
        InputError: one of these.
    """
    if q.loc.dim() != 2 or 0 in q.loc.shape:
        raise InputError(f"q: batch shape {tuple(q.loc.shape)}; expected (N, D), one row per image")
    finite = q.loc.isfinite().all() and q.scale.isfinite().all()
    if not finite or not (q.scale > 0).all():
        raise InputError("q: loc or scale is not finite, or a scale is not positive")
