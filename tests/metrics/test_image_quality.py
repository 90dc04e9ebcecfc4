import math

import numpy as np
import pytest
import torch

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.image_quality import SCALE_WEIGHTS, ms_ssim, mse, psnr, scales_of


def images(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def plain_ssim(x, y, data_range=1.0):
    """One window at a time, straight from the definition: mean SSIM and mean contrast-structure."""
    offset = np.arange(11) - 5.0
    window = np.exp(-(offset[:, None] ** 2 + offset**2) / (2 * 1.5**2))
    window /= window.sum()
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    full, structure = [], []
    for i in range(x.shape[0] - 10):
        for j in range(x.shape[1] - 10):
            a, b = x[i : i + 11, j : j + 11], y[i : i + 11, j : j + 11]
            ma, mb = (window * a).sum(), (window * b).sum()
            va, vb = (window * (a - ma) ** 2).sum(), (window * (b - mb) ** 2).sum()
            cs = (2 * (window * (a - ma) * (b - mb)).sum() + c2) / (va + vb + c2)
            structure.append(cs)
            full.append(cs * (2 * ma * mb + c1) / (ma**2 + mb**2 + c1))
    return np.mean(full), np.mean(structure)


def picture(k, side=21):
    """Waves with a known formula, so that another library can be given the same image."""
    v, u = np.meshgrid(np.arange(side), np.arange(side), indexing="ij")
    slow = 0.5 + 0.3 * np.sin((0.11 + 0.07 * k) * u + 0.4 * k) * np.cos((0.23 - 0.05 * k) * v)
    return slow + 0.15 * np.sin(0.9 * u * (k + 1) / 3 + 0.7 * v)


@pytest.mark.parametrize(("k", "expected"), [(0, 0.686626795517181), (1, 0.7119837343424541), (2, 0.7296071364351262)])
def test_one_scale_against_scikit_image(k, expected):
    # scikit-image 0.26.0: structural_similarity(x, y, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
    # data_range=1.0). It has no multi-scale form, and an image of side 21 has one scale.
    x = picture(k)
    y = np.clip(0.8 * x + 0.1 + 0.12 * np.sin(1.3 * np.arange(21) * (k + 1))[None], 0, 1)
    ours = ms_ssim(torch.from_numpy(x)[None, None], torch.from_numpy(y)[None, None])
    assert ours.item() == pytest.approx(expected, rel=1e-9)


def halved(x):
    x = x[: len(x) // 2 * 2, : len(x) // 2 * 2]  # an odd last row or column is dropped
    return (x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2]) / 4


@pytest.mark.parametrize(("side", "data_range"), [(16, 1.0), (32, 1.0), (32, 2.0), (44, 1.0)])
def test_ms_ssim_against_the_definition(side, data_range):
    x = images(2, 1, side, side) * data_range
    y = (x + 0.2 * data_range * (images(2, 1, side, side, seed=1) - 0.4)).clamp(0, data_range)
    weights = np.array(SCALE_WEIGHTS[: scales_of(side)]) / sum(SCALE_WEIGHTS[: scales_of(side)])
    for ours, a, b in zip(ms_ssim(x, y, data_range), x[:, 0].numpy(), y[:, 0].numpy(), strict=True):
        expected = 1.0
        for scale, weight in enumerate(weights):
            similarity, structure = plain_ssim(a, b, data_range)
            expected *= (similarity if scale == len(weights) - 1 else structure) ** weight
            a, b = halved(a), halved(b)
        assert ours.item() == pytest.approx(expected)


def test_constant_images_in_closed_form():
    a, b = torch.full((1, 3, 64, 64), 0.3, dtype=torch.float64), torch.full((1, 3, 64, 64), 0.6, dtype=torch.float64)
    luminance = (2 * 0.3 * 0.6 + 1e-4) / (0.09 + 0.36 + 1e-4)
    weight = SCALE_WEIGHTS[2] / sum(SCALE_WEIGHTS[:3])
    assert ms_ssim(a, b).item() == pytest.approx(luminance**weight, rel=1e-6)


@pytest.mark.parametrize("side", [5, 11, 28, 64, 176])
def test_equal_images_score_one_and_others_less(side):
    x, y = images(2, 3, side, side), images(2, 3, side, side, seed=1)
    torch.testing.assert_close(ms_ssim(x, x), torch.ones(2, dtype=torch.float64))
    torch.testing.assert_close(ms_ssim(x, y), ms_ssim(y, x))
    assert (ms_ssim(x, y) < 0.5).all()
    assert ms_ssim(x.float(), y.float()).numpy() == pytest.approx(ms_ssim(x, y).numpy(), abs=1e-3)


def test_inverted_images_are_zero_not_nan():
    x = images(1, 1, 64, 64)
    assert ms_ssim(x, 1 - x).item() == 0.0


def test_colour_is_the_mean_of_its_channels():
    x, y = images(2, 3, 32, 32), images(2, 3, 32, 32, seed=1) * 0.3 + images(2, 3, 32, 32) * 0.7
    channels = torch.stack([ms_ssim(x[:, [c]], y[:, [c]]) for c in range(3)])
    torch.testing.assert_close(ms_ssim(x, y), channels.mean(0))


def test_mse_and_psnr():
    x, y = images(3, 2, 4, 4), images(3, 2, 4, 4, seed=1)
    expected = ((x - y).numpy() ** 2).reshape(3, -1).mean(1)
    assert mse(x, y).numpy() == pytest.approx(expected)
    assert psnr(2 * x - 1, 2 * y - 1, data_range=2.0).numpy() == pytest.approx(10 * np.log10(1 / expected))
    assert psnr(x, x).tolist() == [math.inf] * 3


def test_refusals():
    with pytest.raises(InputError, match="of one shape"):
        ms_ssim(images(1, 1, 8, 8), images(1, 1, 8, 9))
    with pytest.raises(InputError, match="of one shape"):
        mse(images(8, 8), images(8, 8))
