"""Images that are made when asked for: drawn, decoded or resized on demand, and indexed like a tensor."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import Tensor

Index: TypeAlias = int | slice | Tensor | Sequence[int]


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
            sha.update(f"{part.dtype}{tuple(part.shape)}".encode())
            sha.update(part.detach().cpu().contiguous().numpy().reshape(-1).view("uint8").data)
        else:
            content = part.encode() if isinstance(part, str) else part
            sha.update(f"{len(content)}:".encode() + content)
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
    if positions.dtype == torch.bool:
        if len(positions) != length:
            raise IndexError(f"a mask of {len(positions)} for {length} images")
        return positions.nonzero().squeeze(1)
    if positions.numel() and (positions.is_floating_point() or positions.is_complex()):
        raise IndexError(f"images are indexed by whole numbers, not {positions.dtype}")
    positions = positions.long()
    if positions.numel() and not -length <= int(positions.min()) <= int(positions.max()) < length:
        raise IndexError(f"index {int(positions.abs().max())} is out of range for {length} images")
    return torch.where(positions < 0, positions + length, positions)


class ImageSource(ABC):
    """A read-only sequence of uint8 images, (N, C, H, W), whose rows are made on demand.

    A subclass gives `shape`, `digest` and `read`; indexing is settled here.
    """

    dtype = torch.uint8

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int, int, int]:
        """(N, C, H, W)."""

    @property
    @abstractmethod
    def digest(self) -> str:
        """Sha256 of what determines every pixel."""

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

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(N, C, H, W)."""
        return len(self.indices), *self.source.shape[1:]

    @property
    def digest(self) -> str:
        """Sha256 of the source's digest and the chosen rows."""
        return digest_of("rows", self.source.digest, self.indices)

    def read(self, indices: Tensor) -> Tensor:
        """Make the images at `indices`: uint8, (B, C, H, W)."""
        return self.source.read(self.indices[indices])
