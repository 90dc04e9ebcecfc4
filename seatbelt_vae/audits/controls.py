"""What needs no gradient and no model: noise of the same norm, and the straight way to the target."""

import torch
from torch import Tensor

from seatbelt_vae.audits.subject import Found, Subject
from seatbelt_vae.metrics import blend_path
from seatbelt_vae.metrics.robustness import with_axes_of

STEPS = 41
"""Images on the straight way."""

NORMS = (0.1, 0.2, 0.3, 0.5)
"""‖d‖ of noise in units of ‖x − x_t‖."""


def noise(subject: Subject, radii: Tensor, seed: int) -> Found:
    """Noise of given norms (R,) in the data's units, then of `NORMS`; cut to the bounds of the data."""
    direction = torch.randn(subject.source.shape, generator=torch.Generator().manual_seed(seed)).to(subject.source)
    direction = direction / with_axes_of(direction.flatten(1).norm(dim=1), direction)
    absolute = radii.to(subject.source).expand(len(direction), -1)
    relative = torch.tensor(NORMS).to(subject.source) * subject.apart[:, None]
    direction = direction[:, None]
    images = subject.source[:, None] + with_axes_of(torch.cat([absolute, relative], 1), direction) * direction
    return subject.judge("noise", images.clamp(*subject.bounds))


def blend(subject: Subject) -> Found:
    """The source mixed with the target."""
    return subject.judge("blend", blend_path(subject.source, subject.target, STEPS))


def rounded(subject: Subject, images: Tensor) -> Found:
    """Images (P, C, H, W) as a file of 8 bits holds them."""
    low, high = subject.bounds
    levels = (images - low) / (high - low) * 255
    return subject.judge("8 bits", (levels.round() / 255 * (high - low) + low)[:, None])
