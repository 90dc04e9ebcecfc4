r"""The aggregate posterior q̂(z) = (1/N) Σ_n q(z | x_n), estimated from a minibatch.

Three estimators, one formula: with log weights W_ij for sample i under posterior j,

.. math:: \log \hat q(z_i) = \operatorname*{LSE}_j \Big(\log W_{ij} + \sum_d \ell_{ijd}\Big), \qquad
    \log \hat q_d(z_{i,d}) = \operatorname*{LSE}_j (\log W_{ij} + \ell_{ijd}).

References:
    Chen et al. 2018, Isolating Sources of Disentanglement in VAEs, appendix C (MWS and MSS).
    Esmaeili et al. 2019, Structured Disentangled Representations (leave-one-in).
"""

import math
from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.distributions import Normal
from torch.utils.checkpoint import checkpoint

from seatbelt_vae.errors import InputError

Estimator = Literal["mws", "mss", "leave-one-in"]
Groups = Sequence[Sequence[int]]
Densities = tuple[Tensor, Tensor, Tensor]
ELEMENTS_IN_MEMORY = 2**23
"""Entries of log q(z_i | x_j)_d held at once; larger problems are streamed over samples and recomputed backwards."""


def log_weights(like: Tensor, posteriors: int, data_size: int, estimator: Estimator) -> Tensor:
    r"""Log weights of every posterior in the mixture, per sample; sample i comes from posterior i.

    With M posteriors and N training examples:

    - ``mws``: W_ij = 1 / (N M). Rows sum to 1/N: biased, by about (D - 1) log N in a total correlation.
    - ``mss``: W_ii = 1/N, one other column (N - M + 1) / (N (M - 1)), the rest 1 / (M - 1). Rows sum to 1. The other
      column is the next one, so that it never meets the diagonal.
    - ``leave-one-in``: W_ii = 1/N, the rest (N - 1) / (N (M - 1)). Rows sum to 1.

    Args:
        like: B samples or rows of any kind, (B, …), whose dtype and device the weights take.
        posteriors: M ≥ B columns.
        data_size: N ≥ M.
        estimator: which.

    Returns:
        log W, (B, M).

    Raises:
        InputError: N < M < B, an unknown estimator, or a single posterior where weights need two.

    Example:
        >>> log_weights(torch.zeros(4, 2), 4, data_size=100, estimator="mss").logsumexp(1).abs() < 1e-6
        tensor([True, True, True, True])
    """
    samples, n, m = len(like), data_size, posteriors - 1
    check_counts(samples, posteriors, data_size, estimator)
    shape = (samples, posteriors)
    if estimator == "mws":
        return like.new_full(shape, -math.log(n * posteriors))
    if m == 0:
        return like.new_zeros(1, 1)
    row = torch.arange(samples, device=like.device)
    if estimator == "mss":
        log_w = like.new_full(shape, math.log(1 / m))
        log_w[row, (row + 1) % posteriors] = math.log((n - m) / (n * m))
    else:
        log_w = like.new_full(shape, math.log((n - 1) / (n * m)))
    log_w[row, row] = -math.log(n)
    return log_w


def check_counts(samples: int, posteriors: int, data_size: int, estimator: str) -> None:
    """Refuse an estimator that does not exist, or one without the posteriors that it needs.

    Raises:
        InputError: what is wrong and what would be right.

    Example:
        >>> check_counts(8, 8, 100, "mws")
    """
    check_estimator(estimator)
    if posteriors < samples:
        raise InputError(f"log_q: must have a posterior for each of the {samples} samples, has {posteriors}")
    if data_size < posteriors:
        raise InputError(f"data_size {data_size}: must be at least the {posteriors} posteriors of the batch")
    if estimator != "mws" and posteriors == 1 and data_size > 1:
        raise InputError(f"estimator {estimator!r}: needs a batch of at least 2")


def check_estimator(estimator: str) -> None:
    """Refuse an estimator that does not exist.

    Raises:
        InputError: not one of the three.

    Example:
        >>> check_estimator("mss")
    """
    if estimator not in get_args(Estimator):
        raise InputError(f"estimator {estimator!r}: must be one of {', '.join(get_args(Estimator))}")


def log_aggregate(log_q: Tensor, data_size: int, estimator: Estimator = "mws") -> tuple[Tensor, Tensor]:
    r"""Estimate the log density of the aggregate posterior and of its marginals at each sample.

    Args:
        log_q: log q(z_{i,d} | x_j) in nats, (B, M, D): row i sample, column j posterior, M ≥ B; usually M = B.
        data_size: number N ≥ M of training examples.
        estimator: ``mws``, ``mss`` (the corrected one: every row's weights sum to 1) or ``leave-one-in``.

    Returns:
        log q̂(z_i), (B,), and log q̂_d(z_{i,d}), (B, D), in nats.

    Raises:
        InputError: the shape is not (B, M, D) with M ≥ B, or N < M.

    References:
        Chen et al. 2018, appendix C.1 and C.2.

    Example:
        >>> joint, marginals = log_aggregate(torch.zeros(3, 3, 2), data_size=3, estimator="mss")
        >>> joint.abs() < 1e-6, marginals.shape
        (tensor([True, True, True]), torch.Size([3, 2]))
    """
    if log_q.dim() != 3 or log_q.shape[1] < log_q.shape[0]:
        raise InputError(f"log_q: must be (B samples, M >= B posteriors, D latents), got {tuple(log_q.shape)}")
    log_w = log_weights(log_q.detach(), log_q.shape[1], data_size, estimator)
    joint, _, marginals = mix(log_q, log_w, ())
    return joint, marginals


