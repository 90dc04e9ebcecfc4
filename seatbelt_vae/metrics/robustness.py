r"""What an attack gained: reconstructions measured against the target, comparable across models.

Δ itself depends on the scale of the latent space; these do not. All distances are un-squared L2 norms over the
whole image.
"""

import math

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError

MINIMUM_GAP = 0.01
"""Share of ‖rec(x) − x_t‖ that the way to rec(x_t) must make up for success to mean anything."""

SUCCESS_RANGE = (0.0, math.inf)
"""Where the best success within a budget, and so its mean, can lie: not attacking is within every budget."""


def attack_success(
    adversarial_reconstruction: Tensor,
    source_reconstruction: Tensor,
    target_reconstruction: Tensor,
    target: Tensor,
) -> Tensor:
    r"""How far the attack moved the reconstruction towards the target: lower is more robust. No unit.

    .. math:: s = 1 - \frac{\|rec(x^*) - x_t\| - \|rec(x_t) - x_t\|}{\|rec(x) - x_t\| - \|rec(x_t) - x_t\|}

    0: nothing gained; 1: as good as encoding the target itself; negative: pushed away from it. Where success is not
    defined there is nothing to gain, and s is 0 at every λ: see `success_is_defined`.

    Args:
        adversarial_reconstruction: rec(x*), shape (P, …, C, H, W); any axes, such as λ, after the pairs.
        source_reconstruction: rec(x), shape (P, C, H, W).
        target_reconstruction: rec(x_t), shape (P, C, H, W).
        target: x_t, shape (P, C, H, W).

    Returns:
        s, shape (P, …).

    Raises:
        InputError: the shapes do not belong together.

    Example:
        >>> zero, one = torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2)
        >>> attack_success(0.25 * one, source_reconstruction=zero, target_reconstruction=one, target=one)
        tensor([0.2500])
    """
    reached = distance(adversarial_reconstruction, target)
    best = distance(target_reconstruction, target)
    clean = distance(source_reconstruction, target)
    defined = clean - best > MINIMUM_GAP * clean
    gap = torch.where(defined, clean - best, 1.0)
    gained = with_axes_of(clean, reached) - reached
    success = gained / with_axes_of(gap, reached)  # equal to the formula, exact at s = 0
    return torch.where(with_axes_of(defined, reached), success, 0.0)


def success_is_defined(
    source_reconstruction: Tensor,
    target_reconstruction: Tensor,
    target: Tensor,
    minimum_gap: float = MINIMUM_GAP,
) -> Tensor:
    """Whether encoding the target brings the reconstruction nearer to it at all: bool, shape (P,).

    It does not where a posterior has collapsed. Leave such pairs out of averages, or count them beside.

    Args:
        source_reconstruction: rec(x), shape (P, C, H, W).
        target_reconstruction: rec(x_t), shape (P, C, H, W).
        target: x_t, shape (P, C, H, W).
        minimum_gap: smallest ‖rec(x) − x_t‖ − ‖rec(x_t) − x_t‖ that counts, as a share of ‖rec(x) − x_t‖.

    Example:
        >>> zero, one = torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2)
        >>> success_is_defined(zero, zero, one), success_is_defined(zero, one, one)
        (tensor([False]), tensor([True]))
    """
    clean = distance(source_reconstruction, target)
    best = distance(target_reconstruction, target)
    return clean - best > minimum_gap * clean


def relative_distortion(distortion: Tensor, source: Tensor, target: Tensor) -> Tensor:
    """‖d‖/‖x − x_t‖: 1 is as far as replacing the source by the target. No unit, shape (P, …).

    Args:
        distortion: ‖d‖, shape (P, …).
        source: x, shape (P, C, H, W).
        target: x_t, shape (P, C, H, W).

    Raises:
        InputError: the source of a pair is its target.

    Example:
        >>> relative_distortion(torch.ones(1, 3), torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2))
        tensor([[0.5000, 0.5000, 0.5000]])
    """
    apart = distance(source, target)
    same = apart == 0
    if same.any():
        raise InputError(f"pair {int(same.nonzero()[0])}: source and target are the same image")
    return distortion / with_axes_of(apart, distortion)


def success_at(relative_distortion: Tensor, success: Tensor, at: float) -> Tensor:
    """The best success within a budget of relative distortion: lower is more robust. No unit.

    Not attacking is within every budget, so the value is never below 0.

    Args:
        relative_distortion: ‖d‖/‖x − x_t‖ along the λ grid, shape (…, K).
        success: s along the λ grid, shape (…, K).
        at: the budget, for example 0.3 or 0.5.

    Returns:
        Shape (…).

    Example:
        >>> success_at(torch.tensor([0.1, 0.3, 0.6]), torch.tensor([0.2, 0.5, 0.9]), at=0.3)
        tensor(0.5000)
    """
    within = success.masked_fill(relative_distortion > at, 0.0)
    return within.amax(-1).clamp(min=0.0)


def distance(images: Tensor, reference: Tensor) -> Tensor:
    """‖images − reference‖ over the whole image, in the data's units.

    Args:
        images: shape (P, …, C, H, W).
        reference: shape (P, C, H, W); (P, C, D, H, W) of volumes, (P, C, T) of signals.

    Returns:
        Shape (P, …).

    Raises:
        InputError: the shapes do not match.

    Example:
        >>> distance(torch.ones(1, 3, 1, 2, 2), torch.zeros(1, 1, 2, 2))
        tensor([[2., 2., 2.]])
    """
    extra = images.dim() - reference.dim()
    matched = images.shape[:1] + images.shape[1 + extra :] == reference.shape
    if reference.dim() < 2 or extra < 0 or not matched:
        raise InputError(
            f"images of shape {tuple(images.shape)} do not match {tuple(reference.shape)}; "
            "expected (P, ..., C, H, W) and (P, C, H, W)"
        )
    for _ in range(extra):
        reference = reference.unsqueeze(1)
    norm: Tensor = torch.linalg.vector_norm((images - reference).flatten(1 + extra), dim=-1)
    return norm


def with_axes_of(numbers: Tensor, values: Tensor) -> Tensor:
    """Numbers (P,) or (P, K), with axes added until they go with values (P, …) or (P, K, …).

    Example:
        >>> with_axes_of(torch.zeros(2, 3), torch.zeros(2, 3, 1, 8, 8)).shape
        torch.Size([2, 3, 1, 1, 1])
    """
    return numbers.view(*numbers.shape, *[1] * (values.dim() - numbers.dim()))
