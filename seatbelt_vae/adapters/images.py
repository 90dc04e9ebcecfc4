"""The many ways in which decoders say an image, read as a distribution of pixels in [0, 1]."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution, Independent, Normal

from seatbelt_vae.adapters.units import Units
from seatbelt_vae.errors import InputError


class ImageDistribution(Distribution):
    r"""A foreign p(y | z) of images in a model's units y = a x + b as one of images x in [0, 1].

    .. math:: \log p(x|z) = \log p(y|z) + \sum_i \log a_i

    Args:
        inner: p(y | z), pixels independent or not.
        units: of y.

    Example:
        >>> from seatbelt_vae.adapters.units import units_of
        >>> inner = Normal(torch.zeros(1, 1, 2, 2), 1.0)
        >>> ImageDistribution(inner, units_of((-1.0, 1.0), (1, 2, 2))).mean.flatten()
        tensor([0.5000, 0.5000, 0.5000, 0.5000])
    """

    arg_constraints = {}  # noqa: RUF012  (torch's own convention)

    def __init__(self, inner: Distribution, units: Units) -> None:
        _accept_grey(inner)
        self.inner = inner
        self.units = units
        shape = torch.Size((*inner.batch_shape, *inner.event_shape))
        super().__init__(shape[:1], shape[1:], validate_args=False)

    @property
    def mean(self) -> Tensor:
        """The mean image, (B, C, H, W), in [0, 1]."""
        return self.units.outward(self.inner.mean)

    def log_prob(self, value: Tensor) -> Tensor:
        """Log density of images in [0, 1], (B,) in nats."""
        log_p = self.inner.log_prob(self.units.inward(value))
        return log_p.reshape(len(log_p), -1).sum(1) + self.units.log_volume(value)


def read_image(out: Any, units: Units, variance: float) -> ImageDistribution:
    """The distribution of images that a decoder gave; N(image, variance) for an image.

    Raises:
        InputError: neither a distribution nor an image.

    Example:
        >>> from seatbelt_vae.adapters.units import units_of
        >>> read_image(torch.zeros(2, 1, 4, 4), units_of((0.0, 1.0), (1, 4, 4)), 0.1).mean.shape
        torch.Size([2, 1, 4, 4])
    """
    image = image_of(out)
    if image is not None:
        scale = units.slope.to(image) * math.sqrt(variance)
        return ImageDistribution(Normal(image, scale, validate_args=False), units)
    if isinstance(out, Distribution):
        return ImageDistribution(out, units)
    raise InputError(f"decode: gives a {type(out).__name__}; must give an image tensor or a distribution")


def image_of(out: Any) -> Tensor | None:
    """The image, where a decoder gives that and no distribution."""
    if isinstance(out, Distribution):
        return None
    out = getattr(out, "sample", out)  # diffusers
    if isinstance(out, Tensor):
        return out
    return None


def _accept_grey(inner: Distribution) -> None:
    """A Bernoulli's cross-entropy is wanted for grey pixels, too, which it refuses otherwise."""
    inner._validate_args = False
    if isinstance(inner, Independent):
        _accept_grey(inner.base_dist)
