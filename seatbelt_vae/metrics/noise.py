"""Robustness to noise: how well the clean image is still explained after encoding a noisy one."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.passes import Images, evaluating, passes, sparing
from seatbelt_vae.metrics.statistics import Estimate, summarise
from seatbelt_vae.progress import progress_bar

SCALES = (0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1.0)


@dataclass(frozen=True)
class Noise:
    r"""White noise on images, :math:`x^* = x + s \cdot \tfrac{b - a}{2} \, \varepsilon` with ε ~ N(0, I).

    Args:
        scales: s, standard deviations for data in [−1, 1]. For data in [a, b] they are multiplied by half the width,
            so the same s is the same noise whatever the bounds.
        bounds: [a, b] of the data.
        clamp: cut the noisy image to the bounds.

    Raises:
        InputError: there is no scale, or one is negative.
    """

    scales: tuple[float, ...] = SCALES
    bounds: tuple[float, float] = (0.0, 1.0)
    clamp: bool = False

    def __post_init__(self) -> None:
        if len(self.scales) == 0 or min(self.scales) < 0:
            raise InputError(f"scales {list(self.scales)}: at least one is needed, none below 0")

    def add(self, x: Tensor, scale: float, epsilon: Tensor) -> Tensor:
        """The noisy image at one of the scales.

        Example:
            >>> Noise(bounds=(-1.0, 1.0)).add(torch.zeros(1), 0.5, torch.ones(1))
            tensor([0.5000])
        """
        low, high = self.bounds
        noisy = x + scale * (epsilon * (high - low) / 2)
        if self.clamp:
            return noisy.clamp(low, high)
        return noisy


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
    def drop(self) -> tuple[Estimate, ...]:
        """What noise costs in nats at each scale, clean − noisy, averaged over images; lower is more robust."""
        return tuple(Estimate.of(self.clean - noisy) for noisy in self.log_likelihood)

    def summary(self) -> list[dict[str, float]]:
        """One row per scale: scale, log_likelihood and drop, each with its ``_error`` over images."""
        rows = []
        for scale, noisy, drop in zip(self.scales, self.log_likelihood, self.drop, strict=True):
            estimates = {"log_likelihood": Estimate.of(noisy), "drop": drop}
            rows.append({"scale": scale, **summarise(estimates)})
        return rows


@sparing
def noise_robustness(
    model: Any,
    x: Images,
    noise: Noise | None = None,
    samples: int = 1,
    *,
    batch_size: int = 256,
    seed: int = 0,
    progress: bool = False,
) -> NoiseRobustness:
    r"""Log p(x|z*) of the clean x, with z* ~ q(z|x + noise): nats, higher is more robust.

    All scales use the same ε and the same noise of z: the curve over s is smooth.

    Args:
        model: anything with ``encode(x, noise)`` and ``decode(z)``.
        x: N clean images, a tensor (N, C, H, W) or a data set.
        noise: what is added to them; `Noise` for data in [0, 1] by default.
        samples: draws of noise and of z for each image.
        batch_size: rows in one pass.
        seed: of all noise.
        progress: show a bar on stderr.

    Raises:
        InputError: there are no images, or `samples` or `batch_size` is below 1.

    References:
        Willetts et al. 2019, Disentangling improves VAEs' robustness to adversarial attacks, Fig 8.

    Example:
        >>> from seatbelt_vae.models import vae
        >>> model = vae((1, 32, 32), (4,), network="mlp")
        >>> noise_robustness(model, torch.rand(3, 1, 32, 32), Noise((0.1, 1.0))).log_likelihood.shape
        torch.Size([2, 3])
    """
    noise = noise or Noise()
    scales = (0.0, *noise.scales)
    total = torch.zeros(len(scales), len(x), dtype=torch.float64)
    pixels = x[:1].numel()
    with evaluating(model), progress_bar("Noise", len(x) * samples, progress) as advance:
        for each in passes(model, x, samples, batch_size, seed, extra=(pixels,)):
            *latent, epsilon = each.noise
            epsilon = epsilon.reshape(each.x.shape)
            for k, scale in enumerate(scales):
                posteriors = model.encode(noise.add(each.x, scale, epsilon), latent)
                z = [q.loc + q.scale * layer for q, layer in zip(posteriors, latent, strict=True)]
                log_prob = model.decode(z).log_prob(each.x)
                total[k, each.rows] += each.per_image(log_prob).sum(1)
            advance(len(each.x))
    mean = total / samples
    return NoiseRobustness(noise.scales, mean[1:], mean[0])
