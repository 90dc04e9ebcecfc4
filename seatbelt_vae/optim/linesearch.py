"""A line search whose every row is in its own phase: bracket, expand or shrink, one trial a turn."""

from dataclasses import dataclass

import torch
from torch import Tensor

ARMIJO = 1e-4
KINKED = 0.9
"""Share of its slope that a search may leave where the function has kinks, as networks have: looking for a flatter
point wastes trials. Where it is smooth and ill-conditioned, ½ saves most of the steps."""
TRIALS = 25
"""Trials without enough decrease before a search has failed."""
PATIENCE = 10
"""Trials before a point with enough decrease, but still steep, will do."""
EXPAND = (2.0, 10.0)


@dataclass
class LineSearch:
    """Where each row's search along its projected path x(t) = P(x + t d) stands; every field has shape (B,).

    A search ends at the first t with enough decrease (Armijo) and a slope that has flattened (weak Wolfe). Until then
    the bracket (low, high) shrinks: low has decrease but is still steep, high lacks decrease.

    References:
        Lewis & Overton 2013, Nonsmooth optimization via quasi-Newton methods, algorithm 2.6.
    """

    step: Tensor
    low: Tensor
    high: Tensor
    f_low: Tensor
    slope_low: Tensor
    f_high: Tensor
    slope_high: Tensor
    slope: Tensor
    trials: Tensor

    @classmethod
    def start(cls, step: Tensor, f: Tensor, slope: Tensor) -> "LineSearch":
        """A search from t = 0, with value `f` and slope `slope` there, that first tries `step`."""
        zero = torch.zeros_like(f)
        infinity = torch.full_like(f, torch.inf)
        return cls(
            step=step,
            low=zero,
            high=infinity,
            f_low=f.clone(),
            slope_low=slope.clone(),
            f_high=infinity.clone(),
            slope_high=zero.clone(),
            slope=slope,
            trials=zero.clone(),
        )

    def record(self, f: Tensor, slope: Tensor, enough: Tensor, wolfe: float) -> Tensor:
        """Take in the trial at `step`; which rows are done: at most `wolfe` of their slope is left, (B,)."""
        flat = slope >= wolfe * self.slope
        raises = enough & ~flat
        self.low = torch.where(raises, self.step, self.low)
        self.f_low = torch.where(raises, f, self.f_low)
        self.slope_low = torch.where(raises, slope, self.slope_low)
        self.high = torch.where(enough, self.high, self.step)
        self.f_high = torch.where(enough, self.f_high, f)
        self.slope_high = torch.where(enough, self.slope_high, slope)
        self.trials = self.trials + 1
        return enough & flat

    def next_step(self, previous_low: Tensor, previous_slope: Tensor) -> Tensor:
        """The next trial: a cubic inside the bracket, a secant on the slope beyond it, both kept in safe limits."""
        beyond = self._expand(previous_low, previous_slope)
        return torch.where(self.high.isinf(), beyond, self._shrink())

    def _expand(self, previous_low: Tensor, previous_slope: Tensor) -> Tensor:
        gain = self.slope_low - previous_slope
        secant = self.low - self.slope_low * (self.low - previous_low) / gain
        secant = torch.where(gain > 0, secant, torch.inf)
        least = EXPAND[0] * self.low
        most = EXPAND[1] * self.low
        return torch.minimum(torch.maximum(secant, least), most)

    def _shrink(self) -> Tensor:
        width = self.high - self.low
        cubic = self._cubic(width)
        third = self.trials % 3 == 0  # a bisection now and then: a kink fools every interpolation
        share = torch.where(torch.isfinite(cubic) & ~third, cubic / width, 0.5)
        share = share.clamp(0.1, 0.9)
        share = torch.where(torch.isfinite(self.f_high), share, 0.1)
        return self.low + share * width

    def _cubic(self, width: Tensor) -> Tensor:
        """The minimiser, as a distance from low, of the cubic with the values and slopes of the bracket."""
        a = self.slope_low
        b = self.slope_high
        chord = a + b - 3 * (self.f_high - self.f_low) / width
        root = (chord**2 - a * b).sqrt()  # NaN when there is no minimiser: then bisect
        return width * (1 - (b + root - chord) / (b - a + 2 * root))
