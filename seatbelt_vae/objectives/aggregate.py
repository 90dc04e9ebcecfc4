r"""The aggregate posterior q̂(z) = (1/N) Σ_n q(z | x_n), estimated from a minibatch.

With the :class:`~seatbelt_vae.objectives.weights.Weights` W of sample i under posterior j,

.. math:: \log \hat q(z_i) = \operatorname*{LSE}_j \Big(\log W_{ij} + \sum_d \ell_{ijd}\Big), \qquad
    \log \hat q_d(z_{i,d}) = \operatorname*{LSE}_j (\log W_{ij} + \ell_{ijd}).
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.distributions import Normal

from seatbelt_vae.errors import InputError
from seatbelt_vae.models.conditional import at_least_float32
from seatbelt_vae.objectives.mixture import LogMixture
from seatbelt_vae.objectives.weights import Estimator, Weights


def log_aggregate(log_q: Tensor, data_size: int, estimator: Estimator = "mws") -> tuple[Tensor, Tensor]:
    r"""Estimate the log density of the aggregate posterior and of its marginals at each sample.

    For posteriors of any kind. Of Gaussians :func:`aggregate` needs no (B, M, D) tensor.

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
    return mix(log_q, log_weights(log_q.detach(), log_q.shape[1], data_size, estimator))


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
    groups: Sequence[Sequence[int]] = (),
) -> tuple[Tensor, Tensor, Tensor]:
    """As :func:`log_aggregate`, from samples and Gaussians, in memory that grows with neither B·M nor B·M·D.

    Args:
        z: samples, (B, D); z_i was drawn from posterior i.
        q: M ≥ B posteriors, batch shape (M, D).
        data_size: N ≥ M.
        estimator: ``mws``, ``mss`` or ``leave-one-in``.
        groups: lists of dimensions whose joint density is wanted too.

    Returns:
        log q̂(z_i), (B,); log q̂_g(z_{i,g}), (B, G); log q̂_d(z_{i,d}), (B, D); in nats, and in float32 at least. They
        can be differentiated once, in z and q.

    Raises:
        InputError: N < M < B, an unknown estimator, or a single posterior where weights need two.

    Example:
        >>> q = Normal(torch.zeros(3, 2), torch.ones(3, 2))
        >>> [tuple(part.shape) for part in aggregate(q.sample(), q, data_size=9, groups=[[0, 1]])]
        [(3,), (3, 1), (3, 2)]
    """
    weights = Weights.of(len(z), len(q.loc), data_size, estimator)
    parts = [slice(None), *map(list, groups)]
    tensors = map(at_least_float32, (z, q.loc, q.scale))
    of_parts, of_dimensions = LogMixture.apply(*tensors, weights, parts)
    rest = math.log(weights.rest)
    return of_parts[:, 0] + rest, of_parts[:, 1:] + rest, of_dimensions + rest


def mix(log_q: Tensor, log_w: Tensor) -> tuple[Tensor, Tensor]:
    """Log mixture densities over posteriors, of all dimensions and of each.

    The log weight is added once per density, after the sum over its dimensions.

    Example:
        >>> joint, marginals = mix(torch.zeros(1, 2, 3), torch.zeros(1, 2))
        >>> joint.exp(), marginals.exp()
        (tensor([2.]), tensor([[2., 2., 2.]]))
    """
    joint = torch.logsumexp(log_w + log_q.sum(-1), dim=1)
    marginals = torch.logsumexp(log_w[:, :, None] + log_q, dim=1)
    return joint, marginals


def log_weights(like: Tensor, posteriors: int, data_size: int, estimator: Estimator) -> Tensor:
    """Log W of B samples, (B, M), in the dtype and on the device of a tensor (B, …).

    Example:
        >>> log_weights(torch.zeros(4, 2), 4, data_size=100, estimator="mss").logsumexp(1).abs() < 1e-6
        tensor([True, True, True, True])
    """
    weights = Weights.of(len(like), posteriors, data_size, estimator)
    log_w = like.new_full((len(like), posteriors), math.log(weights.rest))
    return weights.add_to(log_w, shift=0)
