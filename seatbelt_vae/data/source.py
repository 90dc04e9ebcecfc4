"""Images that are made when asked for: drawn, decoded or resized on demand, and indexed like a tensor."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

Index: TypeAlias = int | slice | Tensor | Sequence[int]
Shape: TypeAlias = tuple[int, int, int, int]


def digest_of(*parts: str | bytes | Tensor) -> str:
    """Hash texts and tensors, with their types and shapes, into one sha256.

    Returns:
        64 hexadecimal digits, the same in every process and on every machine.

    Example:
        >>> digest_of("pixels", torch.zeros(2, 2)) == digest_of("pixels", torch.zeros(4))
        False
    """
    sha = hashlib.sha256()
    for part in parts:
        if isinstance(part, Tensor):
            kind = f"{part.dtype}{tuple(part.shape)}"
            sha.update(kind.encode())
            array = part.detach().cpu().contiguous().numpy()
            sha.update(array.reshape(-1).view("uint8").data)
            continue
        if isinstance(part, str):
            part = part.encode()
        sha.update(f"{len(part)}:".encode())
        sha.update(part)
    return sha.hexdigest()


def as_indices(index: Index, length: int) -> Tensor:
    """Turn whatever indexes a sequence of `length` items into non-negative positions.

    Args:
        index: an int, a slice, a sequence of ints, or a tensor (of ints or one bool per item).
        length: how many items there are.

    Returns:
        Positions, int64, shape (B,).

    Raises:
        IndexError: a position lies outside, or the index is not of whole numbers.

    Example:
        >>> as_indices(slice(-2, None), 5)
        tensor([3, 4])
        >>> as_indices([0, -1], 5)
        tensor([0, 4])
    """
    if isinstance(index, slice):
        return torch.arange(*index.indices(length))
    positions = torch.as_tensor(index).cpu().reshape(-1)
    if not positions.numel():
        return positions.long()
    if positions.dtype == torch.bool:
        if len(positions) != length:
            raise IndexError(f"a mask of {len(positions)} for {length} images")
        return positions.nonzero().squeeze(1)
    if positions.is_floating_point() or positions.is_complex():
        raise IndexError(f"images are indexed by whole numbers, not {positions.dtype}")
    positions = positions.long()
    first, last = int(positions.min()), int(positions.max())
    if first < -length or last >= length:
        raise IndexError(f"index {max(-first, last)} is out of range for {length} images")
    return torch.where(positions < 0, positions + length, positions)


class ImageSource(ABC):
    """A read-only sequence of uint8 images whose rows are made on demand.

    A subclass sets `shape` and `digest`, and gives `read`.

    Attributes:
        shape: (N, C, H, W).
        digest: sha256 of what determines every pixel.
        held: where the images come from, "drawn" or "mapped".
    """

    dtype = torch.uint8
    held = "drawn"
    shape: Shape
    digest: str

    @abstractmethod
    def read(self, indices: Tensor) -> Tensor:
        """Make the images at `indices`, int64 (B,) within range: uint8, (B, C, H, W)."""

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Index) -> Tensor:
        images = self.read(as_indices(index, len(self)))
        return images[0] if isinstance(index, int) else images


class Rows(ImageSource):
    """Some rows of another source, in a given order, still made on demand.

    Args:
        source: where the images come from.
        indices: positions in it, int64 (N,).
    """

    def __init__(self, source: ImageSource, indices: Tensor) -> None:
        self.source = source
        self.indices = indices
        self.held = source.held
        self.shape = (len(indices), *source.shape[1:])
        self.digest = digest_of("rows", source.digest, indices)

    def read(self, indices: Tensor) -> Tensor:
        """Make the images at `indices`: uint8, (B, C, H, W)."""
        return self.source.read(self.indices[indices])


class Changed(ImageSource):
    """Another source whose images are changed as they are asked for.

    Args:
        source: where the images come from.
        change: from uint8, (B, C, H, W), to uint8, (B, *image_shape).
        image_shape: what it makes of an image.
        digest: sha256 of the source's digest and the change.
    """

    def __init__(
        self,
        source: ImageSource,
        change: Callable[[Tensor], Tensor],
        image_shape: tuple[int, int, int],
        digest: str,
    ) -> None:
        self.source = source
        self.change = change
        self.held = source.held
        self.shape = (len(source), *image_shape)
        self.digest = digest

    def read(self, indices: Tensor) -> Tensor:
        """Change the images at `indices`: uint8, (B, *image_shape)."""
        return self.change(self.source.read(indices))