def total_correlation(log_q: Tensor, data_size: int, estimator: Estimator = "mws") -> Tensor:
    r"""Estimate the total correlation of the aggregate posterior from a minibatch.

    .. math:: \log \hat q(z_i) - \sum_d \log \hat q_d(z_{i,d})

    A training signal, not a measurement: ``mws`` exceeds the truth by about (D - 1) log N. To report a total
    correlation use :func:`seatbelt_vae.metrics.total_correlation`, which sums over the whole data set.

    Args:
        log_q: log q(z_{i,d} | x_j) in nats, (B, M, D).
        data_size: number N ≥ M of training examples.
        estimator: ``mws``, ``mss`` or ``leave-one-in``.

    Returns:
        One estimate per sample, (B,), in nats.

    Raises:
        InputError: `data_size` is smaller than the batch.

    Example:
        >>> total_correlation(torch.zeros(1, 1, 2), data_size=1)
        tensor([0.])
    """
    joint, marginals = log_aggregate(log_q, data_size, estimator)
    return joint - marginals.sum(-1)


def aggregate(
    z: Tensor,
    q: Normal,
    data_size: int,
    estimator: Estimator = "mws",
    groups: Groups = (),
) -> Densities:
    """As :func:`log_aggregate`, from samples and posteriors, in memory that does not grow with B·M·D.

    Args:
        z: samples, (B, D); z_i was drawn from posterior i.
        q: M ≥ B posteriors, batch shape (M, D).
        data_size: N ≥ M.
        estimator: ``mws``, ``mss`` or ``leave-one-in``.
        groups: lists of dimensions whose joint density is wanted too.

    Returns:
        log q̂(z_i), (B,); log q̂_g(z_{i,g}), (B, G); log q̂_d(z_{i,d}), (B, D); in nats, differentiable in z and q.

    Example:
        >>> q = Normal(torch.zeros(3, 2), torch.ones(3, 2))
        >>> [tuple(part.shape) for part in aggregate(q.sample(), q, data_size=9, groups=[[0, 1]])]
        [(3,), (3, 1), (3, 2)]
    """
    log_w = log_weights(z.detach(), len(q.loc), data_size, estimator)

    def rows(z: Tensor, log_w: Tensor) -> Densities:
        return mix(pairwise_log_prob(z, q), log_w, groups)

    step = max(1, ELEMENTS_IN_MEMORY // max(1, q.loc.numel()))
    if step >= len(z):
        return rows(z, log_w)
    joint, grouped, marginals = [], [], []
    for z_part, w_part in zip(z.split(step), log_w.split(step), strict=True):
        part = checkpoint(rows, z_part, w_part, use_reentrant=False)
        joint.append(part[0])
        grouped.append(part[1])
        marginals.append(part[2])
    return torch.cat(joint), torch.cat(grouped), torch.cat(marginals)


def pairwise_log_prob(z: Tensor, q: Normal) -> Tensor:
    """Log q(z_{i,d} | x_j) for every sample (B, D) under every posterior (M, D): (B, M, D), in nats.

    Example:
        >>> q = Normal(torch.zeros(3, 2), torch.ones(3, 2))
        >>> pairwise_log_prob(torch.zeros(4, 2), q).shape
        torch.Size([4, 3, 2])
    """
    standardised = (z[:, None] - q.loc) / q.scale
    normaliser = q.scale.log() + 0.5 * math.log(2 * math.pi)
    return -0.5 * standardised**2 - normaliser


def mix(log_q: Tensor, log_w: Tensor, groups: Groups) -> Densities:
    """Log mixture densities over posteriors: of all dimensions, of each group, and of each dimension.

    The log weight is added once per density, after the sum over its dimensions.

    Example:
        >>> joint, _, marginals = mix(torch.zeros(1, 2, 3), torch.zeros(1, 2), ())
        >>> joint.exp(), marginals.exp()
        (tensor([2.]), tensor([[2., 2., 2.]]))
    """
    joint = torch.logsumexp(log_w + log_q.sum(-1), dim=1)
    marginals = torch.logsumexp(log_w[:, :, None] + log_q, dim=1)
    grouped = joint.new_empty(len(joint), len(groups))
    columns = []
    for group in groups:
        own = log_q[:, :, list(group)].sum(-1)
        columns.append(torch.logsumexp(log_w + own, dim=1))
    if columns:
        grouped = torch.stack(columns, dim=1)
    return joint, grouped, marginals
