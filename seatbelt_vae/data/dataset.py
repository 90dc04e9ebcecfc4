"""A data set: images, what is known about them, and how they are kept apart for a test."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from seatbelt_vae.data.resize import Grey, Resized, resize, to_grey
from seatbelt_vae.data.source import ImageSource, Index, Rows, as_indices, digest_of
from seatbelt_vae.errors import InputError

PARTITION = "partition"
"""A factor of this name is the split that the data were published with: 0 train, 1 validation, 2 test. Held out, its
value 2 is the test part; nothing here is tuned on the validation part, so it is learnt from."""

IN_MEMORY = 2**26
"""A subset of images made on demand is made at once, and held as bytes, when it needs at most this many."""


@dataclass(frozen=True)
class Split:
    """Two data sets without an image in common; without a value of the held-out factor in common, if there is one.

    Attributes:
        train: to learn from.
        test: to measure with.
    """

    train: "ImageDataset"
    test: "ImageDataset"


@dataclass(frozen=True, eq=False)
class ImageDataset:
    """Images held as bytes (or made on demand), read as floats.

    Attributes:
        images: uint8, (N, C, H, W), 1 or 3 channels: a tensor, or an `ImageSource` that makes rows on demand.
        bounds: what 0 and 255 become.
        factors: what generated each image, int64 class indices, (N, F); None where nothing is known.
        factor_names: F names.
        factor_sizes: F numbers of classes; by default as many as the largest index asks for.
        name: what to call it.
        hold_out: the factor whose values `split` keeps apart; None splits at random.
        digest: sha256 of the content and of what was done to it. Equal digests mean equal data.

    Raises:
        InputError: the images are not uint8 (N, 1 or 3, H, H), the factors do not fit them, or the bounds are empty.

    Example:
        >>> data = ImageDataset(torch.full((10, 1, 8, 8), 255, dtype=torch.uint8), bounds=(-1.0, 1.0))
        >>> data[:4].shape, float(data[0].min())
        (torch.Size([4, 1, 8, 8]), 1.0)
    """

    images: Tensor | ImageSource
    bounds: tuple[float, float] = (0.0, 1.0)
    factors: Tensor | None = None
    factor_names: tuple[str, ...] = ()
    factor_sizes: tuple[int, ...] = ()
    name: str = "images"
    hold_out: str | None = None
    digest: str = ""

    def __post_init__(self) -> None:
        _check_images(self.images, self.name)
        _check_factors(self)
        if not self.bounds[0] < self.bounds[1]:
            raise InputError(f"{self.name}: bounds={self.bounds}; the first must be below the second")
        if self.factors is not None and not self.factor_sizes:
            object.__setattr__(self, "factor_sizes", tuple((self.factors.amax(0) + 1).tolist()))
        if not self.digest:
            object.__setattr__(self, "digest", _content_digest(self))

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    def __len__(self) -> int:
        return self.images.shape[0]

    def __getitem__(self, index: Index) -> Tensor:
        """Read images as float32 within the bounds.

        Args:
            index: an int gives one image (C, H, W); a slice, a sequence of ints or a tensor gives (B, C, H, W).

        Returns:
            A new float32 tensor, scaled into `bounds`.

        Raises:
            IndexError: there is no such image.
        """
        low, high = self.bounds
        pixels = self._bytes(as_indices(index, len(self))).to(torch.float32).div_(255)
        if self.bounds != (0.0, 1.0):
            pixels.mul_(high - low).add_(low)
        return pixels[0] if isinstance(index, int) else pixels

    def _bytes(self, rows: Tensor) -> Tensor:
        if isinstance(self.images, Tensor):  # indexing by [rows] is 20 times slower for bytes
            return self.images.index_select(0, rows.to(self.images.device))
        return self.images[rows]

    def factor(self, name: str) -> Tensor:
        """Give one factor's class index of every image, int64 (N,).

        Raises:
            InputError: there is no such factor.
        """
        if self.factors is None or name not in self.factor_names:
            known = ", ".join(self.factor_names) or "none"
            raise InputError(f"{self.name}: has no factor {name!r}; its factors: {known}")
        return self.factors[:, self.factor_names.index(name)]

    def subset(self, indices: Index) -> "ImageDataset":
        """Keep some images, in the given order.

        Images made on demand stay so, unless they are few enough to be held (`IN_MEMORY`).

        Args:
            indices: positions in this data set.

        Returns:
            A data set with the same bounds, factor names and sizes.
        """
        rows = as_indices(indices, len(self))
        images = self._bytes(rows) if isinstance(self.images, Tensor) else _rows(self.images, rows)
        factors = None if self.factors is None else self.factors[rows]
        return replace(self, images=images, factors=factors, digest=digest_of("subset", self.digest, rows))

    def sample(self, count: int, seed: int = 0) -> "ImageDataset":
        """Keep `count` images drawn without replacement, in their old order.

        Args:
            count: how many.
            seed: the same seed draws the same images.

        Returns:
            The smaller data set; this one when it has just `count` images.

        Raises:
            InputError: there are fewer images than that.
        """
        if not 1 <= count <= len(self):
            raise InputError(f"{self.name}: count={count} images asked for, 1 to {len(self)} can be had")
        return self if count == len(self) else self.subset(permutation(len(self), seed)[:count].sort().values)

    def resized(self, size: int) -> "ImageDataset":
        """Resize every image to `size` × `size` pixels; images made on demand are resized on demand."""
        if size == self.image_shape[-1]:
            return self
        images = resize(self.images, size) if isinstance(self.images, Tensor) else Resized(self.images, size)
        return replace(self, images=images, digest=digest_of("size", self.digest, str(size)))

    def grey(self) -> "ImageDataset":
        """Turn colour images into grey ones; images made on demand are turned on demand."""
        if self.image_shape[0] == 1:
            return self
        images = to_grey(self.images) if isinstance(self.images, Tensor) else Grey(self.images)
        return replace(self, images=images, digest=digest_of("grey", self.digest))

    def within(self, bounds: tuple[float, float]) -> "ImageDataset":
        """Read the same images within other bounds."""
        if bounds == self.bounds:
            return self
        return replace(self, bounds=bounds, digest=digest_of("bounds", self.digest, repr(bounds)))

    def split(self, test: float = 0.1, seed: int = 0) -> Split:
        """Divide the images into training and test.

        With a `hold_out` factor its values are dealt out, whole, so that no person or object is in both;
        values are taken at random until the test part has its share. Without one, images are dealt out. The split
        that data were published with (see `PARTITION`) has its own share.

        Args:
            test: share of the images for the test, between 0 and 1.
            seed: the same seed gives the same split, in any process.

        Returns:
            Training and test data, each in this data set's order.

        Raises:
            InputError: the share is not between 0 and 1, or one part would be empty.

        Example:
            >>> data = ImageDataset(torch.zeros(6, 1, 8, 8, dtype=torch.uint8),
            ...     factors=torch.tensor([[0], [0], [1], [1], [2], [2]]), factor_names=("person",), hold_out="person")
            >>> parts = data.split(test=0.3)
            >>> len(parts.train), set(parts.train.factor("person")) & set(parts.test.factor("person"))
            (4, set())
        """
        if not 0 < test < 1:
            raise InputError(f"test={test}: the test part's share must lie between 0 and 1")
        mask = self._random_mask(test, seed) if self.hold_out is None else self._held_out_mask(test, seed)
        if not 0 < int(mask.sum()) < len(self):
            groups = f"{len(self)} images" if self.hold_out is None else f"one {self.hold_out}"
            raise InputError(f"{self.name}: {groups} cannot be split into two parts that both hold something")
        return Split(self.subset((~mask).nonzero().squeeze(1)), self.subset(mask.nonzero().squeeze(1)))

    def _random_mask(self, test: float, seed: int) -> Tensor:
        mask = torch.zeros(len(self), dtype=torch.bool)
        count = min(max(round(test * len(self)), 1), len(self) - 1)
        mask[permutation(len(self), seed)[:count]] = True
        return mask

    def _held_out_mask(self, test: float, seed: int) -> Tensor:
        assert self.hold_out is not None
        if self.hold_out == PARTITION:
            return self.factor(PARTITION) == 2
        _, group, counts = self.factor(self.hold_out).unique(return_inverse=True, return_counts=True)
        order = permutation(len(counts), seed)
        shares = counts[order].cumsum(0).double() / len(self)
        taken = int((shares - test).abs().argmin()) + 1  # the prefix whose share is nearest
        return torch.isin(group, order[: min(taken, len(counts) - 1)])


def permutation(count: int, seed: int) -> Tensor:
    """Shuffle 0 … count−1, the same for the same seed in any process: int64, (count,)."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))


