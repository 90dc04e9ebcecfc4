"""Images one batch after the other, with what is known of them: what an archive gives without being unpacked."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from seatbelt_vae.data.dataset import ImageDataset

BATCH = 512


@dataclass(frozen=True)
class ImageStream:
    """A data set that is read once, from its beginning to its end.

    Attributes:
        name: what to call it.
        shape: (N, C, H, W).
        batches: uint8, (B, C, H, W), N images in all.
        factors: what generated each image, int64 class indices, (N, F); None where nothing is known.
        factor_names: F names.
        factor_sizes: F numbers of classes; by default as many as the largest index asks for.
        hold_out: the factor whose values a split keeps apart.
        notes: what is worth saying about the source, a line each.
    """

    name: str
    shape: tuple[int, int, int, int]
    batches: Iterable[Tensor]
    factors: Tensor | None = None
    factor_names: tuple[str, ...] = ()
    factor_sizes: tuple[int, ...] = ()
    hold_out: str | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, dataset: ImageDataset) -> "ImageStream":
        """Read a data set that can be read anyhow.

        Example:
            >>> data = ImageDataset(torch.zeros(600, 1, 8, 8, dtype=torch.uint8))
            >>> [len(batch) for batch in ImageStream.of(data).batches]
            [512, 88]
        """
        count = len(dataset)
        return cls(
            dataset.name,
            (count, *dataset.image_shape),
            (dataset.images[rows] for rows in torch.arange(count).split(BATCH)),
            dataset.factors,
            dataset.factor_names,
            dataset.factor_sizes,
            dataset.hold_out,
        )
