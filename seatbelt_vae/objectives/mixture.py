r"""Log densities of a weighted mixture of Gaussians at samples, and their gradient, block by block.

For a part P of the dimensions, with :math:`\ell_{ijd} = \log N(z_{i,d}; \mu_{j,d}, \sigma_{j,d})` and weights W,

.. math:: v_{iP} = \log \sum_j W_{ij} \exp \sum_{d \in P} \ell_{ijd}, \qquad
    \frac{\partial v_{iP}}{\partial \ell_{ijd}} = W_{ij} \exp\Big(\sum_{d \in P} \ell_{ijd} - v_{iP}\Big)
    \text{ for } d \in P.

Nothing of size samples × posteriors is kept, only v: the backward pass computes every block of ℓ again. Blocks fit into
the cache, and densities are in bits, as ``exp2`` is several times as fast as ``exp``.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from seatbelt_vae.errors import RunError
from seatbelt_vae.objectives.weights import Weights

Part = slice | list[int]
BITS = 1 / math.log(2)
"""Bits in a nat."""
NEGLIGIBLE = -100.0
"""Log₂ of a share in a mixture that is taken for 0."""
COLUMNS, ELEMENTS = 128, 2**18
"""Posteriors in a block, and entries of log q(z_i | x_j)_d: 1 MiB in float32."""
ON_ACCELERATORS = 1024, 2**24


class LogMixture(torch.autograd.Function):
    """v of each part and of each dimension on its own, in nats, both relative to log W of most posteriors.

    ``apply(z, loc, scale, weights, parts)`` takes samples (B, D) and posteriors (M, D), and gives (B, P) and (B, D).
    It can be differentiated once.
    """

    @staticmethod
    def forward(
        ctx: Any, z: Tensor, loc: Tensor, scale: Tensor, weights: Weights, parts: Sequence[Part]
    ) -> tuple[Tensor, Tensor]:
        """Add block after block to the sums."""
        posteriors = Posteriors(loc, scale)
        of_parts = z.new_full((len(z), len(parts)), -math.inf)
        of_dimensions = torch.full_like(z, -math.inf)
        for rows, columns in blocks(z, loc):
            _, log_q = posteriors.log_prob(z[rows], columns)
            summed = sums(log_q, parts)
            for total, block in ((of_parts[rows], summed), (of_dimensions[rows], log_q)):
                weights.add_to(block, rows.start - columns.start, math.log2)
                torch.logaddexp2(total, log2_sum(block), out=total)
        ctx.save_for_backward(z, loc, scale, of_parts, of_dimensions)
        ctx.weights, ctx.parts = weights, parts
        return of_parts / BITS, of_dimensions / BITS

    @staticmethod
    def backward(ctx: Any, to_parts: Tensor, to_dimensions: Tensor) -> tuple[Tensor | None, ...]:
        """Compute every block again, with v at hand.

        Raises:
            RunError: a graph of the gradient is asked for (``create_graph``).
        """
        if torch.is_grad_enabled():
            raise RunError("log q̂: can be differentiated once; for second derivatives use log_aggregate")
        z, loc, scale, of_parts, of_dimensions = ctx.saved_tensors
        posteriors = Posteriors(loc, scale)
        to_z = torch.zeros_like(z)
        moments = z.new_zeros(3, *posteriors.loc.shape)  # Σ_i of g, g u and g u², with g the gradient of ℓ
        for rows, columns in blocks(z, loc):
            u, log_q = posteriors.log_prob(z[rows], columns)
            summed = sums(log_q, ctx.parts)
            for total, block, gradient in (
                (of_parts[rows], summed, to_parts[rows]),
                (of_dimensions[rows], log_q, to_dimensions[rows]),
            ):
                ctx.weights.add_to(block, rows.start - columns.start, math.log2)
                power(block.sub_(total[..., None])).mul_(gradient[..., None])
            g = log_q
            for part, share in zip(ctx.parts, summed.unbind(1), strict=True):
                g[:, part] += share[:, None]
            here = moments[:, :, columns]
            here[0] += g.sum(0)
            here[1] += g.mul_(u).sum(0)
            to_z[rows] -= (g * posteriors.inverse[:, columns]).sum(-1)
            here[2] += g.mul_(u).sum(0)
        # With u = (z - μ) / σ: ∂ℓ/∂z = -u/σ, ∂ℓ/∂μ = u/σ and ∂ℓ/∂σ = (u² - 1)/σ.
        to_loc = moments[1] * posteriors.inverse
        to_scale = (moments[2] - moments[0]) * posteriors.inverse
        return to_z, to_loc.T, to_scale.T, None, None


class Posteriors:
    """Gaussians with the posteriors along the last axis, (D, M), where the sums run."""

    def __init__(self, loc: Tensor, scale: Tensor) -> None:
        self.loc = loc.T.contiguous()
        self.inverse = scale.T.contiguous().reciprocal()
        self.height = BITS * (self.inverse.log() - 0.5 * math.log(2 * math.pi))

    def log_prob(self, z: Tensor, columns: slice) -> tuple[Tensor, Tensor]:
        """(z - μ) / σ and ℓ in bits of samples (b, D) under some posteriors, (b, D, m) each."""
        u = (z[..., None] - self.loc[:, columns]).mul_(self.inverse[:, columns])
        return u, torch.addcmul(self.height[:, columns], u, u, value=-0.5 * BITS)


def blocks(z: Tensor, loc: Tensor) -> Iterator[tuple[slice, slice]]:
    """Samples and posteriors of every block, as slices."""
    most, elements = COLUMNS, ELEMENTS
    if z.device.type != "cpu":
        most, elements = ON_ACCELERATORS
    width = min(most, len(loc))
    height = max(1, elements // (width * z.shape[1]))
    for row in range(0, len(z), height):
        for column in range(0, len(loc), width):
            yield slice(row, min(row + height, len(z))), slice(column, min(column + width, len(loc)))


def sums(log_q: Tensor, parts: Sequence[Part]) -> Tensor:
    """ℓ (b, D, m) summed over each part, (b, P, m)."""
    return torch.stack([log_q[:, part].sum(1) for part in parts], dim=1)


def log2_sum(block: Tensor) -> Tensor:
    """log₂ Σ_j 2^b_j over the last axis; the block is used up."""
    peak = block.amax(-1, keepdim=True)
    return power(block.sub_(peak)).sum(-1).log2_() + peak.squeeze(-1)


def power(block: Tensor) -> Tensor:
    """2^b in place, 0 where it is next to 0: numbers too small to be normal make sums ten times as slow."""
    return torch.threshold_(block, NEGLIGIBLE, -math.inf).exp2_()
