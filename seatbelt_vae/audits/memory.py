"""Whether a model encodes images, or recalls those that it was trained on."""

from dataclasses import dataclass

import torch
from torch import Tensor

from seatbelt_vae.attacks import Attackable, reconstruct

MANY = 500
"""Images of each kind that are compared."""


@dataclass(frozen=True)
class Memory:
    """Test images against training images; both figures are 1 where there is no difference.

    Attributes:
        error: the median squared error on test images over that on training images; large where it overfits.
        novelty: the median distance from what a test image becomes to the nearest that a training image becomes, over
            that between training images; 0 for a look-up.
    """

    error: float
    novelty: float

    @classmethod
    def of(cls, model: Attackable, images: Tensor, trained_on: Tensor) -> "Memory":
        """Compare images (N, C, H, W) of the one kind and of the other."""
        images = images[:MANY]
        trained_on = trained_on[:MANY]
        made = reconstruct(model, images)
        known = reconstruct(model, trained_on)
        error = _median_error(made, images) / _median_error(known, trained_on).clamp(min=1e-12)
        far = torch.cdist(made.flatten(1), known.flatten(1)).amin(1)
        between = torch.cdist(known.flatten(1), known.flatten(1)).fill_diagonal_(torch.inf).amin(1)
        return cls(float(error), float(far.nanmedian() / between.nanmedian().clamp(min=1e-12)))


def _median_error(made: Tensor, images: Tensor) -> Tensor:
    return (made - images).square().flatten(1).mean(1).nanmedian()
