"""What is known of every run of a reproduction: queries on the long table, by data, point and seed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from seatbelt_vae.experiments import AttackSpec, Cell, Record, Table
from seatbelt_vae.experiments.table import finite, measure_of
from seatbelt_vae.measures import MEASURES
from seatbelt_vae.metrics import Interval, interval
from seatbelt_vae.metrics.statistics import NOTHING, exponential
from seatbelt_vae.reproduction.attacks import words
from seatbelt_vae.reproduction.images import Images
from seatbelt_vae.reproduction.paper import printed
from seatbelt_vae.reproduction.points import Point
from seatbelt_vae.reproduction.scales import Scale

FLOOR = 1e-12
"""Below it a value has no logarithm worth taking."""

Place = tuple[Point, AttackSpec | None]
"""A model, and the attack on it; None for what is measured without one."""

Runs = Mapping[Point, tuple[AttackSpec, ...]]
"""The attacks on each point."""


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

    def cells(self, images: Images, place: Place) -> dict[int, Cell]:
        """The runs of a place by seed, those that have its attack."""
        point, attack = place
        by_seed = self.runs.get((images.label, point), {})
        if attack is None:
            return {seed: Cell(record) for seed, record in by_seed.items()}
        name = attack.name
        return {seed: Cell(record, name) for seed, record in by_seed.items() if name in record.attacks}

    def values(self, images: Images, places: Sequence[Place], key: str) -> list[Tensor]:
        """A measure of each of some places, of the seeds that all have: (S, P) each, (S, 1) without an attack.

        A place where it was not measured is empty.
        """
        by_place = [self.cells(images, place) for place in places]
        seeds = set(by_place[0]).intersection(*by_place[1:])
        key = images.absolute(key)
        found = []
        for cells in by_place:
            found.append(self.table.stack([cells[seed] for seed in sorted(seeds)], key))
        return found

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
        parts = []
        for values, weight in zip(self.values(images, list(weights), key), weights.values(), strict=True):
            if ratio:
                values = values.clamp(min=FLOOR).log()
            parts.append(weight * values)
        if len({part.shape for part in parts}) > 1:
            return Effect(NOTHING, 0, 0)
        total = torch.stack(parts).sum(0)
        total = total[:, total.isfinite().all(0)]
        if not total.numel():
            return Effect(NOTHING, *total.shape)
        found = interval(total)
        if ratio:
            found = exponential(found)
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


Row = dict[str, Any]


def tidy(runs: Runs, keys: Sequence[str], results: Results, images: Images) -> list[Row]:
    """Measures of some points as a tidy table: a row for each attack, model and measure.

    Returns:
        Rows with ``data``, ``attack`` (empty without one), ``label``, ``model``, ``family``, ``layers``, ``beta``,
        ``measure``, ``title``, ``unit``, ``better``, ``value`` with ``low`` and ``high`` (95 % over seeds and pairs,
        None where there is no interval), ``ratio``, ``seeds``, ``pairs`` and ``paper``, the paper's own value. What was
        not measured has no row.
    """
    rows = []
    for point, attacks in runs.items():
        for key in keys:
            under: tuple[AttackSpec | None, ...] = attacks
            if measure_of(key).kind == "run":
                under = (None,)
            for attack in under:
                found = results.effect(images, {(point, attack): 1.0}, key)
                if math.isfinite(found.interval.value):
                    rows.append(_row(images, point, attack, key, found))
    return rows


def _row(images: Images, point: Point, attack: AttackSpec | None, key: str, found: Effect) -> Row:
    measure = measure_of(key)
    return {
        "data": images.label,
        "attack": words(attack),
        "label": point.label,
        "model": point.model,
        "family": point.family,
        "layers": point.layers,
        "beta": point.beta,
        "measure": key,
        "title": title_of(key),
        "unit": measure.unit,
        "better": measure.better,
        "value": found.interval.value,
        "low": finite(found.interval.low),
        "high": finite(found.interval.high),
        "ratio": measure.ratio,
        "seeds": found.seeds,
        "pairs": found.pairs,
        "paper": printed(images.label, point, key, attack.objective if attack else ""),
    }
