"""Conditional distributions: modules that map a context to a distribution."""

import torch
from torch import Tensor, nn
from torch.distributions import Normal

LOG_SCALE_LIMIT = 7.0


class GaussianConditional(nn.Module):
    r"""A diagonal Gaussian whose location and scale a network computes from a context.

    .. math:: \mathcal N\big(\mu(c), \operatorname{diag} \sigma^2(c)\big), \qquad
        \log\sigma = \ell \tanh(s / \ell), \quad \ell = 7

    The bound on log σ is smooth, so that second-order attacks see no kink, and wide enough (σ from 9e-4 to 1.1e3)
    to be the identity near the values that training visits.

    Args:
        network: maps the context to (B, 2 D): location first, then the unbounded log scale.

    Example:
        >>> conditional = GaussianConditional(nn.Linear(5, 2 * 3))
        >>> conditional(torch.zeros(4, 5)).loc.shape
        torch.Size([4, 3])
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, context: Tensor) -> Normal:
        """Return the Normal of batch shape (B, D) given a context (B, …)."""
        loc, unbounded = at_least_float32(self.network(context)).chunk(2, dim=-1)
        log_scale = LOG_SCALE_LIMIT * torch.tanh(unbounded / LOG_SCALE_LIMIT)
        return Normal(loc, log_scale.exp(), validate_args=False)


def at_least_float32(x: Tensor) -> Tensor:
    """Leave the half precision of autocast behind: densities are summed over thousands of terms."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def standard_normal(like: Tensor) -> Normal:
    """N(0, I) of the shape, dtype and device of a tensor."""
    return Normal(torch.zeros_like(like), torch.ones_like(like), validate_args=False)
