"""How close reconstructions are, and what each latent dimension draws."""

from collections.abc import Callable

import torch
from torch import Tensor

from seatbelt_vae import metrics
from seatbelt_vae.experiments.evaluation.measurement import Measured, Measurement, Quantity
from seatbelt_vae.experiments.evaluation.subject import Subject

CHUNK = 256


def _image_quality(subject: Subject) -> Measured:
    low, high = subject.test.bounds
    width = high - low
    kinds: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        # As a share of the squared width, so that data in [0, 1] and in [-1, 1] have the same.
        "mse": lambda x, y: metrics.mse(x, y) / width**2,
        "psnr": lambda x, y: metrics.psnr(x, y, width),
        "ms_ssim": lambda x, y: metrics.ms_ssim(x, y, width),
    }
    values: dict[str, float] = {}
    for name, quality in kinds.items():
        each = [
            quality(subject.reconstructions[start : start + CHUNK], subject.test[start : start + CHUNK])
            for start in range(0, len(subject.test), CHUNK)
        ]
        estimate = metrics.Estimate.of(torch.cat(each))
        values |= {name: estimate.value, f"{name}_error": estimate.standard_error}
    return Measured(values)


def _traversals(subject: Subject) -> Measured:
    layers = metrics.traverse(
        subject.model,
        subject.test[0].to(next(subject.model.parameters()).device),
        subject.test_posteriors,
        subject.bound.dimension_kl,
    )
    low, high = subject.test.bounds
    tensors: dict[str, Tensor] = {}
    for number, layer in enumerate(layers, start=1):
        pixels = ((layer.images - low) / (high - low)).clamp(0, 1).mul(255).round().to(torch.uint8)
        tensors |= {
            f"images_{number}": pixels,
            f"dimensions_{number}": torch.tensor(layer.dimensions),
            f"kl_{number}": layer.kl,
            f"positions_{number}": layer.positions,
        }
    return Measured({}, tensors)


IMAGE_QUALITY = Measurement(
    "image-quality",
    _image_quality,
    (),
    (
        Quantity(
            "mse", "MSE", "", "lower", "Mean squared error of reconstructions, as a share of the squared data range."
        ),
        Quantity("psnr", "PSNR", "dB", "higher", "Peak signal-to-noise ratio of reconstructions."),
        Quantity(
            "ms_ssim",
            "MS-SSIM",
            "",
            "higher",
            "Multi-scale structural similarity of reconstructions, at most 1; values compare at one image size only.",
        ),
    ),
    "images",
)
TRAVERSALS = Measurement("traversals", _traversals, ("samples", "seed"), ())
