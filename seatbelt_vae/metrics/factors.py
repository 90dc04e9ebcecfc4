"""What every disentanglement score asks of its codes and factors."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError

ORDERED = ("scale", "orientation", "rotation", "x", "y", "azimuth", "elevation", "light", "lighting")
"""Names of factors whose values are steps of a quantity. Any other name may stand for categories."""


def ordered_factors(names: Sequence[str]) -> tuple[int, ...]:
    """The places of factors that are known to have an order.

    Example:
        >>> ordered_factors(["category", "scale", "x"])
        (1, 2)
    """
    return tuple(place for place, name in enumerate(names) if name.lower() in ORDERED)


def check_factors(factors: Tensor, count: int) -> list[int]:
    """How many values each factor takes; refuses what is not an integer label (N, F) of `count` images.

    Raises:
        InputError: wrong shape or type, or no factor has two values.

    Example:
        >>> check_factors(torch.tensor([[0, 5], [1, 5], [2, 5]]), count=3)
        [3, 1]
    """
    if factors.dim() != 2 or len(factors) != count or factors.is_floating_point():
        raise InputError(
            f"factors: {factors.dtype} of shape {tuple(factors.shape)}; expected integers ({count}, F), a row per image"
        )
    sizes = [len(column.unique()) for column in factors.T]
    if max(sizes, default=0) < 2:
        raise InputError("factors: none of them takes two values; there is nothing to disentangle")
    return sizes


def check_codes(codes: Tensor, name: str = "codes") -> Tensor:
    """The codes as float64 on the CPU; `name` is what the message calls them.

    Raises:
        InputError: they are not (N, D), or one is NaN or infinite.

    Example:
        >>> check_codes(torch.zeros(3, 2)).dtype
        torch.float64
    """
    if codes.dim() != 2 or 0 in codes.shape:
        raise InputError(f"{name}: shape {tuple(codes.shape)}; expected (N, D), a row per image")
    finite = codes.isfinite().all(1)
    if not finite.all():
        image = int((~finite).nonzero()[0])
        raise InputError(f"{name}: row of image {image} is not finite; give finite {name}")
    return codes.detach().double().cpu()


def as_classes(factor: Tensor) -> Tensor:
    """Name each value by the first image that has it, so that nothing depends on how values are numbered: (N,).

    Example:
        >>> as_classes(torch.tensor([7, 2, 7, 5]))
        tensor([0, 1, 0, 3])
    """
    value = factor.unique(return_inverse=True)[1]
    image = torch.arange(len(factor))
    first = torch.full_like(image, len(factor)).scatter_reduce(0, value, image, "amin")
    return first[value]


def entropy(factor: Tensor) -> float:
    """Entropy in nats of a factor in the data at hand; log of the number of values where all are equally frequent.

    Example:
        >>> entropy(torch.tensor([0, 1, 2, 3])) == math.log(4)
        True
    """
    counts = factor.unique(return_counts=True)[1]
    if (counts == counts[0]).all():
        return math.log(len(counts))  # to the last digit
    return float(torch.special.entr(counts.double() / len(factor)).sum())
