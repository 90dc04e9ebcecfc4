"""What is known of every run of a reproduction, arranged as seeds × pairs."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from seatbelt_vae.experiments.assessment import Assessment
from seatbelt_vae.experiments.attacking import AttackSpec
from seatbelt_vae.experiments.recipes.point import Point, of_spec
from seatbelt_vae.experiments.recipes.quantities import clean_value, gained, quantity
from seatbelt_vae.experiments.recipes.scales import Scale
from seatbelt_vae.experiments.store import RunFolder
from seatbelt_vae.metrics import Interval
from seatbelt_vae.metrics.crossed import crossed_interval

FLOOR = 1e-12
"""Below it a value has no logarithm worth taking."""


@dataclass
class Results:
    """The runs of a reproduction, those that failed left out.

    Attributes:
        scale: at which they were made.
        runs: by data, point and seed.
    """

    scale: Scale
    runs: dict[tuple[str, Point], dict[int, RunFolder]] = field(default_factory=dict)
    _gained: dict[tuple[Path, str], dict[str, Tensor]] = field(default_factory=dict)

    @classmethod
    def of(cls, scale: Scale, folders: Sequence[RunFolder], points: Collection[Point]) -> "Results":
        """Arrange run folders, which are of some points."""
        results = cls(scale)
        for folder in folders:
            key = data_label(folder.spec.data.name), of_spec(folder.spec, points)
            results.runs.setdefault(key, {})[folder.spec.training.seed] = folder
        return results

    @property
    def data(self) -> list[str]:
        """The data sets."""
        return list(dict.fromkeys(data for data, _ in self.runs))

    def suited(self, suits: Callable[[str, bool], bool]) -> "Results":
        """Those of the data for which a recipe means something, if they have what it needs to know of them."""
        return Results(self.scale, {key: runs for key, runs in self.runs.items() if suits(key[0], True)}, self._gained)

    def seeds(self, data: str, *points: Point, attacks: Sequence[AttackSpec] = ()) -> list[int]:
        """The seeds of which every point has a run, with some attacks made on it."""
        names = {attack.name for attack in attacks}
        having = (
            {seed for seed, run in self.runs.get((data, point), {}).items() if not names or names.issubset(run.attacks)}
            for point in points
        )
        return sorted(set.intersection(*having))

    def folders(self, data: str, point: Point, seeds: Sequence[int] | None = None) -> list[RunFolder]:
        """The runs of a point, by seed; of some seeds only."""
        return [self.runs[data, point][seed] for seed in (self.seeds(data, point) if seeds is None else seeds)]

    def values(
        self,
        data: str,
        point: Point,
        key: str,
        attack: AttackSpec | None = None,
        seeds: Sequence[int] | None = None,
    ) -> Tensor:
        """A quantity of a point: float64, seeds × pairs, one column where there are no pairs; empty if unknown."""
        made = [attack] if attack else []
        rows = [
            self._attack(run, attack)[key]
            if attack
            else torch.tensor([clean_value(run.evaluation, key)], dtype=torch.float64)
            for run in self.folders(data, point, self.seeds(data, point, attacks=made) if seeds is None else seeds)
        ]
        return torch.stack(rows) if rows else torch.empty(0, 0, dtype=torch.float64)

    def _attack(self, run: RunFolder, attack: AttackSpec) -> dict[str, Tensor]:
        key = run.path, attack.name
        if key not in self._gained:
            result, assessment = run.attack(attack.name)
            assert isinstance(assessment, Assessment)
            self._gained[key] = gained(result, assessment)
        return self._gained[key]


@dataclass(frozen=True)
class Effect:
    """A value or a contrast with its interval.

    Attributes:
        interval: over seeds and pairs; NaN where there is nothing.
        seeds: that entered.
        pairs: that entered.
    """

    interval: Interval
    seeds: int
    pairs: int


NOTHING = Effect(Interval(math.nan, math.nan, math.nan), 0, 0)


def estimate(
    results: Results,
    data: str,
    weights: Mapping[Point, float],
    key: str,
    attack: AttackSpec | None = None,
    *,
    ratio: bool = False,
) -> Effect:
    r"""A weighted sum :math:`\sum_k w_k v_k` of a quantity over points, of the same seeds and the same pairs.

    ``{a: 1}`` is a's value, ``{a: 1, b: -1}`` how far a lies above b, and four points a difference of differences.

    Args:
        results: the runs.
        data: of these images.
        weights: of the points.
        key: the quantity.
        attack: under this attack.
        ratio: sum logarithms and take the exponential: geometric means and ratios.
    """
    seeds = results.seeds(data, *weights, attacks=[attack] if attack else [])
    parts = [results.values(data, point, key, attack, seeds) for point in weights]
    if not seeds or len({part.shape for part in parts}) > 1:
        return NOTHING
    parts = [part.clamp(min=FLOOR).log() for part in parts] if ratio else parts
    total = torch.stack([weight * part for weight, part in zip(weights.values(), parts, strict=True)]).sum(0)
    found = _effect(total)
    if ratio:
        return replace(found, interval=_exponential(found.interval))
    alone = list(weights.values()) == [1.0]
    return replace(found, interval=found.interval.within(quantity(key).possible)) if alone else found


def _exponential(found: Interval) -> Interval:
    ends = (torch.tensor([found.value, found.low, found.high], dtype=torch.float64)).exp().tolist()
    return Interval(*ends)


def data_label(name: str) -> str:
    """What tables call data: a name, or that of their file.

    Example:
        >>> data_label("sprites"), data_label("/data/chairs.npz")
        ('sprites', 'chairs')
    """
    return Path(name).stem


def paired(results: Results, data: str, point: Point, key: str, first: AttackSpec, second: AttackSpec) -> Effect:
    """How far a quantity under one attack lies above that under another, on the same models and pairs."""
    seeds = results.seeds(data, point, attacks=[first, second])
    mine, other = (results.values(data, point, key, attack, seeds) for attack in (first, second))
    return _effect(mine - other) if mine.shape == other.shape and mine.numel() else NOTHING


def _effect(values: Tensor) -> Effect:
    """The mean of (seeds, pairs); pairs for which the quantity means nothing in some run are left out."""
    values = values[:, values.isfinite().all(0)]
    return Effect(crossed_interval(values) if values.numel() else NOTHING.interval, *values.shape)
