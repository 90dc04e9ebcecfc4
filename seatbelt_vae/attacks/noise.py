"""Common random numbers: drawn once for each pair, so that an objective is a function."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

OTHER_STREAM = 2**31
"""Added to the seed where noise must not be that of any other seed in use."""


@dataclass(frozen=True)
class Noise:
    """S sets of standard normals for every pair, each layer (P, S, …), bottom first; None to follow the means.

    Attributes:
        source: for the paths of the source.
        target: others, independent of these.
    """

    source: list[Tensor] | None = None
    target: list[Tensor] | None = None

    def first(self, pairs: int) -> "Noise":
        """That of the first so many pairs."""
        return Noise(_first(self.source, pairs), _first(self.target, pairs))

    def silent(self) -> "Noise":
        """As much of it, but 0: for a model whose scale means nothing."""
        return Noise(_zeros(self.source), _zeros(self.target))


def _first(layers: list[Tensor] | None, pairs: int) -> list[Tensor] | None:
    if layers is None:
        return None
    return [layer[:pairs] for layer in layers]


def _zeros(layers: list[Tensor] | None) -> list[Tensor] | None:
    if layers is None:
        return None
    return [torch.zeros_like(layer) for layer in layers]


def draw(
    source: Tensor,
    shapes: Sequence[torch.Size],
    samples: int,
    seed: int,
) -> tuple[Tensor, Noise]:
    """Directions to start in, uniform in [−1, 1], (P, n), and the noise; those of a pair do not depend on the others.

    Args:
        source: images (P, C, H, W).
        shapes: of the latents, bottom first.
        samples: sets of random numbers for each pair.
        seed: of all.

    Example:
        >>> start, noise = draw(torch.zeros(3, 1, 2, 2), [torch.Size([5])], samples=2, seed=0)
        >>> start.shape, noise.source[0].shape
        (torch.Size([3, 4]), torch.Size([3, 2, 5]))
    """
    start, ours = _draw(source, shapes, samples, seed)
    if not samples:
        return start, Noise()
    _, theirs = _draw(source, shapes, samples, seed + OTHER_STREAM)
    return start, Noise(ours, theirs)


def _draw(
    source: Tensor,
    shapes: Sequence[torch.Size],
    samples: int,
    seed: int,
) -> tuple[Tensor, list[Tensor]]:
    starts = []
    layers: list[list[Tensor]] = [[] for _ in shapes]
    for pair in range(len(source)):
        generator = torch.Generator().manual_seed(seed * 1_000_003 + pair)
        starts.append(2 * torch.rand(source[0].numel(), generator=generator) - 1)
        for layer, shape in zip(layers, shapes, strict=True):
            layer.append(torch.randn(samples, *shape, generator=generator))
    noise = [torch.stack(layer).to(source) for layer in layers]
    return torch.stack(starts), noise
