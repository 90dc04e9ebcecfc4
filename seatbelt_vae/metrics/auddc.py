"""AUDDC: one number for the distortion–distortion curve of an attack, and that curve itself."""

import torch
from torch import Tensor

from seatbelt_vae.errors import InputError

AUDDC_RANGE = (0.0, 1.0)
"""Where it, and so its mean, can lie."""


def auddc(relative_distortion: Tensor, success: Tensor, *, from_origin: bool = True) -> Tensor:
    r"""Area under the distortion–distortion curve, in [0, 1]: higher is more robust. No unit.

    The trapezoid rule over exactly the points of `distortion_curve`. Where no attack is left inside, nothing was
    gained and the area is 1.

    Args:
        relative_distortion: :math:`\|d\| / \|x - x_t\|` over the λ grid, shape (…, K).
        success: s of :func:`seatbelt_vae.metrics.attack_success`, shape (…, K).
        from_origin: start the curve at (0, 1): no distortion, no success. False is the area as published, where
            what lies left of the first point counts 0. For grids that begin at ‖d‖ ≈ 0 the two agree.

    Returns:
        Shape (…).

    Raises:
        InputError: the shapes differ, or a value is NaN.

    References:
        Gondim-Ribeiro, Tabacof & Valle 2018, Adversarial Attacks on Variational Autoencoders, section 4.

    Example:
        >>> auddc(torch.tensor([0.0, 0.25, 0.5]), torch.tensor([0.0, 0.5, 1.0]))
        tensor(0.2500)
    """
    x, y = distortion_curve(relative_distortion, success, from_origin=from_origin)
    return torch.trapezoid(y, x, dim=-1).clamp(0, 1)


def distortion_curve(
    relative_distortion: Tensor,
    success: Tensor,
    *,
    from_origin: bool = True,
) -> tuple[Tensor, Tensor]:
    r"""The points of the distortion–distortion curve, from left to right.

    Each attack of the λ grid is a point: abscissa :math:`\|d\| / \|x - x_t\|`, ordinate :math:`1 - s` cut to
    [0, 1]. Points beyond abscissa 1 are left out. The rest are sorted by abscissa, the higher first where abscissas
    tie, between (0, 1) and (max x, min y), (1, min y).

    Args:
        relative_distortion: shape (…, K).
        success: shape (…, K).
        from_origin: begin with the point (0, 1).

    Returns:
        Abscissas and ordinates, each (…, K + 3), or (…, K + 2) without the origin. A point that is left out is laid
        on (max x, min y), where it adds no area.

    Raises:
        InputError: the shapes differ, or a value is NaN.

    Example:
        >>> distortion_curve(torch.tensor([0.5]), torch.tensor([0.75]))
        (tensor([0.0000, 0.5000, 0.5000, 1.0000]), tensor([1.0000, 0.2500, 0.2500, 0.2500]))
    """
    check_curve(relative_distortion, success)
    inside = relative_distortion <= 1
    loss = (1 - success).clamp(0, 1)
    last = relative_distortion.masked_fill(~inside, 0.0).amax(-1, keepdim=True)
    lowest = loss.masked_fill(~inside, 1.0).amin(-1, keepdim=True)
    x, y = _sorted(
        torch.where(inside, relative_distortion, last),
        torch.where(inside, loss, lowest),
    )
    x = torch.cat([x, last, torch.ones_like(last)], -1)
    y = torch.cat([y, lowest, lowest], -1)
    if from_origin:
        x = torch.cat([torch.zeros_like(last), x], -1)
        y = torch.cat([torch.ones_like(lowest), y], -1)
    return x, y


def curve_at(relative_distortion: Tensor, success: Tensor, at: Tensor) -> Tensor:
    """The curve that begins at (0, 1), at given abscissas: what a chart draws, and `auddc` is the area of.

    Args:
        relative_distortion: shape (…, K).
        success: shape (…, K).
        at: abscissas in [0, 1], shape (N,).

    Returns:
        1 − s by linear interpolation, shape (…, N).

    Raises:
        InputError: the shapes differ, or a value is NaN.

    Example:
        >>> curve_at(torch.tensor([0.5]), torch.tensor([1.0]), torch.tensor([0.0, 0.25, 1.0]))
        tensor([1.0000, 0.5000, 0.0000])
    """
    x, y = distortion_curve(relative_distortion, success)
    return interpolate(x, y, at)


def interpolate(x: Tensor, y: Tensor, at: Tensor) -> Tensor:
    """Values at `at` (N,) of the broken lines through (x, y), each (…, K) with x ascending: (…, N).

    At an abscissa that several points share, the value is that of the last of them.

    Example:
        >>> interpolate(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 3.0]), torch.tensor([0.5]))
        tensor([2.])
    """
    at = at.to(x).expand(*x.shape[:-1], len(at)).contiguous()
    right = torch.searchsorted(x.contiguous(), at, right=True).clamp(1, x.shape[-1] - 1)
    x0 = x.gather(-1, right - 1)
    y0 = y.gather(-1, right - 1)
    x1 = x.gather(-1, right)
    y1 = y.gather(-1, right)
    slope = (y1 - y0) / (x1 - x0)
    between = torch.where(at > x0, slope * (at - x0) + y0, y0)
    return torch.where(x1 > x0, between, y1)


def check_curve(relative_distortion: Tensor, success: Tensor) -> None:
    """Refuse what is no curve over a λ grid.

    Raises:
        InputError: the shapes differ, there is no point, or a value is NaN.
    """
    shape = relative_distortion.shape
    if shape != success.shape or shape[-1:] in ((), (0,)):
        raise InputError(
            f"distortion of shape {tuple(shape)} and success of shape {tuple(success.shape)}; "
            "expected (..., K) of one shape, K at least 1"
        )
    if relative_distortion.isnan().any() or success.isnan().any():
        raise InputError("distortion or success: NaN; give finite values")


def _sorted(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """By abscissa, and the higher ordinate first where abscissas tie: the curve falls."""
    order = y.argsort(dim=-1, descending=True, stable=True)
    x = x.gather(-1, order)
    y = y.gather(-1, order)
    order = x.argsort(dim=-1, stable=True)
    return x.gather(-1, order), y.gather(-1, order)
