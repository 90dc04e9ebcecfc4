"""Source and target images for attacks: a seeded draw that can be named and checked."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from seatbelt_vae.data.dataset import PARTITION, ImageDataset, permutation
from seatbelt_vae.data.source import digest_of
from seatbelt_vae.errors import InputError


@dataclass(frozen=True, eq=False)
class Pairs:
    """Images to attack and images to turn them into.

    Attributes:
        source: float32 within the data's bounds, (P, C, H, W).
        target: the same.
        source_index: where each source stands in the data set it was drawn from, int64 (P,).
        target_index: the same of the targets.
        digest: sha256 of the pixels and their bounds.
    """

    source: Tensor
    target: Tensor
    source_index: Tensor
    target_index: Tensor
    digest: str

    def __len__(self) -> int:
        return len(self.source)


def pairs(dataset: ImageDataset, count: int, seed: int = 0) -> Pairs:
    """Draw source and target images, all 2·count different to the pixel.

    Source and target differ in the held-out factor (another person, another chair), or else in the first
    factor (another shape), as long as such images can be had.

    Args:
        dataset: where to draw from, usually the test part of a split.
        count: how many pairs.
        seed: the same seed draws the same pairs.

    Returns:
        The pairs, in the order drawn: the first k of a larger draw are the draw of k pairs.

    Raises:
        InputError: there are fewer than 2·count different images.

    Example:
        >>> data = ImageDataset(torch.arange(8, dtype=torch.uint8).view(8, 1, 1, 1).expand(-1, -1, 8, 8))
        >>> drawn = pairs(data, count=4)
        >>> sorted(torch.cat([drawn.source_index, drawn.target_index]).tolist())
        [0, 1, 2, 3, 4, 5, 6, 7]
    """
    if count < 1:
        raise InputError(f"pairs={count}: at least one pair is needed")
    index = torch.tensor(_draw(dataset, count, seed))
    source, target = dataset[index[:, 0]], dataset[index[:, 1]]
    digest = digest_of("pairs", source, target, repr(dataset.bounds))
    return Pairs(source, target, index[:, 0], index[:, 1], digest)


def _draw(dataset: ImageDataset, count: int, seed: int) -> list[tuple[int, int]]:
    """Match each image with the first waiting one of another class; those waiting are all of one class."""
    name = _class(dataset)
    group = None if name is None else dataset.factor(name)
    waiting: deque[int] = deque()
    drawn: list[tuple[int, int]] = []
    for index in _different_images(dataset, seed, chunk=4 * count):
        if waiting and (group is None or bool(group[waiting[0]] != group[index])):
            drawn.append((waiting.popleft(), index))
        else:
            waiting.append(index)
        if len(drawn) == count:
            return drawn
    while len(drawn) < count and len(waiting) > 1:  # one class is left
        drawn.append((waiting.popleft(), waiting.popleft()))
    if len(drawn) < count:
        found = 2 * len(drawn) + len(waiting)
        raise InputError(f"{dataset.name}: {count} pairs need {2 * count} different images, it has {found}")
    return drawn


def _class(dataset: ImageDataset) -> str | None:
    """The factor in which a source and its target are to differ."""
    if dataset.hold_out == PARTITION:  # which all test images share
        return "identity" if "identity" in dataset.factor_names else None
    return dataset.hold_out or next(iter(dataset.factor_names), None)


def _different_images(dataset: ImageDataset, seed: int, chunk: int) -> Iterator[int]:
    """Go through the images in a random order, passing over any that looks like one before."""
    seen: set[bytes] = set()
    for rows in permutation(len(dataset), seed).split(chunk):
        for index, image in zip(rows.tolist(), dataset.images[rows], strict=True):
            pixels = image.numpy().tobytes()
            if pixels not in seen:
                seen.add(pixels)
                yield index
