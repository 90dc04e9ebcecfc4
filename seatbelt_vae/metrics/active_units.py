"""Which latents a model uses at all, and where it has collapsed to the prior."""

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
        collapsed: share of dimensions that carry under 0.01 nats, per layer.
    """

    dimension_kl: tuple[Tensor, ...]
    layer_kl: tuple[float, ...]
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
        variances.append(check_codes(layer, "means").var(0))
    return ActiveUnits(tuple(variances), threshold)


def collapse(dimension_kl: Sequence[Tensor]) -> Collapse:
    """Sum up where a model's KL lies, from :attr:`EvidenceBound.dimension_kl` or per-image KLs. Nats.

    Args:
        dimension_kl: KL of each dimension, (D_l,) or (N, D_l), one per layer, bottom first.

    Example:
        >>> import torch
        >>> collapse([torch.tensor([0.0, 2.0])]).collapsed
        (0.5,)
    """
    layers = []
    collapsed = []
    for kl in dimension_kl:
        per_image = kl.detach().double().reshape(-1, kl.shape[-1])
        mean = per_image.mean(0).cpu()
        layers.append(mean)
        collapsed.append(float((mean < COLLAPSED).double().mean()))
    return Collapse(
        dimension_kl=tuple(layers),
        layer_kl=tuple(float(kl.sum()) for kl in layers),
        collapsed=tuple(collapsed),
    )
