"""What is measured on a trained model, and how exactly."""

import math
from dataclasses import dataclass
from typing import Any

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.noise import SCALES

IWAE_SAMPLES = 64
AGGREGATE_SAMPLES = 1000
NOISE_IMAGES = 500
"""Test images at most for the noise."""


@dataclass(frozen=True)
class EvaluationSettings:
    """What is measured on a trained model, and how exactly.

    Args:
        measures: all, or some of elbo, iwae, image-quality, active-units, total-correlation, mig, dci, sap,
            factor-vae-score, downstream, noise, traversals, weights, training-time; by default all that are quick,
            which are those but iwae, dci, sap, factor-vae-score and downstream.
        samples: draws of z for each image.
        iwae_samples: draws for the importance-weighted bound; 0 leaves it out, unless it is named: then 64.
        aggregate_samples: samples at which the aggregate posterior of the top layer over all training images is
            measured (total correlation, MIG); 0 leaves it out, unless it is named: then 1000.
        scales: standard deviations of the noise, for data in [-1, 1].
        seed: of all draws.

    Raises:
        InputError: a number is out of range.
    """

    measures: str | tuple[str, ...] | None = None
    samples: int = 1
    iwae_samples: int = 0
    aggregate_samples: int = AGGREGATE_SAMPLES
    scales: tuple[float, ...] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        least = {"samples": 1, "iwae_samples": 0, "aggregate_samples": 0, "seed": 0}
        for name, smallest in least.items():
            value = getattr(self, name)
            if value < smallest:
                raise InputError(f"{name}: {value} is too small, use {smallest} or more")
        if self.scales is None:
            return
        if not self.scales or not all(math.isfinite(scale) and scale > 0 for scale in self.scales):
            raise InputError(f"scales: {list(self.scales)} must be one or more numbers above 0")

    @property
    def named(self) -> tuple[str, ...] | None:
        """The measurements that are asked for by name; None where all or the quick ones are."""
        if self.measures in (None, "all"):
            return None
        if isinstance(self.measures, str):
            return (self.measures,)
        return tuple(self.measures or ())

    @property
    def draws(self) -> dict[str, Any]:
        """How exactly to measure what is measured: the numbers that decide results, as JSON holds them."""
        return {
            "samples": self.samples,
            "iwae_samples": self.iwae_samples or IWAE_SAMPLES,
            "aggregate_samples": self.aggregate_samples or AGGREGATE_SAMPLES,
            "scales": sorted(set(self.scales or SCALES)),
            "noise_images": NOISE_IMAGES,
            "seed": self.seed,
        }
