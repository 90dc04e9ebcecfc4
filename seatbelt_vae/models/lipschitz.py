"""The Lipschitz VAE: how far any distortion can move the code and the reconstruction is known by construction."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributions import Normal

from seatbelt_vae.errors import InputError
from seatbelt_vae.models.networks import ImageShape
from seatbelt_vae.models.orthonormal import ROUNDING, orthonormal_perceptron
from seatbelt_vae.models.posteriors import Chain

SLOPES = {"bernoulli": 0.25, "gaussian": 1.0, "gaussian-scalar": 1.0, "laplace": 1.0}
"""How fast a likelihood's mean can follow its map: the logistic function's steepest slope, or 1."""
SMALLEST_SCALE = 1e-3


@dataclass(frozen=True)
class Constants:
    r"""Certified Lipschitz constants of a model, L2 to L2, rounding included.

    Attributes:
        mean: :math:`\|\mu(x) - \mu(x')\| \le c \, \|x - x'\|`.
        scale: :math:`\|\sigma(x) - \sigma(x')\| \le c \, \|x - x'\|`.
        decoder: of the mean image as a function of the latents.

    Example:
        >>> Constants(mean=2.0, scale=1.0, decoder=3.0).reconstruction
        6.0
    """

    mean: float
    scale: float
    decoder: float

    @property
    def reconstruction(self) -> float:
        """Of the mean image decoded from the mean: no attack within ε does more damage than this times ε."""
        return self.mean * self.decoder


class LipschitzConditional(nn.Module):
    r"""A diagonal Gaussian whose mean and scale have known constants.

    .. math:: \mu = c_\mu f(x), \qquad \sigma = \operatorname{softplus}(c_\sigma g(x) + b) + 10^{-3}

    with f and g orthonormal networks of constant 1; softplus has no slope above 1.

    Args:
        sizes: of the layers, the latents last.
        mean: c_μ.
        scale: c_σ.

    Example:
        >>> import torch
        >>> LipschitzConditional((8, 6, 2), 1.0, 1.0)(torch.zeros(3, 8)).scale.shape
        torch.Size([3, 2])
    """

    def __init__(self, sizes: Sequence[int], mean: float, scale: float) -> None:
        super().__init__()
        self.mean = mean
        self.scale = scale
        self.location = orthonormal_perceptron(sizes)
        self.spread = orthonormal_perceptron(sizes)

    def forward(self, context: Tensor) -> Normal:
        """Return the Normal of batch shape (B, D) given a context (B, …)."""
        loc = self.mean * self.location(context)
        scale = F.softplus(self.scale * self.spread(context)) + SMALLEST_SCALE
        return Normal(loc, scale, validate_args=False)


class LipschitzDecoder(nn.Module):
    """Latents (B, D) → maps (B, C, H, W) with a known constant.

    Example:
        >>> import torch
        >>> LipschitzDecoder((2, 6, 16), (1, 4, 4), 3.0)(torch.zeros(5, 2)).shape
        torch.Size([5, 1, 4, 4])
    """

    def __init__(self, sizes: Sequence[int], image_shape: Sequence[int], constant: float) -> None:
        super().__init__()
        self.constant = constant
        self.layers = orthonormal_perceptron(sizes)
        self.image_shape = tuple(image_shape)

    def forward(self, z: Tensor) -> Tensor:
        """Return the likelihood's parameter maps for latents (B, D)."""
        maps: Tensor = self.constant * self.layers(z)
        return maps.unflatten(-1, self.image_shape)


def lipschitz_parts(
    shape: ImageShape,
    latent_size: int,
    hidden_sizes: Sequence[int],
    constants: Sequence[float],
) -> tuple[Chain, LipschitzDecoder]:
    """The posterior and the decoder's network.

    Args:
        shape: (C, H, W), any size.
        latent_size: of the one layer.
        hidden_sizes: of encoder and, backwards, decoder; even numbers.
        constants: of the mean, of the scale, and of the decoder's maps.

    Raises:
        InputError: a hidden size is odd.
    """
    mean, scale, decoder = constants
    sizes = (math.prod(shape), *hidden_sizes, latent_size)
    posterior = Chain(nn.Flatten(), [LipschitzConditional(sizes, mean, scale)])
    return posterior, LipschitzDecoder(sizes[::-1], shape, decoder)


def certified(constants: Sequence[float], likelihood: str) -> Constants:
    """The constants of the whole model, rounding included.

    Example:
        >>> round(certified((1.0, 1.0, 40.0), "bernoulli").reconstruction, 2)
        10.0
    """
    mean, scale, decoder = constants
    rounded = 1 + ROUNDING
    return Constants(mean * rounded, scale * rounded, decoder * SLOPES[likelihood] * rounded)


def check_constants(constants: Sequence[float]) -> tuple[float, float, float]:
    """Return the three constants if they are positive numbers.

    Raises:
        InputError: they are not.

    Example:
        >>> check_constants([1, 1, 40])
        (1.0, 1.0, 40.0)
    """
    wanted = "must be three positive numbers: mean, scale, decoder"
    if not isinstance(constants, Sequence) or isinstance(constants, str) or len(constants) != 3:
        raise InputError(f"constants {constants!r}: {wanted}")
    for constant in constants:
        if not isinstance(constant, int | float) or not 0 < constant < float("inf"):
            raise InputError(f"constants {tuple(constants)}: {wanted}")
    mean, scale, decoder = constants
    return float(mean), float(scale), float(decoder)
