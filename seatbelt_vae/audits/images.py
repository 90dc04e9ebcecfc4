"""The images of an audit: pairs drawn from whatever was given."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from seatbelt_vae.data import ImageDataset, Pairs, pairs
from seatbelt_vae.data.source import digest_of
from seatbelt_vae.errors import InputError

Images = ImageDataset | Pairs | Tensor

MOST = 2000
"""Images to which PCA is fitted."""

DIMENSIONS = (3, 4, 5)
"""Of a tensor of signals (N, C, T), images (N, C, H, W) or volumes (N, C, D, H, W)."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """Pairs, and the images at hand.

    Attributes:
        source: x, (P, C, H, W).
        target: x_t, likewise.
        bounds: of the data.
        known: images to fit PCA to, (N, C, H, W).
        digest: of the pairs.
    """

    source: Tensor
    target: Tensor
    bounds: tuple[float, float]
    known: Tensor
    digest: str

    def of(self, pairs: Tensor) -> "Drawn":
        """Some of the pairs, by a mask (P,); all of them where it leaves none."""
        if not bool(pairs.any()):
            return self
        return replace(self, source=self.source[pairs], target=self.target[pairs])


def draw(images: Images, count: int, seed: int, bounds: tuple[float, float] | None) -> Drawn:
    """Draw pairs of different images.

    Args:
        images: a data set; pairs, of which the first are taken; or floats (N, C, H, W), all of them different; volumes
            (N, C, D, H, W) and signals (N, C, T), too.
        count: how many pairs.
        seed: of the draw.
        bounds: those of a data set must be its own; (0, 1) where nobody says.

    Raises:
        InputError: there are too few images, or the bounds contradict.

    Example:
        >>> draw(torch.rand(6, 1, 4, 4), count=3, seed=0, bounds=None).source.shape
        torch.Size([3, 1, 4, 4])
    """
    if isinstance(images, ImageDataset):
        if bounds not in (None, images.bounds):
            raise InputError(f"bounds {bounds}: the data set has bounds {images.bounds}, leave them out")
        drawn = pairs(images, count, seed)
        return Drawn(drawn.source, drawn.target, images.bounds, images[: min(MOST, len(images))], drawn.digest)
    bounds = bounds or (0.0, 1.0)
    if isinstance(images, Pairs):
        if len(images) < count:
            raise InputError(f"pairs={count}: only {len(images)} pairs were given")
        source = images.source[:count]
        target = images.target[:count]
        return Drawn(source, target, bounds, torch.cat([source, target]), _digest(source, target, bounds))
    return _from_tensor(images, count, seed, bounds)


def _from_tensor(images: Tensor, count: int, seed: int, bounds: tuple[float, float]) -> Drawn:
    if not isinstance(images, Tensor) or images.dim() not in DIMENSIONS or not images.is_floating_point():
        raise InputError(f"images: {type(images).__name__}; needs a data set, pairs or floats (N, C, H, W) in {bounds}")
    if len(images) < 2 * count:
        raise InputError(f"images: {count} pairs need {2 * count} different images, there are {len(images)}")
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    source = images[order[:count]].detach().cpu()
    target = images[order[count : 2 * count]].detach().cpu()
    return Drawn(source, target, bounds, images[:MOST].detach().cpu(), _digest(source, target, bounds))


def _digest(source: Tensor, target: Tensor, bounds: tuple[float, float]) -> str:
    return digest_of("pairs", source, target, repr(bounds))
