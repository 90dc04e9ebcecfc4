"""Gradients that are exactly 0: a model that rounds or saturates looks robust to whoever follows them."""

import warnings

import torch

from seatbelt_vae.optim.problem import Problem, value_and_gradient

FEW = 8
"""Pairs that are looked at."""


class MaskedGradient(UserWarning):
    """An attack that follows gradients has none to follow."""


def warn_of_masked(problem: Problem) -> None:
    """Warn where the objective does not change with the image at the start, though it is not 0 there.

    Example:
        >>> from seatbelt_vae.optim.problem import Box
        >>> def rounded(d, rows):
        ...     return (d - 0.7).round().square().sum(1)
        >>> x = torch.zeros(1, 2)
        >>> with warnings.catch_warnings(record=True) as said:
        ...     warn_of_masked(Problem(rounded, x, x - 1, x + 1))
        >>> print(str(said[0].message)[:61])
        attack: the gradient is 0 for 1 of 1 pairs at the start: does
    """
    start = problem.x0[:FEW]
    pairs = torch.arange(len(start), device=start.device)
    value, gradient = value_and_gradient(problem.fun, start, pairs, problem.chunk)
    masked = int(((gradient == 0).all(1) & (value != 0)).sum())
    if masked:
        warnings.warn(
            f"attack: the gradient is 0 for {masked} of {len(start)} pairs at the start: does the model round or "
            "saturate its input, or ignore it? What an attack by gradients does not find there may still be there",
            MaskedGradient,
            stacklevel=3,
        )
