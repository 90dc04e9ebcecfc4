"""Where numbers stand on a logarithmic axis: penalties λ with 0 set apart, radii ε, and round labels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Domain = tuple[float, float] | None
"""The two ends of an axis; None leaves them to the data."""

STEPS = (1, 2, 5, 10, 20, 50, 100, 200)


@dataclass(frozen=True)
class BudgetAxis:
    """Where each penalty λ stands on a log2 axis, with λ = 0 set apart at its left end. It serves radii ε too.

    Args:
        zero: the place of λ = 0, left of the smallest positive λ by a tenth of the axis.
        low: log2 of the smallest positive λ.
        high: log2 of the largest.
    """

    zero: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "BudgetAxis":
        """The axis that holds every value.

        Example:
            >>> BudgetAxis.of([0.0, 0.25, 16.0])
            BudgetAxis(zero=-3.0, low=-2.0, high=4.0)
        """
        logs = [math.log2(value) for value in values if value > 0] or [0.0]
        low = min(logs)
        high = max(logs)
        return cls(low - max(1.0, (high - low) / 10), low, high)

    def place(self, value: float, slot: int = 0) -> float:
        """Where a λ stands; at 0 the models stand beside each other, or one marker would hide the next."""
        if value > 0:
            return math.log2(value)
        aside = (slot % 5 - 1) * (self.low - self.zero) / 7
        return self.zero + aside

    def places(self, values: Sequence[float], slot: int = 0) -> list[float]:
        """Where several stand."""
        return [self.place(value, slot) for value in values]

    @property
    def powers(self) -> list[float]:
        """Zero, and about five powers of two."""
        step = next(step for step in STEPS if step >= (self.high - self.low) / 5)
        first = math.ceil(self.low / step) * step
        return [self.zero, *np.arange(first, self.high + 1e-9, step).tolist()]

    @property
    def round(self) -> list[float]:
        """Where round decimal values stand, for what is no power of two."""
        return [math.log2(value) for value in log_ticks(2.0**self.low, 2.0**self.high)]


def log_ticks(low: float, high: float) -> list[float]:
    """Round places for labels on a logarithmic axis: powers of ten, or 1, 2 and 5 times them where there are few.

    Example:
        >>> log_ticks(0.02, 3000.0)
        [0.1, 1.0, 10.0, 100.0, 1000.0]
        >>> log_ticks(120.0, 900.0)
        [200.0, 500.0]
    """
    decades = math.log10(high / low)
    leads: Sequence[int] = (1,)
    step = math.ceil(decades / 6)
    if decades < 2.2:
        leads = (1, 2, 5)
        step = 1
    ticks = []
    for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        for lead in leads:
            place = lead * 10.0**power
            if power % step == 0 and low * 0.999 <= place <= high * 1.001:
                ticks.append(float(f"{place:.3g}"))
    return ticks