def _rows(source: ImageSource, rows: Tensor) -> Tensor | ImageSource:
    channels, height, width = source.shape[1:]
    if len(rows) * channels * height * width <= IN_MEMORY:
        return source[rows]
    return Rows(source.source, source.indices[rows]) if isinstance(source, Rows) else Rows(source, rows)


def _content_digest(dataset: ImageDataset) -> str:
    images = dataset.images if isinstance(dataset.images, Tensor) else dataset.images.digest
    factors = "none" if dataset.factors is None else dataset.factors
    return digest_of(images, factors, repr((dataset.factor_names, dataset.factor_sizes, dataset.bounds)))


def _check_images(images: Tensor | ImageSource, name: str) -> None:
    if not isinstance(images, (Tensor, ImageSource)):
        raise InputError(f"{name}: images are a {type(images).__name__}; they must be a torch tensor or an ImageSource")
    shape = tuple(images.shape)
    if images.dtype != torch.uint8:
        raise InputError(f"{name}: images are {images.dtype}; they must be uint8, 0 to 255")
    if len(shape) != 4 or shape[1] not in (1, 3) or shape[2] != shape[3]:
        raise InputError(f"{name}: images have shape {shape}; it must be (N, 1 or 3, H, H)")
    if 0 in shape:
        raise InputError(f"{name}: holds no image (shape {shape})")


def _check_factors(dataset: ImageDataset) -> None:
    factors, names = dataset.factors, dataset.factor_names
    if factors is None and names:
        raise InputError(f"{dataset.name}: factor names {names} without factors")
    if factors is not None and tuple(factors.shape) != (len(dataset), len(names)):
        shape = (len(dataset), len(names))
        raise InputError(f"{dataset.name}: factors have shape {tuple(factors.shape)}; it must be {shape}")
    if factors is not None and (factors.dtype != torch.int64 or bool((factors < 0).any())):
        raise InputError(f"{dataset.name}: factors must be class indices, int64 and not negative")
    if dataset.hold_out is not None and dataset.hold_out not in names:
        known = ", ".join(names) or "none"
        raise InputError(f"{dataset.name}: cannot hold out {dataset.hold_out!r}; its factors: {known}")
