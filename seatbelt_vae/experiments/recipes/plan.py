"""From recipes to sweeps: every run once, with all that any recipe asks of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from seatbelt_vae.attacks.ingredients import check_lambdas
from seatbelt_vae.experiments.attacking import AttackSpec
from seatbelt_vae.experiments.evaluation import MEASUREMENTS
from seatbelt_vae.experiments.recipes.point import Point
from seatbelt_vae.experiments.recipes.recipe import Recipe
from seatbelt_vae.experiments.recipes.results import data_label
from seatbelt_vae.experiments.recipes.rotated_heart import HeartAttack
from seatbelt_vae.experiments.recipes.scales import Scale
from seatbelt_vae.experiments.store import open_data
from seatbelt_vae.experiments.sweep_spec import SweepSpec
from seatbelt_vae.experiments.work import EvaluationSpec


@dataclass(frozen=True)
class Plan:
    """What a reproduction takes.

    Attributes:
        sweeps: groups of runs of which the same is asked.
        hearts: the attacks with pairs of their own, and at which points of which data.
        points: what the runs are of.
    """

    sweeps: tuple[SweepSpec, ...]
    hearts: tuple[tuple[str, Point, HeartAttack], ...] = ()
    points: frozenset[Point] = frozenset()

    @property
    def runs(self) -> int:
        """Number of models to train."""
        return sum(len(sweep.runs) for sweep in self.sweeps)


@dataclass
class _Asked:
    """What is asked of a point of some data."""

    measures: set[str]
    attacks: dict[str, AttackSpec]

    @property
    def key(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return tuple(name for name in MEASUREMENTS if name in self.measures), tuple(sorted(self.attacks))


def plan(recipes: Sequence[Recipe], scale: Scale, data: Sequence[str]) -> Plan:
    """Gather what recipes ask for.

    Args:
        recipes: those to reproduce.
        scale: how large.
        data: names or paths.

    Raises:
        InputError: the data cannot be read.
    """
    asked: dict[tuple[str, Point], _Asked] = {}
    hearts = []
    for name in data:
        factors = _has_factors(scale, name)
        for recipe in recipes:
            if recipe.suits(data_label(name), factors):
                for point in recipe.points(scale):
                    mine = asked.setdefault((name, point), _Asked(set(), {}))
                    mine.measures |= set(recipe.measures)
                    made = recipe.attacks(scale, point)
                    mine.attacks |= {each.name: each for each in made if not isinstance(each, HeartAttack)}
                    hearts += [(data_label(name), point, each) for each in made if isinstance(each, HeartAttack)]
    return Plan(tuple(_sweeps(asked, scale)), tuple(hearts), frozenset(point for _, point in asked))


def _sweeps(asked: dict[tuple[str, Point], _Asked], scale: Scale) -> list[SweepSpec]:
    groups: dict[object, list[tuple[str, Point]]] = {}
    for place, mine in asked.items():
        groups.setdefault(mine.key, []).append(place)
    found = []
    for places in groups.values():
        mine = asked[places[0]]
        runs = tuple(point.spec(scale, name, seed) for name, point in places for seed in scale.seeds)
        measures = mine.key[0]
        evaluate = EvaluationSpec(measures=measures, aggregate_samples=scale.aggregate_samples) if measures else None
        found.append(SweepSpec(runs, evaluate, tuple(mine.attacks.values())))
    return found


def _has_factors(scale: Scale, name: str) -> bool:
    factors = open_data(scale.data(name)).factors
    return factors is not None and any(len(column.unique()) > 1 for column in factors.T)


def estimate_hours(planned: Plan, scale: Scale) -> float:
    """Hours on one CPU core that the training and the attacks will take, about; a GPU takes a fraction of it."""
    seconds = 0.0
    for sweep in planned.sweeps:
        solves = sum(each.pairs * len(check_lambdas(each.lambdas)) for each in sweep.attacks)
        for run in sweep.runs:
            others = 0.25 * ((run.objective.tc_samples or 0) / scale.batch_size - 1)  # encoded without gradients
            pixels = ((run.data.size or scale.size) / scale.size) ** 2
            training = run.training.steps * scale.step_seconds * (1 + others)
            seconds += pixels * (training + solves * scale.solve_seconds)
    return seconds / 3600
