"""What is known of every run of a reproduction: cells of the long table, arranged by data, point and seed."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from seatbelt_vae.experiments.attack_spec import AttackSpec
from seatbelt_vae.experiments.table import Cell, Record, Table, measure_of
from seatbelt_vae.measures import MEASURES
from seatbelt_vae.metrics import Interval, interval
from seatbelt_vae.reproduction.images import Images
from seatbelt_vae.reproduction.points import Point
from seatbelt_vae.reproduction.scales import Scale

FLOOR = 1e-12
"""Below it a value has no logarithm worth taking."""

Place = tuple[Point, AttackSpec | None]
"""A model, and the attack on it; None for what is measured without one."""


@dataclass(frozen=True)
class Effect:
    """A value or a contrast with its interval.

    Attributes:
        interval: over seeds and pairs; NaN where there is nothing.
        seeds: that entered.
        pairs: that entered; 1 where there are none.
    """

    interval: Interval
    seeds: int
    pairs: int


NOTHING = Effect(Interval(math.nan, math.nan, math.nan), 0, 0)


@dataclass(frozen=True)
class Results:
    """The runs of a reproduction, those that failed left out.

    Attributes:
        scale: at which they were made.
        images: the data.
        runs: by label of the data, point and seed.
    """

    scale: Scale
    images: tuple[Images, ...] = ()
    runs: Mapping[tuple[str, Point], Mapping[int, Record]] = field(default_factory=dict)

    @cached_property
    def table(self) -> Table:
        """All numbers of all runs."""
        return Table([record for by_seed in self.runs.values() for record in by_seed.values()])

    @property
    def data(self) -> list[str]:
        """Labels of the data of which there are runs."""
        return list(dict.fromkeys(label for label, _ in self.runs))

    def records(self, images: Images, point: Point) -> list[Record]:
        """The runs of a point, by seed."""
        by_seed = self.runs.get((images.label, point), {})
        return [by_seed[seed] for seed in sorted(by_seed)]

    def seeds(self, images: Images, places: Iterable[Place]) -> list[int]:
        """The seeds of which every place has a run with its attack."""
        found: set[int] | None = None
        for point, attack in places:
            mine = set()
            for seed, record in self.runs.get((images.label, point), {}).items():
                if attack is None or attack.name in record.attacks:
                    mine.add(seed)
            found = mine if found is None else found & mine
        return sorted(found or ())

    def values(self, images: Images, place: Place, key: str, seeds: Sequence[int]) -> Tensor:
        """A measure of some trainings of a model, (S, P); (S, 1) without an attack, empty where it was not measured."""
        point, attack = place
        by_seed = self.runs.get((images.label, point), {})
        cells = [Cell(by_seed[seed], attack.name if attack else "") for seed in seeds]
        return self.table.stack(cells, images.absolute(key))

    def effect(self, images: Images, weights: Mapping[Place, float], key: str, *, ratio: bool | None = None) -> Effect:
        r"""A weighted sum :math:`\sum_k w_k v_k` of a measure over places, of the same seeds and the same pairs.

        ``{a: 1}`` is a's value, ``{a: 1, b: -1}`` how far a lies above b, and four places a difference of differences.
        Pairs for which the measure means nothing in some run are left out.

        Args:
            images: of which data.
            weights: of the places.
            key: the measure's.
            ratio: sum logarithms and take the exponential: geometric means and ratios. By default as the measure says.
        """
        measure = measure_of(key)
        if ratio is None:
            ratio = measure.ratio
        seeds = self.seeds(images, weights)
        parts = []
        for place, weight in weights.items():
            values = self.values(images, place, key, seeds)
            if ratio:
                values = values.clamp(min=FLOOR).log()
            parts.append(weight * values)
        if not seeds or len({part.shape for part in parts}) > 1:
            return NOTHING
        total = torch.stack(parts).sum(0)
        total = total[:, total.isfinite().all(0)]
        if not total.numel():
            return Effect(NOTHING.interval, *total.shape)
        found = interval(total)
        if ratio:
            found = _exponential(found)
        elif list(weights.values()) == [1.0]:
            found = found.within(measure.possible)
        return Effect(found, *total.shape)


def title_of(key: str) -> str:
    """A measure's title, with the place that its key names.

    Example:
        >>> title_of("noise_drop@0.5"), title_of("damage@2.5%")
        ('Cost of noise, 0.5', '‖rec(x*) − rec(x)‖, 2.5 %')
    """
    _, _, place = key.partition("@")
    title = measure_of(key).title
    if not place or key in MEASURES:
        return title
    return f"{title.partition(':')[0]}, {place.replace('%', ' %')}"


def _exponential(found: Interval) -> Interval:
    ends = torch.tensor([found.value, found.low, found.high], dtype=torch.float64)
    return Interval(*ends.exp().tolist())
