r"""The exact log density of a mixture of diagonal Gaussians with very many components, and of its marginals.

The work is S·N·D exponentials, in tiles that stay in the cache: about 1 ns (0.001 µs) per sample × component ×
dimension in float32 on one core of a 2.6 GHz server, 2 ns in float64. So 10 000 samples of the aggregate of all
737 280 sprites in 10 dimensions take about a minute and a half on one core. What makes it so:

- powers of two: ``exp2`` is three times as fast as ``exp`` here, so densities are kept in bits until the end;
- a marginal is summed without a running maximum, against the largest density that any component can reach;
- the joint, which can lie far below that, keeps a running maximum, once per pair and not per dimension.

The matrix-product form of the joint (z²·σ⁻² − 2zμ·σ⁻² + …) takes as long as adding up the dimensions that are
computed for the marginals anyway, and loses digits where σ ≪ \|μ\|; it is not used.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

CPU_TILE = 2**17
"""Entries of one tile: two of them, in float32, fill a 1 MiB cache. A thread more, a tile more."""
ACCELERATOR_TILE = 2**24
COLUMNS = 1024
"""Components of one CPU tile, or more where there are too few samples to fill it."""
BITS = math.log2(math.e)
TINY = 1e-25
"""Marginal sums below this may have lost digits to underflow and are recomputed in logarithms."""


def mixture_log_density(
    z: Tensor,
    loc: Tensor,
    scale: Tensor,
    *,
    joint: bool = True,
    advance: Callable[[int], None] | None = None,
) -> tuple[Tensor, Tensor]:
    r"""Log density of an equal-weight mixture at every sample, and of each dimension's marginal: nats.

    .. math:: \log \frac1N \sum_n \prod_d N(z_{s,d}; \mu_{n,d}, \sigma_{n,d}), \qquad
        \log \frac1N \sum_n N(z_{s,d}; \mu_{n,d}, \sigma_{n,d})

    Computed in the precision of `loc`, summed in float64; memory does not grow with S·N.

    Args:
        z: samples, shape (S, D).
        loc: means of the components, shape (N, D).
        scale: their standard deviations, shape (N, D).
        joint: False saves the joint density, which is then all NaN.
        advance: called with the number of components that have been added, block by block.

    Returns:
        Joint (S,) and marginals (S, D), float64.

    Example:
        >>> z, loc, scale = torch.zeros(1, 2), torch.zeros(3, 2), torch.ones(3, 2)
        >>> joint, marginals = mixture_log_density(z, loc, scale)
        >>> joint.exp() * 2 * math.pi, marginals.shape
        (tensor([1.0000], dtype=torch.float64), torch.Size([1, 2]))
    """
    N, D = loc.shape
    centre = loc.double().mean(0)  # digits of z − μ are not spent on a common offset
    samples = (z.double() - centre).to(loc.dtype).T.contiguous().unsqueeze(-1)  # (D, S, 1)
    highest = -scale.log2().amin(0).double()  # per dimension: no component's density is above 2^highest / √2π
    state = _State(samples, joint)
    entries = ACCELERATOR_TILE
    if loc.device.type == "cpu":
        entries = CPU_TILE * torch.get_num_threads()
    columns = max(COLUMNS, entries // len(z))
    for block_loc, block_scale in zip(loc.split(columns), scale.split(columns), strict=True):
        block_loc = block_loc.double() - centre
        _add_components(state, samples, block_loc, block_scale.double(), highest, entries)
        if advance is not None:
            advance(len(block_loc))
    constant = math.log(N) + 0.5 * math.log(2 * math.pi)
    marginals = (state.marginals.log2() + highest[:, None]).T / BITS - constant
    _repair_underflow(marginals, state.marginals.T, z, loc, scale)
    joints = (state.joint.log2() + state.peak + highest.sum()) / BITS - math.log(N)
    return joints - D * 0.5 * math.log(2 * math.pi), marginals


class _State:
    """Running sums over components, in bits below the highest density: float64."""

    def __init__(self, samples: Tensor, joint: bool) -> None:
        D, S, _ = samples.shape
        self.marginals = samples.new_zeros(D, S, dtype=torch.float64)
        self.with_joint = joint
        self.joint = samples.new_zeros(S, dtype=torch.float64)
        self.peak = samples.new_full((S,), -math.inf, dtype=torch.float64)
        if not joint:
            self.joint.fill_(math.nan)


def _add_components(
    state: _State,
    samples: Tensor,
    loc: Tensor,
    scale: Tensor,
    highest: Tensor,
    entries: int,
) -> None:
    """Add one block of components to the sums of every sample, tile by tile.

    In bits, log2 N(z; μ, σ) + log2 √2π = −log2 σ − (zκ − μκ)² with κ² = log2(e) / 2σ².
    """
    D, S, _ = samples.shape
    N = len(loc)
    kappa = math.sqrt(BITS / 2) / scale
    slope = _per_dimension(kappa, samples)
    shift = _per_dimension(-loc * kappa, samples)
    height = _per_dimension(-scale.log2() - highest, samples)
    rows = max(1, min(S, entries // N))
    tile, total = samples.new_empty(2, rows, N)
    for start in range(0, S, rows):
        stop = min(start + rows, S)
        some = slice(start, stop)
        bits = tile[: stop - start]
        joint = total[: stop - start].zero_()
        for d in range(D):
            torch.addcmul(shift[d], slope[d], samples[d, some], out=bits)
            torch.addcmul(height[d], bits, bits, value=-1, out=bits)
            if state.with_joint:
                joint.add_(bits)
            state.marginals[d, some] += bits.exp2_().sum(1)
        if state.with_joint:
            _add_joint(state, some, joint)


def _per_dimension(values: Tensor, samples: Tensor) -> Tensor:
    """Numbers of the components (N, D) as (D, 1, N), in the precision of the samples."""
    return values.to(samples.dtype).T[:, None].contiguous()


def _add_joint(state: _State, some: slice, bits: Tensor) -> None:
    """Streaming log-sum-exp: rescale the running sum whenever a higher peak appears."""
    peak = torch.maximum(state.peak[some], bits.amax(1).double())
    state.joint[some] *= (state.peak[some] - peak).exp2()
    state.joint[some] += bits.sub_(peak.to(bits.dtype)[:, None]).exp2_().sum(1)
    state.peak[some] = peak


def _repair_underflow(marginals: Tensor, sums: Tensor, z: Tensor, loc: Tensor, scale: Tensor) -> None:
    """Where a sample lies too far from all components for the plain sum, take it in logarithms."""
    for s, d in (sums < TINY).nonzero().tolist():
        sigma = scale[:, d].double()
        standardised = (z[s, d].double() - loc[:, d].double()) / sigma
        log_prob = -0.5 * standardised.square() - sigma.log() - 0.5 * math.log(2 * math.pi)
        marginals[s, d] = log_prob.logsumexp(0) - math.log(len(loc))
