"""Which latents a model uses at all, and where it has collapsed to the prior."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.factors import check_codes

COLLAPSED = 0.01
"""Nats below which a dimension carries nothing."""


@dataclass(frozen=True)
class ActiveUnits:
    """Var_x E[z_j|x] per layer and dimension, and which exceed the threshold; bottom layer first.

    Attributes:
        variance: one (D_l,) per layer.
        threshold: above which a unit counts as active.
    """

    variance: tuple[Tensor, ...]
    threshold: float

    @property
    def active(self) -> tuple[Tensor, ...]:
        """Which units are active: one bool (D_l,) per layer."""
        return tuple(variance > self.threshold for variance in self.variance)

    @property
    def counts(self) -> tuple[int, ...]:
        """How many units are active in each layer."""
        return tuple(int(active.sum()) for active in self.active)


@dataclass(frozen=True)
class Collapse:
    """How the KL is spread over layers and dimensions, in nats; bottom layer first.

    Attributes:
        dimension_kl: average KL of each dimension, one (D_l,) per layer.
        layer_kl: their sum, per layer.
        at_floor: share of dimensions at or under the free-bits floor, per layer; 0 where there is no floor.
        collapsed: share of dimensions that carry under 0.01 nats, per layer.
    """

    dimension_kl: tuple[Tensor, ...]
    layer_kl: tuple[float, ...]
    at_floor: tuple[float, ...]
    collapsed: tuple[float, ...]


def active_units(means: Tensor | Sequence[Tensor], threshold: float = 1e-2) -> ActiveUnits:
    r"""Latents whose posterior mean moves with the image: :math:`Var_x\, E[z_j|x] > 10^{-2}`. Counts, no unit.

    More active units mean a richer code; on their own they say nothing about robustness.

    Args:
        means: posterior means over the data set, (N, D), or one such tensor per layer, bottom first.
        threshold: of the variance.

    Raises:
        InputError: fewer than two images, not (N, D), or a mean that is not finite.

    References:
        Burda, Grosse & Salakhutdinov 2016, Importance Weighted Autoencoders, section 5.2.

    Example:
        >>> import torch
        >>> active_units(torch.tensor([[0.0, 1.0], [0.0, 3.0]])).counts
        (1,)
    """
    if isinstance(means, Tensor):
        means = (means,)
    variances = []
    for layer in means:
        if layer.dim() != 2 or len(layer) < 2:
            raise InputError(f"means: shape {tuple(layer.shape)}; expected (N, D) with at least two images")
        variances.append(check_codes(layer).var(0))
    return ActiveUnits(tuple(variances), threshold)


def collapse(
    dimension_kl: Sequence[Tensor],
    floor: float | None = None,
    tolerance: float = 0.05,
) -> Collapse:
    """Sum up where a model's KL lies, from :attr:`EvidenceBound.dimension_kl` or per-image KLs. Nats.

    Args:
        dimension_kl: KL of each dimension, (D_l,) or (N, D_l), one per layer, bottom first.
        floor: free bits per dimension, if any were given.
        tolerance: how far above the floor still counts as at it, as a share of the floor.

    Example:
        >>> import torch
        >>> collapse([torch.tensor([0.0, 0.125, 2.0, 3.0])], floor=0.125).at_floor
        (0.5,)
    """
    reach = -math.inf
    if floor is not None:
        reach = floor * (1 + tolerance)
    layers = []
    for kl in dimension_kl:
        per_image = kl.detach().double().reshape(-1, kl.shape[-1])
        layers.append(per_image.mean(0).cpu())
    return Collapse(
        dimension_kl=tuple(layers),
        layer_kl=tuple(float(kl.sum()) for kl in layers),
        at_floor=tuple(_share(kl <= reach) for kl in layers),
        collapsed=tuple(_share(kl < COLLAPSED) for kl in layers),
    )


def _share(chosen: Tensor) -> float:
    return float(chosen.double().mean())
