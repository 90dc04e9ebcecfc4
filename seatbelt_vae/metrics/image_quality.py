"""How close images are to the eye: MSE, PSNR and MS-SSIM, one number per image."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from seatbelt_vae.errors import InputError

SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Published weights of the five scales, fine to coarse."""
WINDOW = 11
SIGMA = 1.5
K1 = 0.01
K2 = 0.03


def mse(images: Tensor, reference: Tensor) -> Tensor:
    """Mean squared error per image, (B,), in squared units of the data; lower is closer.

    Example:
        >>> mse(torch.zeros(1, 1, 2, 2), torch.full((1, 1, 2, 2), 0.5))
        tensor([0.2500])
    """
    _check(images, reference)
    return (images - reference).square().flatten(1).mean(1)


def psnr(images: Tensor, reference: Tensor, data_range: float = 1.0) -> Tensor:
    """Peak signal-to-noise ratio per image, (B,), in decibels; higher is closer, infinite for equal images.

    Args:
        images: (B, C, H, W).
        reference: (B, C, H, W).
        data_range: width of the data's bounds, 2 for [−1, 1].

    Example:
        >>> psnr(torch.zeros(1, 1, 2, 2), torch.full((1, 1, 2, 2), 0.1))
        tensor([20.])
    """
    return 20 * math.log10(data_range) - 10 * mse(images, reference).log10()


def ms_ssim(images: Tensor, reference: Tensor, data_range: float = 1.0) -> Tensor:
    r"""Multi-scale structural similarity per image: at most 1 (equal images), higher is closer. No unit.

    .. math:: l_M^{w_M} \prod_{j=1}^{M} cs_j^{w_j}

    Windows are Gaussian, 11 × 11, σ = 1.5, and lie inside the image; each scale is half of the one before (2 × 2
    means); channels are averaged; a negative contrast–structure term counts as 0.

    Small images: the five published scales need a side of 176. Below that, as many scales are used as leave the
    coarsest at least as large as the window, and their weights are rescaled to sum to 1: 3 scales at 64, 2 at 32
    and 28, 1 (plain SSIM) under 22. Under 11 the window shrinks to the image. So values compare at one size only.

    Args:
        images: (B, C, H, W).
        reference: (B, C, H, W).
        data_range: width of the data's bounds, 2 for [−1, 1].

    Returns:
        Shape (B,).

    Raises:
        InputError: the two are not (B, C, H, W) of one shape.

    References:
        Wang, Simoncelli & Bovik 2003, Multiscale Structural Similarity for Image Quality Assessment.

    Example:
        >>> x = torch.rand(2, 3, 32, 32)
        >>> ms_ssim(x, x)
        tensor([1., 1.])
    """
    _check(images, reference)
    scales = scales_of(min(images.shape[-2:]))
    weights = torch.tensor(SCALE_WEIGHTS[:scales]).to(images)
    *finer, coarsest = weights / weights.sum()
    value = torch.ones(images.shape[:2]).to(images)
    for weight in finer:
        _, contrast_structure = _ssim(images, reference, data_range)
        value = value * contrast_structure.clamp(min=0) ** weight
        images = F.avg_pool2d(images, 2)
        reference = F.avg_pool2d(reference, 2)
    similarity, _ = _ssim(images, reference, data_range)
    value = value * similarity.clamp(min=0) ** coarsest
    return value.mean(1)


def scales_of(side: int) -> int:
    """How many of the five scales an image whose shorter side is this takes.

    Example:
        >>> [scales_of(side) for side in (8, 28, 32, 64, 128, 176)]
        [1, 2, 2, 3, 4, 5]
    """
    scales = 1
    while scales < len(SCALE_WEIGHTS) and side // 2**scales >= WINDOW:
        scales += 1
    return scales


def _ssim(x: Tensor, y: Tensor, data_range: float) -> tuple[Tensor, Tensor]:
    """Mean SSIM and mean contrast–structure term per image and channel, each (B, C)."""
    c1 = (K1 * data_range) ** 2
    c2 = (K2 * data_range) ** 2
    mean_x = _blur(x)
    mean_y = _blur(y)
    variance_x = _blur(x * x) - mean_x.square()
    variance_y = _blur(y * y) - mean_y.square()
    covariance = _blur(x * y) - mean_x * mean_y
    contrast_structure = (2 * covariance + c2) / (variance_x + variance_y + c2)
    luminance = (2 * mean_x * mean_y + c1) / (mean_x.square() + mean_y.square() + c1)
    similarity = luminance * contrast_structure
    return similarity.mean((-2, -1)), contrast_structure.mean((-2, -1))


def _blur(x: Tensor) -> Tensor:
    """Gaussian mean over every window that lies inside the image, rows then columns."""
    for axis in (-2, -1):
        size = min(WINDOW, x.shape[axis])
        offset = torch.arange(size).to(x) - (size - 1) / 2
        kernel = (-0.5 * (offset / SIGMA).square()).exp()
        x = x.unfold(axis, size, 1) @ (kernel / kernel.sum())
    return x


def _check(images: Tensor, reference: Tensor) -> None:
    if images.dim() != 4 or images.shape != reference.shape:
        raise InputError(
            f"images of shape {tuple(images.shape)} and {tuple(reference.shape)}; expected (B, C, H, W) of one shape"
        )
