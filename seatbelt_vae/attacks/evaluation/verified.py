"""As fast a copy of a model as can be trusted: what is rebuilt for speed has to say what the model itself says."""

from collections.abc import Callable
from contextlib import suppress

import torch
from torch import Tensor

from seatbelt_vae.attacks.evaluation.copies import fast_copy, plain_copy
from seatbelt_vae.attacks.evaluation.smoothing import SmoothedReLU, replace_activations, smooth
from seatbelt_vae.attacks.protocol import Attackable
from seatbelt_vae.errors import InputError
from seatbelt_vae.optim.problem import Box, Objective, Smoothed

Pose = Callable[[Attackable, int], Objective]
"""``pose(model, pairs)``: the objective of an attack on a model, for the first so many pairs."""

SAME = 1e-3
"""Values that differ by less than this share of the largest are the same but for rounding."""

COPIES = ((fast_copy, True), (fast_copy, False), (plain_copy, True))
"""What is tried, the fastest first: a kind of copy, and whether the kinks of its activations can be smoothed."""


def verified(
    model: Attackable,
    plain: Attackable,
    pose: Pose,
    source: Tensor,
    samples: int,
    box: Box,
) -> tuple[Objective, Smoothed | None]:
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
    truth = pose(plain, few)
    with torch.no_grad():
        expected = truth(d, pairs)
        check_steady(truth, d, pairs, expected)
        for copy, smooths in COPIES:
            with suppress(Exception):  # a model that objects to being rebuilt is attacked as it is
                rebuilt = copy(model)
                activations: list[SmoothedReLU] = []
                if smooths:
                    activations = replace_activations(rebuilt)
                fun = pose(rebuilt, few)
                if _agree(fun, smooth(fun, activations, source[:few], samples), d, pairs, expected):
                    break
        else:
            return pose(plain, len(source)), None
        fun = pose(rebuilt, len(source))
        return fun, smooth(fun, activations, source, samples)


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


def _agree(
    fun: Objective,
    smoothed: Smoothed | None,
    d: Tensor,
    pairs: Tensor,
    expected: Tensor,
) -> bool:
    """Whether an objective is as expected, and the one with smoothed kinks where its width is 0."""
    if not same(fun(d, pairs), expected):
        return False
    if smoothed is None:
        return True
    widths = torch.eye(2, dtype=d.dtype, device=d.device)  # each row smoothed beside one that is not
    first = smoothed(d, pairs, widths[1])[0]
    second = smoothed(d, pairs, widths[0])[1]
    return same(torch.stack([first, second]), expected)
