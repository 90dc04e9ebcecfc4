"""Source and target images for attacks: a draw that can be named and checked."""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from seatbelt_vae.data.dataset import PARTITION, ImageDataset, permutation
from seatbelt_vae.data.reading import one_line
from seatbelt_vae.data.source import digest_of
from seatbelt_vae.data.sprites import draw_sprites
from seatbelt_vae.errors import InputError

HEART = 2
MOST_HEARTS = 4096


@dataclass(frozen=True, eq=False, repr=False)
class Pairs:
    """Images to attack and images to turn them into.

    Attributes:
        source: float32 within the data's bounds, (P, C, H, W).
        target: the same.
        digest: sha256 of the pixels and their bounds.
        source_index: where each source stands in the data set it was drawn from, int64 (P,); None for others.
        target_index: the same of the targets.
    """

    source: Tensor
    target: Tensor
    digest: str
    source_index: Tensor | None = None
    target_index: Tensor | None = None

    def __len__(self) -> int:
        return len(self.source)

    def __repr__(self) -> str:
        """One line, no pixels."""
        return f"Pairs: {len(self)} of images {tuple(self.source.shape[1:])}"


def draw_pairs(dataset: ImageDataset, kind: str, count: int, seed: int = 0) -> Pairs:
    """Draw pairs of a named kind.

    Args:
        dataset: the test images.
        kind: "test" draws from them, as `pairs` does; "rotated-hearts" draws `rotated_hearts` of their size.
        count: how many pairs.
        seed: of the draw; hearts need none.

    Raises:
        InputError: there is no such kind, or there are not so many pairs of it.

    Example:
        >>> data = ImageDataset(torch.arange(8, dtype=torch.uint8).view(8, 1, 1, 1).expand(-1, -1, 8, 8))
        >>> draw_pairs(data, "rotated-hearts", count=3).source.shape
        torch.Size([3, 1, 8, 8])
    """
    if kind == "test":
        return pairs(dataset, count, seed)
    if kind != "rotated-hearts":
        raise InputError(f"pairs of '{one_line(kind)}': no such kind; known: test, rotated-hearts")
    channels, height, width = dataset.image_shape
    if channels != 1 or height != width:
        shape = f"{channels}×{height}×{width}"
        raise InputError(f"{dataset.name}: images are {shape}; rotated hearts are square and grey, as sprites are")
    return rotated_hearts(count, height, dataset.bounds)


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
    _check_count(count)
    index = torch.tensor(_draw(dataset, count, seed))
    source = dataset[index[:, 0]]
    target = dataset[index[:, 1]]
    digest = _digest(source, target, dataset.bounds)
    return Pairs(source, target, digest, index[:, 0], index[:, 1])


def rotated_hearts(count: int, size: int, bounds: tuple[float, float] = (0.0, 1.0)) -> Pairs:
    """Draw hearts in the middle at `count` equal steps of a turn, and each of them turned by π.

    Args:
        count: how many.
        size: side of the images, pixels.
        bounds: the values of black and white.

    Returns:
        The pairs: hearts, (P, 1, size, size), and the same turned.

    Raises:
        InputError: the count lies outside 1 to 4096.

    Example:
        >>> hearts = rotated_hearts(1, 64)
        >>> bool((hearts.source.flip(2, 3) - hearts.target).abs().mean() < 0.01)  # half a turn mirrors both axes
        True
    """
    _check_count(count)
    if count > MOST_HEARTS:
        raise InputError(f"pairs={one_line(count)}: at most {MOST_HEARTS} rotated hearts can be had")
    angles = torch.arange(count) * (2 * math.pi / count)
    source = _hearts(angles, size, bounds)
    target = _hearts(angles + math.pi, size, bounds)
    return Pairs(source, target, _digest(source, target, bounds))


def _hearts(angles: Tensor, size: int, bounds: tuple[float, float]) -> Tensor:
    shape = torch.full((len(angles),), HEART)
    scale = torch.ones(len(angles))
    centre = torch.full((len(angles),), 0.5)
    images = draw_sprites(shape, scale, angles, centre, centre)
    return ImageDataset(images, bounds, name="hearts").resized(size)[:]


def _check_count(count: int) -> None:
    if count < 1:
        raise InputError(f"pairs={one_line(count)}: at least one pair is needed")


def _digest(source: Tensor, target: Tensor, bounds: tuple[float, float]) -> str:
    return digest_of("pairs", source, target, repr(bounds))


def _draw(dataset: ImageDataset, count: int, seed: int) -> list[tuple[int, int]]:
    """Match each image with the first waiting one of another class; those waiting are all of one class."""
    group = _group(dataset)
    waiting: deque[int] = deque()
    drawn: list[tuple[int, int]] = []
    for index in _different_images(dataset, seed, chunk=min(4 * count, len(dataset))):
        if waiting and group[waiting[0]] != group[index]:
            drawn.append((waiting.popleft(), index))
        else:
            waiting.append(index)
        if len(drawn) == count:
            return drawn
    while len(drawn) < count and len(waiting) > 1:  # one class is left
        drawn.append((waiting.popleft(), waiting.popleft()))
    if len(drawn) < count:
        found = 2 * len(drawn) + len(waiting)
        needed = f"{one_line(count)} pairs need {one_line(2 * count)} different images"
        raise InputError(f"{dataset.name}: {needed}, it has {found}")
    return drawn


def _group(dataset: ImageDataset) -> Tensor:
    """The classes in which a source and its target are to differ, (N,); without factors each image is its own."""
    name = dataset.hold_out
    if name is None and dataset.factor_names:
        name = dataset.factor_names[0]
    if dataset.hold_out == PARTITION:  # which all test images share
        name = "identity"
    if name not in dataset.factor_names:
        return torch.arange(len(dataset))
    return dataset.factor(name)


def _different_images(dataset: ImageDataset, seed: int, chunk: int) -> Iterator[int]:
    """Go through the images in a random order, passing over any that looks like one before."""
    seen: set[bytes] = set()
    for rows in permutation(len(dataset), seed).split(chunk):
        for index, image in zip(rows.tolist(), dataset.images[rows], strict=True):
            pixels = image.numpy().tobytes()
            if pixels not in seen:
                seen.add(pixels)
                yield index
