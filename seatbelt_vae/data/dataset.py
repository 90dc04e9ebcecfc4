"""A data set: images, what is known about them, and how they are kept apart for a test."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from seatbelt_vae.data.reading import one_line
from seatbelt_vae.data.resize import Size, height_width, resize, to_grey
from seatbelt_vae.data.source import Changed, ImageSource, Index, Rows, as_indices, digest_of
from seatbelt_vae.errors import InputError

PARTITION = "partition"
"""A factor of this name is the split that the data were published with: 0 train, 1 validation, 2 test. Held out, its
value 2 is the test part; nothing here is tuned on the validation part, so it is learnt from."""

IN_MEMORY = 2**26
"""A subset of images made on demand is made at once, and held as bytes, when it needs at most this many."""

MOST_CLASSES = 2**31


@dataclass(frozen=True)
class Split:
    """Two data sets without an image in common; without a value of the held-out factor in common, if there is one.

    Attributes:
        train: to learn from.
        test: to measure with.
    """

    train: "ImageDataset"
    test: "ImageDataset"


@dataclass(frozen=True, eq=False, repr=False)
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
        InputError: the images are not uint8 (N, 1 or 3, H, W), the factors do not fit them, or the bounds are empty.

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
        if not self.bounds[0] < self.bounds[1]:
            raise InputError(f"{self.name}: bounds={self.bounds}; the first must be below the second")
        if self.factors is None and self.factor_names:
            raise InputError(f"{self.name}: factor names {self.factor_names} without factors")
        if self.factors is not None:
            _check_factors(self, self.factors)
        if self.hold_out is not None and self.hold_out not in self.factor_names:
            raise InputError(f"{self.name}: cannot hold out '{one_line(self.hold_out)}'; its factors: {_known(self)}")
        if self.factors is not None and not self.factor_sizes:
            sizes = self.factors.amax(0) + 1
            object.__setattr__(self, "factor_sizes", tuple(sizes.tolist()))
        if not self.digest:
            object.__setattr__(self, "digest", content_digest(self, self.images))

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    def __len__(self) -> int:
        return self.images.shape[0]

    def __repr__(self) -> str:
        """One line, no pixels."""
        words = f"ImageDataset {one_line(self.name)}: {len(self)} images {self.image_shape} in {self.bounds}"
        if self.factors is not None:
            words += f", factors {_known(self)}"
        return words

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
        rows = as_indices(index, len(self))
        pixels = self._bytes(rows).to(torch.float32).div_(255)
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
            raise InputError(f"{self.name}: has no factor '{one_line(name)}'; its factors: {_known(self)}")
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
        digest = digest_of("subset", self.digest, rows)
        factors = None if self.factors is None else self.factors[rows]
        return replace(self, images=self._rows(rows), factors=factors, digest=digest)

    def _rows(self, rows: Tensor) -> Tensor | ImageSource:
        images = self.images
        channels, height, width = self.image_shape
        size = len(rows) * channels * height * width
        if isinstance(images, Tensor) or size <= IN_MEMORY:
            return self._bytes(rows)
        if isinstance(images, Rows):
            return Rows(images.source, images.indices[rows])
        return Rows(images, rows)

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
            raise InputError(f"{self.name}: count={one_line(count)} images asked for, 1 to {len(self)} can be had")
        if count == len(self):
            return self
        return self.subset(draw(len(self), count, seed))

    def resized(self, size: int | str | Size) -> "ImageDataset":
        """Resize every image to a side, or a height and width; images made on demand are resized on demand."""
        channels, *before = self.image_shape
        height, width = height_width(size)
        if [height, width] == before:
            return self
        words = str(height)
        if height != width:
            words = f"{height}×{width}"
        return self._changed(partial(resize, size=(height, width)), (channels, height, width), "size", words)

    def grey(self) -> "ImageDataset":
        """Turn colour images into grey ones; images made on demand are turned on demand."""
        channels, height, width = self.image_shape
        if channels == 1:
            return self
        return self._changed(to_grey, (1, height, width), "grey")

    def _changed(
        self, change: Callable[[Tensor], Tensor], image_shape: tuple[int, int, int], name: str, *values: str
    ) -> "ImageDataset":
        images = self.images
        digest = digest_of(name, self.digest, *values)
        if isinstance(images, Tensor):
            return replace(self, images=change(images), digest=digest)
        inner = digest_of(name, images.digest, *values)
        return replace(self, images=Changed(images, change, image_shape, inner), digest=digest)

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
        mask = self._test_mask(test, seed)
        if not 0 < int(mask.sum()) < len(self):
            whole = f"{len(self)} images" if self.hold_out is None else f"one {self.hold_out}"
            raise InputError(f"{self.name}: {whole} cannot be split into two parts that both hold something")
        return Split(self.subset(~mask), self.subset(mask))

    def _test_mask(self, test: float, seed: int) -> Tensor:
        if self.hold_out is None:
            mask = torch.zeros(len(self), dtype=torch.bool)
            count = min(max(round(test * len(self)), 1), len(self) - 1)
            mask[permutation(len(self), seed)[:count]] = True
            return mask
        values = self.factor(self.hold_out)
        if self.hold_out == PARTITION:
            return values == 2
        _, group, counts = values.unique(return_inverse=True, return_counts=True)
        order = permutation(len(counts), seed)
        shares = counts[order].cumsum(0).double() / len(self)
        taken = int((shares - test).abs().argmin()) + 1  # the prefix whose share is nearest
        return torch.isin(group, order[: min(taken, len(counts) - 1)])


def labelled(
    images: Tensor | ImageSource, columns: Mapping[str, Tensor], name: str, hold_out: str | None = None
) -> ImageDataset:
    """Make a data set whose factors are columns of class indices, int64 (N,), by name."""
    if not columns:
        return ImageDataset(images, name=name)
    factors = torch.stack(list(columns.values()), dim=1)
    return ImageDataset(images, factors=factors, factor_names=tuple(columns), name=name, hold_out=hold_out)


def permutation(count: int, seed: int) -> Tensor:
    """Shuffle 0 … count−1, the same for the same seed in any process: int64, (count,)."""
    if not -(2**63) <= seed < 2**64:
        raise InputError(f"seed={one_line(seed)}: must lie between -2^63 and 2^64 - 1")
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))


def draw(count: int, wanted: int, seed: int) -> Tensor:
    """Draw `wanted` of 0 … count−1 without replacement, sorted: int64, (wanted,)."""
    return permutation(count, seed)[:wanted].sort().values


def content_digest(dataset: ImageDataset, images: Tensor | ImageSource) -> str:
    """Hash the images, the factors and the bounds into what a data set is known by."""
    content: str | Tensor = images if isinstance(images, Tensor) else images.digest
    factors: str | Tensor = "none" if dataset.factors is None else dataset.factors
    known = (dataset.factor_names, dataset.factor_sizes, dataset.bounds)
    return digest_of(content, factors, repr(known))


def _known(dataset: ImageDataset) -> str:
    return ", ".join(dataset.factor_names) or "none"


def _check_images(images: Tensor | ImageSource, name: str) -> None:
    if not isinstance(images, (Tensor, ImageSource)):
        raise InputError(f"{name}: images are a {type(images).__name__}; they must be a torch tensor or an ImageSource")
    shape = tuple(images.shape)
    if images.dtype != torch.uint8:
        raise InputError(f"{name}: images are {images.dtype}; they must be uint8, 0 to 255")
    if len(shape) != 4 or shape[1] not in (1, 3):
        raise InputError(f"{name}: images have shape {shape}; it must be (N, 1 or 3, H, W)")
    if 0 in shape:
        raise InputError(f"{name}: holds no image (shape {shape})")


def _check_factors(dataset: ImageDataset, factors: Tensor) -> None:
    name, names, sizes = dataset.name, dataset.factor_names, dataset.factor_sizes
    shape = (len(dataset), len(names))
    if tuple(factors.shape) != shape:
        raise InputError(f"{name}: factors have shape {tuple(factors.shape)}; it must be {shape}")
    if factors.dtype != torch.int64 or bool((factors < 0).any()):
        raise InputError(f"{name}: factors must be class indices, int64 and not negative")
    if len(set(names)) != len(names):
        raise InputError(f"{name}: two factors have the same name; all names must differ")
    largest = factors.amax(0).tolist()
    if max(largest, default=0) >= MOST_CLASSES:
        raise InputError(f"{name}: factors hold {max(largest)}; class indices must be below 2^31")
    if not sizes:
        return
    if len(sizes) != len(names) or any(index >= size for index, size in zip(largest, sizes, strict=True)):
        raise InputError(f"{name}: factor_sizes={sizes} do not fit factors of up to {largest}")
