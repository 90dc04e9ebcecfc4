"""The Lipschitz VAE: how far any distortion can move the code and the reconstruction is known by construction."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributions import Normal

from seatbelt_vae.errors import InputError
from seatbelt_vae.models.checks import Network, check_name, check_shape, check_sizes
from seatbelt_vae.models.generative import Decoder, Generative
from seatbelt_vae.models.hierarchical import HierarchicalVAE
from seatbelt_vae.models.likelihoods import LIKELIHOODS
from seatbelt_vae.models.orthonormal import ROUNDING, orthonormal_perceptron
from seatbelt_vae.models.posteriors import Chain

SLOPES = {"bernoulli": 0.25, "gaussian": 1.0, "gaussian-scalar": 1.0, "laplace": 1.0}
"""How fast a likelihood's mean can follow its map: the logistic function's steepest slope, or 1."""
HIDDEN_SIZES = (256, 256)
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


def lipschitz_vae(
    image_shape: Sequence[int],
    latent_sizes: Sequence[int] = (32,),
    network: Network = "mlp",
    likelihood: str = "bernoulli",
    posterior: str = "chain",
    hidden_sizes: Sequence[int] = HIDDEN_SIZES,
    constants: Sequence[float] = (1.0, 1.0, 40.0),
) -> HierarchicalVAE:
    """A VAE with one layer of latents and certified constants, ``model.lipschitz``.

    Args:
        image_shape: (C, H, W), any size.
        latent_sizes: one size.
        network: ``mlp``, the only one.
        likelihood: ``bernoulli``, ``gaussian``, ``gaussian-scalar`` or ``laplace``.
        posterior: ``chain``, the only one that makes sense at L = 1.
        hidden_sizes: of encoder and, backwards, decoder; even numbers.
        constants: of the mean, of the scale, and of the decoder's maps before the likelihood's own slope.

    Raises:
        InputError: a size, name or constant that cannot be.

    References:
        Barrett, Camuto, Willetts & Rainforth 2022, Certifiably Robust Variational Autoencoders.

    Example:
        >>> round(lipschitz_vae((1, 28, 28), hidden_sizes=(8,)).lipschitz.reconstruction, 2)
        10.0
    """
    shape, latents = check_shape(image_shape, (nn.Identity(), nn.Identity())), check_sizes("latent_sizes", latent_sizes)
    if len(latents) != 1:
        raise InputError(f"latent_sizes {latents}: a Lipschitz VAE has one layer")
    check_name("network", network, ["mlp"])
    check_name("posterior", posterior, ["chain"])
    check_name("likelihood", likelihood, SLOPES)
    hidden = check_sizes("hidden_sizes", hidden_sizes)
    mean, scale, decoder = check_constants(constants)
    sizes = (math.prod(shape), *hidden, *latents)
    model = HierarchicalVAE(
        Chain(nn.Flatten(), [LipschitzConditional(sizes, mean, scale)]),
        Generative(latents, []),
        Decoder(LipschitzDecoder(sizes[::-1], shape, decoder), LIKELIHOODS[likelihood](), sees_all=True),
        image_shape=shape,
        recipe={
            "model": "lipschitz-vae",
            "arguments": {
                "image_shape": list(shape),
                "latent_sizes": list(latents),
                "network": "mlp",
                "likelihood": likelihood,
                "posterior": posterior,
                "hidden_sizes": list(hidden),
                "constants": [mean, scale, decoder],
            },
        },
    )
    rounded = 1 + ROUNDING
    model.lipschitz = Constants(mean * rounded, scale * rounded, decoder * SLOPES[likelihood] * rounded)
    return model


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
