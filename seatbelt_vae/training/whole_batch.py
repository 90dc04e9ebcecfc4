"""The whole batch, where each process passes its own rows through the model: one process's loss, up to rounding."""

import dataclasses
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.distributions import Distribution, Normal
from torch.overrides import TorchFunctionMode

from seatbelt_vae.distributed import gather, total, world_size
from seatbelt_vae.errors import InputError
from seatbelt_vae.models import Encoding
from seatbelt_vae.models.conditional import at_least_float32


def check_shares(batch_size: int) -> None:
    """Refuse a batch that cannot be shared out evenly.

    Raises:
        InputError: it is one.

    Example:
        >>> check_shares(128)
    """
    ranks = world_size()
    if batch_size % ranks:
        raise InputError(f"batch_size: {batch_size} cannot be shared by {ranks} processes, use a multiple of {ranks}")


def gathered(encoding: Encoding) -> Encoding:
    """The encoding of the whole batch. Its `others` are taken as they are."""
    if world_size() == 1:
        return encoding
    z, q, p = [], [], []
    for sample, posterior, prior in zip(encoding.z, encoding.q, encoding.p, strict=True):
        rows = torch.cat([sample, posterior.loc, posterior.scale, prior.loc, prior.scale], dim=-1)
        samples, loc_q, scale_q, loc_p, scale_p = gather(rows).chunk(5, dim=-1)
        z.append(samples)
        q.append(Normal(loc_q, scale_q, validate_args=False))
        p.append(Normal(loc_p, scale_p, validate_args=False))
    return dataclasses.replace(
        encoding,
        z=tuple(z),
        q=tuple(q),
        p=tuple(p),
        likelihood=WholeLikelihood(encoding.likelihood),
        terms={name: gather(term) for name, term in encoding.terms.items()},
    )


class WholeLikelihood(Distribution):
    """p(x | z) of the whole batch, of which every rank has its own images and decodings.

    Args:
        own: that of this rank's rows.
    """

    def __init__(self, own: Distribution) -> None:
        super().__init__(validate_args=False)
        self.own = own

    def log_prob(self, x: Tensor) -> Tensor:
        """Of this rank's images the densities of all, (B,)."""
        return gather(self.own.log_prob(x))


def whole_batch_norm() -> AbstractContextManager[Any]:
    """Let batch norm take the statistics of the whole batch, on any device.

    torch's ``SyncBatchNorm`` runs on GPUs only, and is another class of layers.
    """
    if world_size() == 1:
        return nullcontext()
    return WholeBatchNorm()


class WholeBatchNorm(TorchFunctionMode):
    """Another ``batch_norm`` in the place of torch's, whatever module calls it."""

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, arguments: Iterable[Any] = (), settings: Any = None
    ) -> Any:
        """Called for every function of torch."""
        settings = settings or {}
        if function is F.batch_norm and settings["training"]:
            function = batch_norm
        return function(*arguments, **settings)


def batch_norm(
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
) -> Tensor:
    """As torch's in training mode, with the mean and the variance of all ranks' rows."""
    if weight is None or bias is None:
        weight, bias = at_least_float32(x.new_ones(x.shape[1])), at_least_float32(x.new_zeros(x.shape[1]))
    out, loc, variance = Normalised.apply(x, weight, bias, eps)
    if running_mean is not None and running_var is not None:
        count = world_size() * x.numel() / x.shape[1]
        running_mean.lerp_(loc, momentum)
        running_var.lerp_(variance * (count / (count - 1)), momentum)
    return out


class Normalised(torch.autograd.Function):
    r"""Batch norm, its mean μ and its variance σ² over n rows and pixels of all ranks, made of torch's own kernels.

    .. math:: y = w \hat x + b, \quad \hat x = \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}}, \qquad
        \frac{\partial}{\partial x} = \frac{w}{\sqrt{\sigma^2 + \epsilon}}
        \Big(\dot y - \frac1n \sum \dot y - \frac{\hat x}{n} \sum \dot y \hat x\Big)
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
        """Normalise by what all ranks have."""
        _, own_loc, own_inverse = torch.native_batch_norm(x, weight, bias, None, None, True, 0.0, eps)
        own = torch.stack([own_loc, own_inverse**-2 - eps])
        locs, variances = gather(own[None]).unbind(1)
        loc = locs.mean(0)
        variance = (variances + (locs - loc).square()).mean(0)
        ctx.save_for_backward(x, weight, loc, variance)
        ctx.eps = eps
        ctx.mark_non_differentiable(loc, variance)
        return F.batch_norm(x, loc, variance, weight, bias, eps=eps), loc, variance

    @staticmethod
    def backward(ctx: Any, to_out: Tensor, *_: Any) -> tuple[Tensor | None, ...]:
        """With fixed statistics first, then what they change."""
        x, weight, loc, variance = ctx.saved_tensors
        wanted = [True, True, True]
        to_x, to_weight, to_bias = torch.ops.aten.native_batch_norm_backward(
            to_out, x, weight, loc, variance, None, None, False, ctx.eps, wanted
        )
        count = world_size() * x.numel() / x.shape[1]
        sums = total(torch.stack([to_weight, to_bias])) / count
        slope, shift = -sums * weight * (variance + ctx.eps).rsqrt()
        to_x += F.batch_norm(x, loc, variance, slope, shift, eps=ctx.eps)
        return to_x, to_weight, to_bias, None
