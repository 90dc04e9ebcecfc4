"""As fast a copy of a model as can be trusted: what is rebuilt for speed has to say what the model itself says."""

from collections.abc import Callable
from contextlib import suppress

import torch
from torch import Tensor

from seatbelt_vae.attacks.evaluation import fast_copy, plain_copy
from seatbelt_vae.attacks.protocol import Attackable
from seatbelt_vae.attacks.rounding import activations_to_round, rounded
from seatbelt_vae.errors import InputError
from seatbelt_vae.optim.problem import Objective, Rounded

Pose = Callable[[Attackable, int], Objective]
"""``pose(model, pairs)``: the objective of an attack on a model, for the first so many pairs."""

SAME = 1e-3
"""Values that differ by less than this share of the largest are the same but for rounding."""


def trusted(
    model: Attackable, plain: Attackable, pose: Pose, source: Tensor, samples: int, lower: Tensor, upper: Tensor
) -> tuple[Objective, Rounded | None]:
    """The objective of a model, by the fastest copy that agrees with a plain one on two distorted images.

    A foreign model may do with its layers what a copy that was rebuilt cannot know: look at their type or weights, call
    them in another order, hang hooks on them. First a copy with rewritten convolutions is tried, with kinks that can be
    rounded off and without, then a plain one with these, and what is left is the plain one itself.

    Args:
        model: anything attackable.
        plain: its `plain_copy`.
        pose: makes the objective.
        source: images of all pairs, (P, C, H, W).
        samples: sets of random numbers a pair is evaluated with.
        lower: bounds of distortions, (P, n).
        upper: likewise.

    Raises:
        InputError: the model says different things of the same image: at another time, or in other company.
    """
    few = min(2, len(source))
    pairs = torch.tensor([0, few - 1], device=source.device)
    noise = torch.rand(2, lower.shape[1], generator=torch.Generator().manual_seed(0)).to(lower)
    way = torch.tensor([[0.25], [0.5]]).to(lower)  # to an image of noise
    d = way * (lower[pairs] + noise * (upper - lower)[pairs])
    truth = pose(plain, few)
    with torch.no_grad():
        expected = truth(d, pairs)
        check_steady(truth, d, pairs, expected)
        for copy, round_off in ((fast_copy, True), (fast_copy, False), (plain_copy, True)):
            with suppress(Exception):  # a model that objects to being rebuilt is attacked as it is
                rebuilt = copy(model)
                activations = activations_to_round(rebuilt) if round_off else []
                smooth = pose(rebuilt, few)
                if _agree(smooth, rounded(smooth, activations, source[:few], samples), d, pairs, expected):
                    break
        else:
            return pose(plain, len(source)), None
        smooth = pose(rebuilt, len(source))
        return smooth, rounded(smooth, activations, source, samples)


def check_steady(smooth: Objective, d: Tensor, pairs: Tensor, expected: Tensor) -> None:
    """Refuse an objective whose value at d (B, n) of the pairs (B,) is not a function of the row alone.

    Raises:
        InputError: it differs from `expected`, its value before, or is another one row by row.

    Example:
        >>> check_steady(lambda d, pairs: d.sum(1), torch.ones(2, 3), torch.arange(2), torch.tensor([3.0, 3.0]))
    """
    if not same(smooth(d, pairs), expected):
        raise InputError(
            "model: says something else when it is asked again; attacks need one that is a function: switch off "
            "dropout and whatever else is random, such as by model.eval()"
        )
    alone = torch.cat([smooth(d[i : i + 1], pairs[i : i + 1]) for i in range(len(d))])
    if not same(alone, expected):
        raise InputError(
            "model: what it says of an image depends on the others of the batch; attacks need rows that do not: switch "
            "off statistics over the batch, such as by model.eval()"
        )


def same(a: Tensor, b: Tensor) -> bool:
    """Whether values agree but for rounding.

    Example:
        >>> same(torch.tensor([1.0, 2.0]), torch.tensor([1.001, 2.0])), same(torch.ones(1), torch.zeros(1))
        (True, False)
    """
    largest = float(b.abs().nan_to_num(0.0, 0.0, 0.0).max())
    return torch.allclose(a, b, rtol=0.0, atol=SAME * largest, equal_nan=True)


def _agree(smooth: Objective, rough: Rounded | None, d: Tensor, pairs: Tensor, expected: Tensor) -> bool:
    """Whether an objective is as expected, and the one with rounded kinks where its width is 0."""
    if not same(smooth(d, pairs), expected):
        return False
    if rough is None:
        return True
    beside = torch.eye(2, dtype=d.dtype, device=d.device)  # each row rounded beside one that is not
    at_zero = torch.stack([rough(d, pairs, width)[1 - i] for i, width in enumerate(beside)])
    return same(at_zero.flip(0), expected)
