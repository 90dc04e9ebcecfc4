"""As fast a copy of a model as can be trusted: what is rebuilt for speed has to say what the model itself says."""

from collections.abc import Callable
from contextlib import suppress

import torch
from torch import Tensor

from seatbelt_vae.attacks.evaluation.copies import fast_copy
from seatbelt_vae.attacks.evaluation.smoothing import SmoothedObjective, smooth
from seatbelt_vae.attacks.protocol import Attackable
from seatbelt_vae.errors import InputError
from seatbelt_vae.optim.problem import Box, Objective, Smoothed, value_and_gradient

Pose = Callable[[Attackable, int], Objective]
"""``pose(model, pairs)``: the objective of an attack on a model, for the first so many pairs."""

SAME = 1e-3
"""Values that differ by less than this share of the largest are the same but for rounding."""

STRAY = 0.05
"""Gradients whose difference is a smaller share of their length are the same: rounding may switch a ReLU."""


def verified(
    model: Attackable,
    plain: Attackable,
    pose: Pose,
    source: Tensor,
    samples: int,
    box: Box,
) -> tuple[Objective, SmoothedObjective | None]:
    """The objective of a model, by the fastest copy that agrees with a plain one on two distorted images.

    A foreign model may do with its layers what a copy that was rebuilt cannot know: look at their type or weights, call
    them in another order, hang hooks on them. Where no rebuilt copy agrees, the plain one is used.

    Args:
        model: anything attackable.
        plain: its `plain_copy`.
        pose: makes the objective.
        source: images of all pairs, (P, C, H, W).
        samples: sets of random numbers a pair is evaluated with.
        box: bounds of distortions, (P, n).

    Returns:
        The objective, and the same with smoothed kinks, or None where there is nothing to smooth.

    Raises:
        InputError: the model says different things of the same image: at another time, or in other company.
    """
    few = min(2, len(source))
    pairs = torch.tensor([0, few - 1], device=source.device)
    d = _distortions(box.rows(pairs))
    with torch.no_grad():
        truth = pose(plain, few)
        check_steady(truth, d, pairs, truth(d, pairs))
        chosen = plain
        with suppress(Exception):  # a model that objects to being rebuilt is attacked as it is
            fast = fast_copy(model)
            if _agree(pose(fast, few), truth, d, pairs):
                chosen = fast
        fun = pose(chosen, len(source))
        with suppress(Exception):
            smoothed = smooth(fun, source, samples)
            if smoothed is not None and _keeps_rows_apart(smoothed, fun, d, pairs):
                return fun, smoothed
        return fun, None


def _distortions(box: Box) -> Tensor:
    """A quarter and half of the way to images of noise, for two images."""
    noise = torch.rand(2, box.lower.shape[1], generator=torch.Generator().manual_seed(0))
    way = torch.tensor([[0.25], [0.5]]).to(box.lower)
    return way * (box.lower + noise.to(box.lower) * (box.upper - box.lower))


def check_steady(fun: Objective, d: Tensor, pairs: Tensor, expected: Tensor) -> None:
    """Refuse an objective whose value at d (B, n) of the pairs (B,) is not a function of the row alone.

    Raises:
        InputError: it differs from `expected`, its value before, or is another one row by row.

    Example:
        >>> check_steady(lambda d, pairs: d.sum(1), torch.ones(2, 3), torch.arange(2), torch.tensor([3.0, 3.0]))
    """
    if not same(fun(d, pairs), expected):
        raise InputError(
            "model: says something else when it is asked again; attacks need one that is a function: switch off "
            "dropout and whatever else is random, such as by model.eval()"
        )
    alone = torch.cat([fun(d[i : i + 1], pairs[i : i + 1]) for i in range(len(d))])
    if not same(alone, expected):
        raise InputError(
            "model: what it says of an image depends on the others of the batch; attacks need rows that do not: switch "
            "off statistics over the batch, such as by model.eval()"
        )


def same(a: Tensor, b: Tensor) -> bool:
    """Whether values agree but for rounding."""
    largest = float(b.abs().nan_to_num(0.0, 0.0, 0.0).max())
    return torch.allclose(a, b, rtol=0.0, atol=SAME * largest, equal_nan=True)


def _agree(fun: Objective, truth: Objective, d: Tensor, pairs: Tensor) -> bool:
    """Whether an objective has the values and gradients of another; the gradient of one image at a time."""
    value, gradient = value_and_gradient(fun, d, pairs, chunk=1)
    expected, direction = value_and_gradient(truth, d, pairs, chunk=1)
    stray = torch.linalg.vector_norm(gradient - direction, dim=1)
    near = stray <= STRAY * torch.linalg.vector_norm(direction, dim=1)
    together = fun(d, pairs).to(expected)
    return same(together, expected) and same(value, expected) and bool(near.all())


def _keeps_rows_apart(smoothed: Smoothed, fun: Objective, d: Tensor, pairs: Tensor) -> bool:
    """Whether a row whose width is 0 has the value of the objective beside one that is smoothed."""
    widths = torch.eye(2, dtype=d.dtype, device=d.device)
    first = smoothed(d, pairs, widths[1])[0]
    second = smoothed(d, pairs, widths[0])[1]
    return same(torch.stack([first, second]), fun(d, pairs))
