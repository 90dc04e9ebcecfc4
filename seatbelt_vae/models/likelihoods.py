r"""Likelihoods p(x | z): from a decoder's maps to a distribution over images.

Each is a module (some have parameters of their own) that maps (B, K·C, H, W) to a distribution with batch shape (B,)
and event shape (C, H, W): ``log_prob(x)`` is in nats per image, ``mean`` is the reconstruction.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution, Independent, Laplace, Normal

from seatbelt_vae.errors import InputError
from seatbelt_vae.models.distributions import ContinuousBernoulli, DiscretisedLogisticMixture


class PixelLikelihood(nn.Module):
    """What every likelihood has: how many maps it reads for each image channel.

    Attributes:
        maps_per_channel: K.
        unit_interval: whether it means something for pixels in [0, 1] only.
    """

    maps_per_channel: int
    unit_interval = False


class BernoulliLikelihood(PixelLikelihood):
    r"""Independent Bernoulli pixels, the paper's choice for grey images.

    .. math:: \log p(x|z) = \sum_i x_i \log \mu_i + (1 - x_i) \log(1 - \mu_i)

    Normalised on {0, 1}. On grey values in between it is the usual cross-entropy and no density:
    use ``continuous-bernoulli`` where a normalised likelihood on [0, 1] matters.

    Example:
        >>> BernoulliLikelihood()(torch.zeros(2, 1, 4, 4)).log_prob(torch.ones(2, 1, 4, 4)) / 16
        tensor([-0.6931, -0.6931])
    """

    maps_per_channel = 1
    unit_interval = True

    def forward(self, maps: Tensor) -> Distribution:
        """Return the distribution of which `maps` (B, C, H, W) are the logits."""
        return Independent(Bernoulli(logits=maps, validate_args=False), 3, validate_args=False)


class ContinuousBernoulliLikelihood(PixelLikelihood):
    """Independent continuous Bernoulli pixels: the cross-entropy with its normaliser on [0, 1].

    References:
        Loaiza-Ganem & Cunningham 2019, The continuous Bernoulli: fixing a pervasive error in VAEs.

    Example:
        >>> ContinuousBernoulliLikelihood()(torch.zeros(1, 1, 4, 4)).log_prob(torch.ones(1, 1, 4, 4)).abs() < 1e-4
        tensor([True])
    """

    maps_per_channel = 1
    unit_interval = True

    def forward(self, maps: Tensor) -> Distribution:
        """Return the distribution of which `maps` (B, C, H, W) are the logits."""
        return Independent(ContinuousBernoulli(maps), 3, validate_args=False)


class GaussianLikelihood(PixelLikelihood):
    r"""Independent Gaussian pixels N(μ, v), with the variance v fixed or learned as one scalar.

    Args:
        variance: v, 0.1 in the paper (CelebA).
        learned: train log v as a single parameter that starts at log `variance`.

    Example:
        >>> likelihood = GaussianLikelihood(variance=0.5)(torch.zeros(1, 1, 1, 1))
        >>> likelihood.log_prob(torch.zeros(1, 1, 1, 1)) + 0.5 * math.log(math.pi)
        tensor([0.])
    """

    maps_per_channel = 1

    def __init__(self, variance: float = 0.1, learned: bool = False) -> None:
        super().__init__()
        if not variance > 0:
            raise InputError(f"variance {variance}: must be positive")
        self.variance = variance
        self.log_variance = nn.Parameter(torch.tensor(math.log(variance))) if learned else None

    def forward(self, maps: Tensor) -> Distribution:
        """Return N(maps, v); a learned log v is kept above -10 so that it cannot collapse onto one image."""
        if self.log_variance is None:
            scale = torch.full_like(maps, math.sqrt(self.variance))
        else:
            scale = (0.5 * self.log_variance.clamp(min=-10)).exp().expand_as(maps)
        return Independent(Normal(maps, scale, validate_args=False), 3, validate_args=False)


class PixelGaussianLikelihood(PixelLikelihood):
    """Independent Gaussian pixels whose variances the decoder gives too; log v is kept within ±7 smoothly.

    Example:
        >>> PixelGaussianLikelihood()(torch.zeros(2, 6, 4, 4)).mean.shape
        torch.Size([2, 3, 4, 4])
    """

    maps_per_channel = 2

    def forward(self, maps: Tensor) -> Distribution:
        """Return N(μ, v): the first half of the maps is μ, the second the unbounded log v."""
        loc, unbounded = maps.chunk(2, dim=1)
        scale = (3.5 * torch.tanh(unbounded / 7)).exp()
        return Independent(Normal(loc, scale, validate_args=False), 3, validate_args=False)


class LaplaceLikelihood(PixelLikelihood):
    """Independent Laplace pixels with a fixed scale b: an L1 reconstruction error in nats.

    Args:
        scale: b > 0; 0.1 by default.

    Example:
        >>> LaplaceLikelihood(scale=0.5)(torch.zeros(1, 1, 1, 1)).log_prob(torch.ones(1, 1, 1, 1))
        tensor([-2.])
    """

    maps_per_channel = 1

    def __init__(self, scale: float = 0.1) -> None:
        super().__init__()
        if not scale > 0:
            raise InputError(f"scale {scale}: must be positive")
        self.scale = scale

    def forward(self, maps: Tensor) -> Distribution:
        """Return Laplace(maps, b)."""
        scale = torch.full_like(maps, self.scale)
        return Independent(Laplace(maps, scale, validate_args=False), 3, validate_args=False)


class LogisticMixtureLikelihood(PixelLikelihood):
    """Discretised logistic mixture pixels, for 8-bit images in [0, 1].

    Args:
        components: mixture components M.

    Example:
        >>> LogisticMixtureLikelihood(components=5)(torch.zeros(2, 45, 4, 4)).mean.shape
        torch.Size([2, 3, 4, 4])
    """

    unit_interval = True

    def __init__(self, components: int = 5) -> None:
        super().__init__()
        self.components = components
        self.maps_per_channel = 3 * components

    def forward(self, maps: Tensor) -> Distribution:
        """Return the mixture; locations start spread over [0, 1] so that components differ."""
        logits, offset, unbounded = maps.unflatten(1, (3, self.components, -1)).unbind(1)
        centres = (torch.arange(self.components, device=maps.device, dtype=maps.dtype) + 0.5) / self.components
        log_scale = -2 + 5 * torch.tanh(unbounded / 5)
        return DiscretisedLogisticMixture(logits, offset + centres.view(1, -1, 1, 1, 1), log_scale)


LIKELIHOODS: dict[str, Callable[[], PixelLikelihood]] = {
    "bernoulli": BernoulliLikelihood,
    "continuous-bernoulli": ContinuousBernoulliLikelihood,
    "gaussian": GaussianLikelihood,
    "gaussian-scalar": lambda: GaussianLikelihood(learned=True),
    "gaussian-pixel": PixelGaussianLikelihood,
    "laplace": LaplaceLikelihood,
    "logistic-mixture": LogisticMixtureLikelihood,
}
"""Likelihoods by name; a new one is one class and one line here."""
