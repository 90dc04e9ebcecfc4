"""How sure a mean is when the same pairs of images were measured on several trainings: both vary, and both count."""

import math

from scipy import stats
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.statistics import Interval, bootstrap_interval


def crossed_interval(values: Tensor, *, level: float = 0.95) -> Interval:
    r"""Interval for the mean over training seeds *and* image pairs, each seed measured on all of the pairs.

    .. math:: \bar v \pm t_\nu \sqrt{a + b}, \quad a = s^2_{\bar v_{s\cdot}} / S, \quad b = s^2_{\bar v_{\cdot p}} / P,
        \quad \nu = \frac{(a + b)^2}{a^2 / (S - 1) + b^2 / (P - 1)}

    The variance of the mean of a two-way table with random rows and columns; the interaction enters both parts, which
    errs on the safe side. ν is Welch and Satterthwaite's. With one seed the interval is over pairs alone, with one
    column (what has no pairs, such as an ELBO) over seeds alone.

    Args:
        values: seeds × pairs, (S, P), in any unit. To compare two models give their differences, of the same seeds and
            pairs.
        level: the share of experiments in which the interval should hold the truth.

    Returns:
        The mean and its interval, in the unit of the values; of a single number the ends are NaN.

    Raises:
        InputError: there is no value, or one is not finite.

    References:
        Satterthwaite 1946, An approximate distribution of estimates of variance components; Owen 2007, The pigeonhole
        bootstrap (on why pairs alone are not enough).

    Example:
        >>> import torch
        >>> crossed_interval(torch.tensor([[1.0, 2.0], [3.0, 4.0]])).value
        2.5
    """
    if values.dim() != 2 or not values.numel():
        raise InputError(f"values: shape {tuple(values.shape)}, must be (seeds, pairs) with one of each at least")
    if not bool(values.isfinite().all()):
        raise InputError("values: not all are finite")
    values = values.double()
    seeds, pairs = values.shape
    if seeds == 1 or pairs == 1:
        return bootstrap_interval(values.flatten(), level=level)
    mean = float(values.mean())
    a, b = float(values.mean(1).var()) / seeds, float(values.mean(0).var()) / pairs
    if a + b == 0:
        return Interval(mean, mean, mean)
    freedom = (a + b) ** 2 / (a**2 / (seeds - 1) + b**2 / (pairs - 1))
    half = float(stats.t.ppf((1 + level) / 2, freedom)) * math.sqrt(a + b)
    return Interval(mean, mean - half, mean + half)
