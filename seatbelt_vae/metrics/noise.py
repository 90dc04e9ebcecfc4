"""Robustness to noise: how well the clean image is still explained after encoding a noisy one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.statistics import Estimate
from seatbelt_vae.metrics.streaming import Images, evaluating, passes
from seatbelt_vae.progress import progress_bar

SCALES = (0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1.0)


@dataclass(frozen=True)
class NoiseRobustness:
    """log p(x|z*) in nats for every image and scale of noise, float64 on the CPU; higher is more robust.

    Attributes:
        scales: of the noise, for data in [−1, 1]; K of them.
        log_likelihood: log p(x|z*), averaged over the samples, shape (K, N): a row is one histogram of Fig 8.
        clean: the same without noise, shape (N,).
    """

    scales: tuple[float, ...]
    log_likelihood: Tensor
    clean: Tensor

    @property
    def mean(self) -> Tensor:
        """Average log p(x|z*) at each scale, (K,)."""
        return self.log_likelihood.mean(1)

    @property
    def drop(self) -> tuple[Estimate, ...]:
        """What noise costs in nats at each scale, clean − noisy, averaged over images; lower is more robust."""
        return tuple(Estimate.of(self.clean - noisy) for noisy in self.log_likelihood)

    def summary(self) -> list[dict[str, float]]:
        """One row per scale: scale, log_likelihood and drop, each with its ``_error`` over images."""
        levels = [Estimate.of(noisy) for noisy in self.log_likelihood]
        return [
            {
                "scale": scale,
                "log_likelihood": level.value,
                "log_likelihood_error": level.standard_error,
                "drop": drop.value,
                "drop_error": drop.standard_error,
            }
            for scale, level, drop in zip(self.scales, levels, self.drop, strict=True)
        ]


def noise_robustness(
    model: Any,
    x: Images,
    scales: Sequence[float] = SCALES,
    samples: int = 1,
    *,
    bounds: tuple[float, float] = (0.0, 1.0),
    clamp: bool = False,
    batch_size: int = 256,
    seed: int = 0,
    progress: bool = False,
) -> NoiseRobustness:
    r"""Log p(x|z*) of the clean x, with z* ~ q(z|x + noise): nats, higher is more robust.

    .. math:: x^* = x + s \cdot \tfrac{b - a}{2} \, \varepsilon, \qquad \varepsilon \sim N(0, I)

    The scale s is stated for data in [−1, 1], as in the paper; for data in [a, b] it is multiplied by half the
    width, so the same s is the same noise whatever the bounds. Noise may leave the bounds unless `clamp` cuts it.
    All scales use the same ε and the same noise of z: the curve over s is smooth.

    Args:
        model: anything with ``encode(x, noise)`` and ``decode(z)``.
        x: N clean images, a tensor (N, C, H, W) or a data set.
        scales: standard deviations for data in [−1, 1].
        samples: draws of noise and of z for each image.
        bounds: [a, b] of the data.
        clamp: cut the noisy image to the bounds.
        batch_size: rows that go through the model at once.
        seed: of all noise.
        progress: show a bar on stderr.

    Raises:
        InputError: no images or scales, a negative scale, or `samples` below 1.

    References:
        Willetts et al. 2019, Disentangling improves VAEs' robustness to adversarial attacks, Fig 8.

    Example:
        >>> from seatbelt_vae.models import vae
        >>> model = vae((1, 32, 32), (4,), network="mlp")
        >>> noise_robustness(model, torch.rand(3, 1, 32, 32), scales=[0.1, 1.0]).log_likelihood.shape
        torch.Size([2, 3])
    """
    if len(x) == 0 or samples < 1:
        raise InputError(f"{len(x)} images and {samples} samples: at least one of each is needed")
    if len(scales) == 0 or min(scales) < 0:
        raise InputError(f"scales {list(scales)}: at least one is needed, none below 0")
    low, high = bounds
    total = torch.zeros(1 + len(scales), len(x), dtype=torch.float64)
    pixels = x[:1].numel()
    with evaluating(model), progress_bar("Noise", len(x) * samples, progress) as advance:
        for each in passes(model, x, samples, batch_size, seed, extra=(pixels,)):
            *noise, epsilon = each.noise
            epsilon = epsilon.reshape(each.x.shape) * (high - low) / 2
            for k, scale in enumerate((0.0, *scales)):
                noisy = each.x + scale * epsilon
                noisy = noisy.clamp(low, high) if clamp else noisy
                posteriors = model.encode(noisy, noise)
                z = [q.loc + q.scale * layer for q, layer in zip(posteriors, noise, strict=True)]
                total[k, each.rows] += each.per_image(model.decode(z).log_prob(each.x)).sum(1)
            advance(len(each.x))
    mean = total / samples
    return NoiseRobustness(tuple(scales), mean[1:], mean[0])
