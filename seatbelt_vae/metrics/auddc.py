"""AUDDC: one number for the whole distortion–distortion curve of an attack."""

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError

AUDDC_RANGE = (0.0, 1.0)
"""Where it, and so its mean, can lie."""


def auddc(distortion: Tensor, source_target_distance: Tensor, success: Tensor, *, from_origin: bool = False) -> Tensor:
    r"""Area under the distortion–distortion curve, in [0, 1]: higher is more robust. No unit.

    Each attack of the λ grid is a point: abscissa :math:`\|d\| / \|x - x_t\|`, ordinate :math:`1 - s` cut to
    [0, 1]. Points beyond abscissa 1 are left out; the rest are sorted by abscissa, (max x, min y) and (1, min y) are
    appended, and the trapezoid rule is taken. Where no attack is left inside, nothing was gained and the area is 1.

    As published, the area left of the first point counts as 0; grids such as the paper's begin at ‖d‖ ≈ 0, where
    that is nothing. For a grid that starts later, `from_origin` adds the point (0, 1): no distortion, no success.

    Args:
        distortion: ‖d‖ in the data's units, shape (…, K) over the λ grid.
        source_target_distance: ‖x − x_t‖ in the same units, shape (…).
        success: s of :func:`seatbelt_vae.metrics.attack_success`, shape (…, K).
        from_origin: start the curve at (0, 1).

    Returns:
        Shape (…).

    Raises:
        InputError: a distance is not positive, or a value is NaN.

    References:
        Gondim-Ribeiro, Tabacof & Valle 2018, Adversarial Attacks on Variational Autoencoders, section 4.

    Example:
        >>> auddc(torch.tensor([0.0, 1.0, 2.0]), torch.tensor(4.0), torch.tensor([0.0, 0.5, 1.0]))
        tensor(0.2500)
    """
    if not (source_target_distance > 0).all():
        raise InputError("source_target_distance: must be positive; source and target are the same image")
    x = distortion / source_target_distance.unsqueeze(-1)
    y = (1 - success).clamp(0, 1)
    if x.isnan().any() or y.isnan().any():
        raise InputError("distortion or success: NaN; give finite values")
    inside = x <= 1
    last_x = x.masked_fill(~inside, 0.0).amax(-1, keepdim=True)
    lowest_y = y.masked_fill(~inside, 1.0).amin(-1, keepdim=True)
    # A point outside is laid on (max x, min y), where it adds no area.
    x, y = _sorted(torch.where(inside, x, last_x), torch.where(inside, y, lowest_y))
    if from_origin:
        x, y = torch.cat([torch.zeros_like(last_x), x], -1), torch.cat([torch.ones_like(lowest_y), y], -1)
    x = torch.cat([x, last_x, torch.ones_like(last_x)], -1)
    y = torch.cat([y, lowest_y, lowest_y], -1)
    return torch.trapezoid(y, x, dim=-1).clamp(0, 1)


def _sorted(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """By abscissa, and the higher ordinate first where abscissas tie: the curve falls."""
    order = y.argsort(dim=-1, descending=True, stable=True)
    x, y = x.gather(-1, order), y.gather(-1, order)
    order = x.argsort(dim=-1, stable=True)
    return x.gather(-1, order), y.gather(-1, order)
