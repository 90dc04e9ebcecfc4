"""Defences at inference, as models that can be attacked: an attack on one of these goes through the defence.

A defence is random; its random numbers are drawn from a seed, the same for every image. So a defended model is a
function, as attacks need, and its gradient is that of the average over common random numbers (EOT). Those that sample
from the true posterior are in `seatbelt_vae.attacks.mcmc`.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Normal

from seatbelt_vae.attacks.part import check_count
from seatbelt_vae.attacks.protocol import Attackable, posteriors, prior_of
from seatbelt_vae.errors import InputError


class Defended(nn.Module):
    """A model with another encoder. The decoder, the prior and the layers that it sees are the model's own.

    Args:
        model: anything attackable.
        seed: of the defence's random numbers.
    """

    def __init__(self, model: Attackable, seed: int = 0) -> None:
        super().__init__()
        self.model: Any = model
        self.seed = seed
        self.decoder_sees = getattr(model, "decoder_sees", "all")

    def encode(self, x: Tensor, noise: Sequence[Tensor] | None = None) -> tuple[Distribution, ...]:
        """The posteriors of images (B, C, H, W) under the defence."""
        raise NotImplementedError

    def decode(self, z: Sequence[Tensor]) -> Distribution:
        """p(x | z) of the model."""
        return self.model.decode(z)

    def prior(self, z: Sequence[Tensor]) -> tuple[Distribution, ...]:
        """The priors of the layers at samples z."""
        return prior_of(self.model, z)

    def _draw(self, *shape: int, like: Tensor) -> Tensor:
        """Standard normal numbers, the same at every call."""
        generator = torch.Generator().manual_seed(self.seed)
        return torch.randn(shape, generator=generator).to(like)


class NoiseAveraged(Defended):
    r"""The average posterior of an image under noise: randomised smoothing of the encoder.

    .. math:: \bar\mu(x) = \frac1S \sum_s \mu(x + \tau \xi_s), \qquad
        \bar\sigma^2(x) = \frac1S \sum_s \big(\sigma^2(x + \tau \xi_s) + (\mu(x + \tau \xi_s) - \bar\mu(x))^2\big)

    Args:
        model: anything attackable.
        scale: τ, in the units of a pixel.
        samples: S.
        seed: of ξ.

    Raises:
        InputError: τ below 0, no sample.

    References:
        Cohen, Rosenfeld & Kolter 2019, Certified adversarial robustness via randomized smoothing.

    Example:
        >>> from seatbelt_vae.models import vae
        >>> model = NoiseAveraged(vae((1, 28, 28), latent_sizes=(4,), network="mlp").eval(), scale=0.1)
        >>> model.encode(torch.rand(2, 1, 28, 28))[0].loc.shape
        torch.Size([2, 4])
    """

    def __init__(self, model: Attackable, scale: float, samples: int = 16, seed: int = 0) -> None:
        super().__init__(model, seed)
        check_count("samples", samples)
        if not 0 <= scale < float("inf"):
            raise InputError(f"scale {scale!r}: must be a finite number, 0 or more")
        self.scale = scale
        self.samples = samples

    def encode(self, x: Tensor, noise: Sequence[Tensor] | None = None) -> tuple[Distribution, ...]:
        """The posteriors, averaged."""
        moved = x[:, None] + self.scale * self._draw(self.samples, *x.shape[1:], like=x)
        if noise is not None:
            noise = [layer.repeat_interleave(self.samples, dim=0) for layer in noise]
        q = posteriors(self.model, moved.flatten(0, 1), noise)
        return tuple(mixture(layer, self.samples) for layer in q)


class Expected(Defended):
    """The average posterior of a random encoder: expectation over its randomness (EOT).

    The global generator is seeded anew for every image and sample, and left as it was: the random numbers of an image
    depend on no other. This takes a call for each image and sample.

    Args:
        model: its ``encode`` draws from torch's global generator.
        samples: draws that are averaged.
        seed: of the first.

    Raises:
        InputError: no sample.

    References:
        Athalye, Carlini & Wagner 2018, Obfuscated gradients give a false sense of security.

    Example:
        >>> from seatbelt_vae.models import vae
        >>> model = Expected(vae((1, 28, 28), latent_sizes=(4,), network="mlp").eval(), samples=2)
        >>> model.encode(torch.rand(3, 1, 28, 28))[0].loc.shape
        torch.Size([3, 4])
    """

    def __init__(self, model: Attackable, samples: int = 16, seed: int = 0) -> None:
        super().__init__(model, seed)
        check_count("samples", samples)
        self.samples = samples

    def encode(self, x: Tensor, noise: Sequence[Tensor] | None = None) -> tuple[Distribution, ...]:
        """The posteriors, averaged."""
        drawn = []
        with torch.random.fork_rng():
            for image in range(len(x)):
                own = noise and [layer[image : image + 1] for layer in noise]
                for sample in range(self.samples):
                    torch.manual_seed(self.seed + sample)
                    drawn.append(posteriors(self.model, x[image : image + 1], own or None))
        averaged = []
        for layer in zip(*drawn, strict=True):
            loc = torch.cat([q.loc for q in layer])
            scale = torch.cat([q.scale for q in layer])
            averaged.append(mixture(Normal(loc, scale, validate_args=False), self.samples))
        return tuple(averaged)


def mixture(q: Normal, samples: int, least: float = 0.0) -> Normal:
    """The Gaussian with mean and variance of the equal mixture of each `samples` rows of q (B·S, …): (B, …).

    A variance is at least `least`.

    Example:
        >>> found = mixture(Normal(torch.tensor([-1.0, 1.0]), torch.ones(2)), samples=2)
        >>> found.loc, found.variance.round(decimals=3)
        (tensor([0.]), tensor([2.]))
    """
    loc = q.loc.unflatten(0, (-1, samples))
    variance = q.scale.unflatten(0, (-1, samples)).square().mean(1) + loc.var(1, correction=0)
    return Normal(loc.mean(1), variance.clamp(min=least).sqrt(), validate_args=False)
