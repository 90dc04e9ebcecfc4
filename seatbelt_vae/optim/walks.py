"""Walks over λ: where each has come to, and how it goes on."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from seatbelt_vae.optim.rows import tensor_map


@dataclass(frozen=True)
class Gait:
    """How a walk goes.

    Attributes:
        way: 1 to smaller λ, −1 to larger ones.
        stride: turns between the starts of two solves.
        budget: steps that a solve may take.
    """

    way: int
    stride: int
    budget: int


@dataclass
class Walks:
    """Walks over a descending order of λ; every tensor has one entry per walk.

    Attributes:
        row: whose.
        place: in the order, of the solve that set out last.
        last: place of the last one.
        way: 1 to smaller λ, −1 to larger ones.
        stride: turns between the starts of two solves.
        budget: steps that a solve may take.
        final: steps that the last one may take.
        forks: whether other walks set out where this one ends.
        ticket: of the solve at `place`.
    """

    row: Tensor
    place: Tensor
    last: Tensor
    way: Tensor
    stride: Tensor
    budget: Tensor
    final: Tensor
    forks: Tensor
    ticket: Tensor

    @classmethod
    def begin(
        cls, row: Tensor, place: Tensor, last: Tensor, gait: Gait, final: int | None = None, *, forks: bool = False
    ) -> "Walks":
        """Walks of one gait from `place` to `last`, each (W,)."""
        same = torch.ones_like(row)
        return cls(
            row, place, last, same * gait.way, same * gait.stride, same * gait.budget,
            same * (gait.budget if final is None else final), (same * forks).bool(), -same,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.row)

    def of(self, which: Tensor) -> "Walks":
        """Some of them: a mask (W,) or their numbers."""
        walks: Walks = tensor_map(lambda tensor: tensor[which], self)
        return walks

    @property
    def ahead(self) -> Tensor:
        """Which are not beyond their end."""
        return (self.last - self.place) * self.way >= 0

    @property
    def ending(self) -> Tensor:
        """Which have sent out their last solve."""
        return self.place == self.last

    @property
    def steps(self) -> Tensor:
        """What the solve at `place` may take."""
        return torch.where(self.ending, self.final, self.budget)

    @property
    def wait(self) -> Tensor:
        """Turns of the solve at `place` until the next thing happens: the last one is waited for to its end."""
        return torch.where(self.ending, torch.iinfo(torch.long).max, self.stride)

    def onward(self) -> "Walks":
        """One λ further."""
        return replace(self, place=self.place + self.way)

    def join(self, *more: "Walks") -> "Walks":
        """These and more."""
        walks: Walks = tensor_map(lambda *parts: torch.cat(parts), self, *more)
        return walks
