"""From recipes to sweeps: every run once, with all that any recipe asks of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from seatbelt_vae.data.resize import height_width
from seatbelt_vae.experiments import MEASUREMENTS, AttackSpec, EvaluationSettings, SweepSpec
from seatbelt_vae.reproduction.images import Images
from seatbelt_vae.reproduction.points import BLEND, Point
from seatbelt_vae.reproduction.recipes import Recipe, recipe
from seatbelt_vae.reproduction.scales import Scale

ROBUST_STEP = 3
"""A step of robust training as a multiple of a plain one, about."""

ENCODED = 0.25
"""An image that is encoded without gradients as a share of one that is trained on, about."""


@dataclass(frozen=True)
class Plan:
    """What a reproduction takes.

    Attributes:
        names: of the recipes, in their order.
        scale: how large.
        images: the data.
        sweeps: groups of runs of which the same is asked.
        points: what the runs are of.
    """

    names: tuple[str, ...]
    scale: Scale
    images: tuple[Images, ...]
    sweeps: tuple[SweepSpec, ...]
    points: frozenset[Point]

    @property
    def runs(self) -> int:
        """Number of models to train."""
        return sum(len(sweep.runs) for sweep in self.sweeps)


@dataclass
class _Asked:
    """What is asked of a point of some data."""

    measurements: set[str] = field(default_factory=set)
    attacks: dict[str, AttackSpec] = field(default_factory=dict)

    @property
    def key(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        ordered = tuple(name for name in MEASUREMENTS if name in self.measurements)
        return ordered, tuple(sorted(self.attacks))


def plan(names: Sequence[str], scale: Scale, data: Sequence[str]) -> Plan:
    """Gather what recipes ask for.

    Raises:
        InputError: the data cannot be read.
    """
    images = tuple(Images.read(name, scale) for name in data)
    asked: dict[tuple[str, Point], _Asked] = {}
    for each in images:
        for name in names:
            _ask(recipe(name, scale, each), each, asked)
    points = frozenset(point for _, point in asked)
    return Plan(tuple(names), scale, images, _sweeps(asked, scale), points)


def _ask(made: Recipe, images: Images, asked: dict[tuple[str, Point], _Asked]) -> None:
    if not made.suits:
        return
    for point, attacks in made.runs.items():
        mine = asked.setdefault((images.name, point), _Asked())
        mine.measurements.update(made.evaluate)
        mine.attacks.update({attack.name: attack for attack in attacks})


def _sweeps(asked: dict[tuple[str, Point], _Asked], scale: Scale) -> tuple[SweepSpec, ...]:
    groups: dict[object, list[tuple[str, Point]]] = {}
    for place, mine in asked.items():
        if place[1] == BLEND:
            continue
        groups.setdefault(mine.key, []).append(place)
    found = []
    for places in groups.values():
        runs = []
        for name, point in places:
            runs += [point.spec(scale, name, seed) for seed in scale.seeds]
        mine = asked[places[0]]
        measurements, _ = mine.key
        evaluate = None
        if measurements:
            evaluate = EvaluationSettings(measures=measurements, aggregate_samples=scale.aggregate_samples)
        found.append(SweepSpec(tuple(runs), evaluate, tuple(mine.attacks.values())))
    return tuple(found)


def estimate_hours(planned: Plan) -> float:
    """Hours on one CPU core that the training and the attacks will take, about; a GPU takes a fraction of it."""
    return sum(_seconds(sweep, planned.scale) for sweep in planned.sweeps) / 3600


def _seconds(sweep: SweepSpec, scale: Scale) -> float:
    solves = 0
    for attack in sweep.attacks:
        _, budget, _ = attack.triple()
        solves += attack.pairs * len(budget.grid())
    seconds = 0.0
    for run in sweep.runs:
        others = ENCODED * ((run.objective.tc_samples or 0) / scale.batch_size - 1)
        training = run.training.steps * scale.step_seconds * (1 + others)
        if run.robust.methods:
            training *= ROBUST_STEP
        height, width = height_width(run.data.size or scale.size)
        pixels = height * width / scale.size**2
        seconds += pixels * (training + solves * scale.solve_seconds)
    return seconds
