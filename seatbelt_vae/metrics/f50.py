"""f50: how far an attack must distort an image to get half of what it wants."""

import math

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.auddc import check_curve

F50_RANGE = (0.0, math.inf)
"""Where it can lie; infinite where success ½ is never reached."""


def f50(relative_distortion: Tensor, success: Tensor) -> Tensor:
    """Smallest relative distortion at which success reaches ½: higher is more robust. No unit, shape (…).

    Args:
        relative_distortion: ‖d‖/‖x − x_t‖ over the λ grid, shape (…, K).
        success: s of :func:`seatbelt_vae.metrics.attack_success`, shape (…, K).

    Raises:
        InputError: the shapes differ, or a value is NaN.

    Example:
        >>> f50(torch.tensor([0.2, 0.6]), torch.tensor([0.25, 0.75]))
        tensor(0.4000)
    """
    return distortion_at(relative_distortion, success, level=0.5)


def distortion_at(relative_distortion: Tensor, success: Tensor, level: float = 0.5) -> Tensor:
    """Smallest relative distortion at which success reaches a level, by linear interpolation of the envelope.

    The envelope is the best success within a distortion: the running maximum over sorted distortion, from (0, 0).

    Args:
        relative_distortion: ‖d‖/‖x − x_t‖ over the λ grid, shape (…, K).
        success: s over the λ grid, shape (…, K).
        level: of success, above 0.

    Returns:
        Shape (…); infinite where the level is never reached.

    Raises:
        InputError: the shapes differ, a value is NaN, or `level` is not above 0.

    Example:
        >>> distortion_at(torch.tensor([0.1, 0.4]), torch.tensor([0.3, 0.2]), level=0.9)
        tensor(inf)
    """
    check_curve(relative_distortion, success)
    if not level > 0:
        raise InputError(f"level: {level} is not above 0; success 0 needs no distortion")
    x, order = relative_distortion.sort(dim=-1, stable=True)
    y = success.gather(-1, order)
    origin = torch.zeros_like(x[..., :1])
    x = torch.cat([origin, x], -1)
    y = torch.cat([origin, y], -1).cummax(-1).values
    below = (y < level).sum(-1, keepdim=True)
    reached = below < x.shape[-1]
    right = below.clamp(max=x.shape[-1] - 1)
    x0 = x.gather(-1, right - 1)
    y0 = y.gather(-1, right - 1)
    rise = y.gather(-1, right) - y0
    share = (level - y0) / rise.masked_fill(~reached, 1.0)
    found = x0 + share * (x.gather(-1, right) - x0)
    return found.masked_fill(~reached, math.inf).squeeze(-1)
