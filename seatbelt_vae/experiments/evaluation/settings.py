"""What is measured on a trained model, and how exactly."""

import math
from dataclasses import dataclass

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.evaluation.measurements import MEASUREMENTS, Measurement
from seatbelt_vae.experiments.evaluation.subject import Draws
from seatbelt_vae.settings import near, shown


@dataclass(frozen=True)
class EvaluationSettings:
    """What is measured on a trained model, and how exactly.

    Args:
        measures: all, or some of elbo, iwae, image-quality, active-units, total-correlation, mig, dci, sap,
            factor-vae-score, noise, traversals, weights, training-time; by default all that are quick, which are those
            but iwae, dci, sap and factor-vae-score.
        samples: draws of z for each image.
        iwae_samples: draws for the importance-weighted bound; 0 leaves it out, unless it is named: then 64.
        aggregate_samples: samples at which the aggregate posterior of the top layer over all training images is
            measured (total correlation, MIG); 0 leaves it out, unless it is named: then 1000.
        scales: standard deviations of the noise, for data in [-1, 1].
        seed: of all draws.

    Raises:
        InputError: a name is unknown, or a number out of range.
    """

    measures: str | tuple[str, ...] | None = None
    samples: int = 1
    iwae_samples: int = 0
    aggregate_samples: int = 1000
    scales: tuple[float, ...] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        least = {"samples": 1, "iwae_samples": 0, "aggregate_samples": 0, "seed": 0}
        for name, smallest in least.items():
            value = getattr(self, name)
            if value < smallest:
                raise InputError(f"{name}: {value} is too small, use {smallest} or more")
        if self.scales is not None:
            _check_scales(self.scales)
        for name in self.named or ():
            if name not in MEASUREMENTS:
                hint = near(name, MEASUREMENTS)
                raise InputError(
                    f"measures: {shown(name)} is unknown{hint}, use all, or some of {', '.join(MEASUREMENTS)}"
                )
        if self.named == ():
            raise InputError(f"measures: none was named, use all, or some of {', '.join(MEASUREMENTS)}")

    @property
    def named(self) -> tuple[str, ...] | None:
        """The measurements that are asked for by name; None where all or the quick ones are."""
        if self.measures in (None, "all"):
            return None
        if isinstance(self.measures, str):
            return (self.measures,)
        return tuple(self.measures or ())

    @property
    def draws(self) -> Draws:
        """How exactly to measure."""
        usual = Draws()
        scales = usual.scales
        if self.scales is not None:
            scales = tuple(sorted(set(self.scales)))
        return Draws(
            samples=self.samples,
            iwae_samples=self.iwae_samples or usual.iwae_samples,
            aggregate_samples=self.aggregate_samples or usual.aggregate_samples,
            scales=scales,
            seed=self.seed,
        )

    def chosen(self, has_factors: bool) -> list[Measurement]:
        """The measurements asked for, in the order in which they are made.

        Args:
            has_factors: whether the data say what generated each image. Without, what needs that is left out, unless it
                is named.

        Raises:
            InputError: one that is named needs factors.

        Example:
            >>> [each.name for each in EvaluationSettings(("sap", "elbo")).chosen(has_factors=True)]
            ['elbo', 'sap']
        """
        found = []
        for each in MEASUREMENTS.values():
            missing = each.needs_factors and not has_factors
            if self.named is None:
                if self._is_usual(each) and not missing:
                    found.append(each)
            elif each.name in self.named:
                if missing:
                    raise InputError(
                        f"measures: {each.name} needs to know what generated each image, these data have no factors"
                    )
                found.append(each)
        return found

    def _is_usual(self, measurement: Measurement) -> bool:
        """Whether it is made without being named."""
        if "aggregate_samples" in measurement.uses and not self.aggregate_samples:
            return False
        if self.measures == "all" or measurement.quick:
            return True
        return "iwae_samples" in measurement.uses and self.iwae_samples > 0


def _check_scales(scales: tuple[float, ...]) -> None:
    if not scales or not all(math.isfinite(scale) and scale > 0 for scale in scales):
        raise InputError(f"scales: {list(scales)} must be one or more numbers above 0")
