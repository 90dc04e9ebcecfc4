"""The units of a model's images: outside they are always in [0, 1]."""

import math
from collections.abc import Sequence
from numbers import Real
from typing import Literal

import torch
from torch import Tensor, nn

from seatbelt_vae.errors import InputError

Bounds = tuple[float, float] | Literal["imagenet"]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class Units(nn.Module):
    r"""An affine map from pixels in [0, 1] to what a model takes.

    .. math:: y = a x + b

    Args:
        slope: a, a number or one for each channel.
        offset: b, likewise.
        channels: whether they are one for each channel.

    Example:
        >>> units = units_of((-1.0, 1.0), (1, 2, 2))
        >>> units.inward(torch.tensor([0.0, 0.5, 1.0]))
        tensor([-1.,  0.,  1.])
        >>> units.outward(torch.tensor([-1.0, 0.0, 1.0]))
        tensor([0.0000, 0.5000, 1.0000])
    """

    slope: Tensor
    offset: Tensor

    def __init__(self, slope: Tensor, offset: Tensor) -> None:
        super().__init__()
        self.register_buffer("slope", slope, persistent=False)
        self.register_buffer("offset", offset, persistent=False)

    def inward(self, x: Tensor) -> Tensor:
        """Images in the units of the model."""
        return x * self.slope + self.offset

    def outward(self, y: Tensor) -> Tensor:
        """Images in [0, 1], where the model's are inside of its bounds."""
        return (y - self.offset) / self.slope

    def is_unit(self) -> bool:
        """Whether they are [0, 1] themselves."""
        return bool((self.slope == 1).all()) and bool((self.offset == 0).all())

    def log_volume(self, x: Tensor) -> Tensor:
        """What a density in units of [0, 1] has more than that in the model's, for each image, in nats, (B,)."""
        return self.slope.log().expand_as(x).flatten(1).sum(1)


def units_of(bounds: Bounds, image_shape: Sequence[int | None]) -> Units:
    """The units in which black and white are `bounds`, or those of models trained on ImageNet.

    Args:
        bounds: black and white, such as (-1, 1) or (0, 255); or ``"imagenet"``, pixels less the mean of their channel,
            divided by its deviation.
        image_shape: (C, …).

    Raises:
        InputError: an unknown name, no two ascending numbers, or ImageNet with other than 3 channels.
    """
    if isinstance(bounds, str):
        return _imagenet(bounds, image_shape)
    if not _ascending(bounds):
        raise InputError(f"bounds {bounds!r}: must be black and white, such as (0, 1) or (-1, 1), or 'imagenet'")
    low, high = bounds
    return Units(torch.tensor(float(high) - float(low)), torch.tensor(float(low)))


def _ascending(bounds: object) -> bool:
    if not isinstance(bounds, Sequence) or len(bounds) != 2:
        return False
    low, high = bounds
    if not isinstance(low, Real) or not isinstance(high, Real):
        return False
    return -math.inf < float(low) < float(high) < math.inf


def _imagenet(name: str, image_shape: Sequence[int | None]) -> Units:
    if name != "imagenet":
        raise InputError(f"bounds {name!r}: must be two numbers, black and white, or 'imagenet'")
    if len(image_shape) != 3 or image_shape[0] != 3:
        raise InputError(f"bounds 'imagenet': needs images (3, H, W), has {tuple(image_shape)}")
    mean = torch.tensor(IMAGENET_MEAN).view(3, 1, 1)
    std = torch.tensor(IMAGENET_STD).view(3, 1, 1)
    return Units(1 / std, -mean / std)
