"""Passes over λ: where each has come to, and how it goes on."""

from dataclasses import dataclass, replace

import numpy as np

from seatbelt_vae.optim.host import Integers, Marks
from seatbelt_vae.optim.rows import join, row_map


@dataclass(frozen=True)
class Schedule:
    """How a pass goes.

    Attributes:
        way: 1 to smaller λ, −1 to larger ones.
        stride: turns between the starts of two solves.
        budget: steps that a solve may take.
    """

    way: int
    stride: int
    budget: int


@dataclass
class Passes:
    """Passes over a descending order of λ; every array has one entry per pass.

    Attributes:
        row: whose.
        place: in the order, of the solve that set out last.
        last: place of the last one.
        way: 1 to smaller λ, −1 to larger ones.
        stride: turns between the starts of two solves.
        budget: steps that a solve may take.
        final: steps that the last one may take.
        forks: whether other passes set out where this one ends.
        anchored: whether it came from the anchor: it keeps to its own points.
        ticket: of the solve at `place`.
    """

    row: Integers
    place: Integers
    last: Integers
    way: Integers
    stride: Integers
    budget: Integers
    final: Integers
    forks: Marks
    anchored: Marks
    ticket: Integers

    @classmethod
    def begin(cls, row: Integers, place: Integers, last: Integers, schedule: Schedule) -> "Passes":
        """Passes of one schedule from `place` to `last`, each (W,)."""
        one = np.ones_like(row)
        budget = one * schedule.budget
        return cls(
            row=row,
            place=place,
            last=last,
            way=one * schedule.way,
            stride=one * schedule.stride,
            budget=budget,
            final=budget,
            forks=np.zeros_like(row, dtype=bool),
            anchored=np.zeros_like(row, dtype=bool),
            ticket=-one,
        )

    def __len__(self) -> int:
        return len(self.row)

    def of(self, which: Integers | Marks) -> "Passes":
        """Some of them: a mask (W,) or their numbers."""
        passes: Passes = row_map(lambda array: array[which], self)
        return passes

    @property
    def ahead(self) -> Marks:
        """Which are not beyond their end."""
        return (self.last - self.place) * self.way >= 0

    @property
    def ending(self) -> Marks:
        """Which have sent out their last solve."""
        return self.place == self.last

    @property
    def steps(self) -> Integers:
        """What the solve at `place` may take."""
        return np.where(self.ending, self.final, self.budget)

    @property
    def wait(self) -> Integers:
        """Turns of the solve at `place` until the next thing happens: the last one is waited for to its end."""
        forever = np.iinfo(np.int64).max
        return np.where(self.ending, forever, self.stride)

    def onward(self) -> "Passes":
        """One λ further."""
        return replace(self, place=self.place + self.way)

    def join(self, more: "Passes") -> "Passes":
        """These and more."""
        passes: Passes = join(self, more)
        return passes
