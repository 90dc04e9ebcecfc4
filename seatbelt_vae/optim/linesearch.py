"""A line search whose every row is in its own phase: bracket, expand or shrink, one trial a turn."""

from dataclasses import dataclass

import numpy as np

from seatbelt_vae.optim.host import Floats, Marks

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

    step: Floats
    low: Floats
    high: Floats
    f_low: Floats
    slope_low: Floats
    f_high: Floats
    slope_high: Floats
    slope: Floats
    trials: Floats

    @classmethod
    def start(cls, step: Floats, f: Floats, slope: Floats) -> "LineSearch":
        """A search from t = 0, with value `f` and slope `slope` there, that first tries `step`."""
        zero = np.zeros_like(f)
        infinity = np.full_like(f, np.inf)
        return cls(
            step=step,
            low=zero,
            high=infinity,
            f_low=f,
            slope_low=slope,
            f_high=infinity,
            slope_high=zero,
            slope=slope,
            trials=zero,
        )

    def record(self, f: Floats, slope: Floats, enough: Marks, wolfe: float) -> Marks:
        """Take in the trial at `step`; which rows are done: at most `wolfe` of their slope is left, (B,)."""
        flat = slope >= wolfe * self.slope
        raises = enough & ~flat
        self.low = np.where(raises, self.step, self.low)
        self.f_low = np.where(raises, f, self.f_low)
        self.slope_low = np.where(raises, slope, self.slope_low)
        self.high = np.where(enough, self.high, self.step)
        self.f_high = np.where(enough, self.f_high, f)
        self.slope_high = np.where(enough, self.slope_high, slope)
        self.trials = self.trials + 1
        return enough & flat

    def next_step(self, previous_low: Floats, previous_slope: Floats) -> Floats:
        """The next trial: a cubic inside the bracket, a secant on the slope beyond it, both kept in safe limits."""
        beyond = self._expand(previous_low, previous_slope)
        return np.where(np.isinf(self.high), beyond, self._shrink())

    def _expand(self, previous_low: Floats, previous_slope: Floats) -> Floats:
        gain = self.slope_low - previous_slope
        secant = self.low - self.slope_low * (self.low - previous_low) / gain
        secant = np.where(gain > 0, secant, np.inf)
        least = EXPAND[0] * self.low
        most = EXPAND[1] * self.low
        return np.minimum(np.maximum(secant, least), most)

    def _shrink(self) -> Floats:
        width = self.high - self.low
        cubic = self._cubic(width)
        third = self.trials % 3 == 0  # a bisection now and then: a kink fools every interpolation
        share = np.where(np.isfinite(cubic) & ~third, cubic / width, 0.5)
        share = share.clip(0.1, 0.9)
        share = np.where(np.isfinite(self.f_high), share, 0.1)
        return self.low + share * width

    def _cubic(self, width: Floats) -> Floats:
        """The minimiser, as a distance from low, of the cubic with the values and slopes of the bracket."""
        a = self.slope_low
        b = self.slope_high
        chord = a + b - 3 * (self.f_high - self.f_low) / width
        root = np.sqrt(chord**2 - a * b)  # NaN when there is no minimiser: then bisect
        return width * (1 - (b + root - chord) / (b - a + 2 * root))
