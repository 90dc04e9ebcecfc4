"""What a recipe is: which runs, what is measured of each, what it shows, and what the paper claims of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from seatbelt_vae.experiments.attacking import AttackSpec
from seatbelt_vae.experiments.recipes.attacks import attacks_on, words
from seatbelt_vae.experiments.recipes.point import Point
from seatbelt_vae.experiments.recipes.quantities import Quantity, quantity
from seatbelt_vae.experiments.recipes.results import Effect, Results, estimate, paired
from seatbelt_vae.experiments.recipes.scales import Scale
from seatbelt_vae.experiments.recipes.verdicts import Verdict, Word, decided, no_more

Attacks = Callable[[Scale, Point], tuple[AttackSpec, ...]]
Kind = Literal["effects", "lines", "map", "noise", "panels", "reconstructions", "traversals"]

MATTERS = {"ratio": 1.1, "difference": 0.05}
"""The smallest gain that would matter: a tenth of Δ, a twentieth of success or AUDDC."""


@dataclass(frozen=True)
class Drawing:
    """A figure of a recipe.

    Attributes:
        kind: "lines" of a quantity over β, "map" of it over β × L, "effects" on it by condition, or pictures.
        quantity: its key.
    """

    kind: Kind
    quantity: str = ""


@dataclass(frozen=True)
class Recipe:
    """A figure or table of the paper.

    Attributes:
        name: what ``seatbelt reproduce`` calls it.
        title: its heading.
        expected: what the paper found.
        points: what is trained, by scale.
        measures: names of measurements of each run.
        attacks: on a point, by scale.
        quantities: columns of its table.
        drawings: its figures.
        claims: decides the paper's claims.
        suits: whether it means something for data of a name that have factors, or have none.
        in_all: whether “all” means it too.
    """

    name: str
    title: str
    expected: str
    points: Callable[[Scale], tuple[Point, ...]]
    measures: tuple[str, ...] = ()
    attacks: Attacks = lambda scale, point: ()
    quantities: tuple[str, ...] = ()
    drawings: tuple[Drawing, ...] = ()
    claims: Callable[[Results], list[Verdict]] = lambda results: []
    suits: Callable[[str, bool], bool] = lambda data, factors: True
    in_all: bool = True

    def all_attacks(self, scale: Scale) -> tuple[AttackSpec, ...]:
        """Every attack on any of its points."""
        return tuple(dict.fromkeys(each for point in self.points(scale) for each in self.attacks(scale, point)))


def common(attacks: Attacks, scale: Scale, points: Iterable[Point]) -> tuple[AttackSpec, ...]:
    """The attacks that every one of some points gets."""
    first, *rest = (attacks(scale, point) for point in points)
    return tuple(each for each in first if all(each in other for other in rest))


def more_robust(
    results: Results,
    claim: str,
    weights: dict[Point, float],
    *,
    attacks: Attacks = attacks_on,
    keys: tuple[str, ...] = ("objective", "success_at_0.5", "auddc"),
    sizes: Callable[[str, AttackSpec], float | None] = lambda data, attack: None,
    gains: bool = True,
) -> list[Verdict]:
    """Decide “the first is more robust than the second” for all data, attacks and quantities.

    Args:
        results: the runs.
        claim: in words.
        weights: +1 for the first, −1 for the second; four points for a difference of differences.
        attacks: on each point; compared is under those that all points get.
        keys: the quantities.
        sizes: the paper's ratio of Δ, by data and attack.
        gains: False for a claim that there is *no* gain.
    """
    found = []
    for data in results.data:
        for attack in common(attacks, results.scale, weights):
            for key in keys:
                size = sizes(data, attack) if key == "objective" else None
                found.append(compared(results, claim, data, weights, key, attack, size=size, gains=gains))
    return found


def compared(
    results: Results,
    claim: str,
    data: str,
    weights: dict[Point, float],
    key: str,
    attack: AttackSpec | None = None,
    *,
    rises: bool | None = None,
    size: float | None = None,
    gains: bool = True,
) -> Verdict:
    """Decide a claim about one quantity of one set of data.

    Args:
        results: the runs.
        claim: in words.
        data: of these images.
        weights: of points, summing to 0.
        key: the quantity.
        attack: under which.
        rises: the claimed direction; towards what is more robust, or better, by default.
        size: the paper's effect.
        gains: False for a claim that there is no gain.
    """
    asked = quantity(key)
    effect = estimate(results, data, weights, key, attack, ratio=asked.ratio)
    rises, neutral = asked.robust == "higher" if rises is None else rises, 1.0 if asked.ratio else 0.0
    if gains:
        word = decided(effect.interval, neutral=neutral, rises=rises, size=size, seeds=effect.seeds)
    else:
        margin = MATTERS["ratio"] - 1 if asked.ratio else MATTERS["difference"]
        word = no_more(effect.interval, neutral=neutral, rises=rises, margin=margin)
    return verdict(claim, data, words(attack) if attack else "", asked, effect, word, size)


def higher_under(
    results: Results,
    claim: str,
    data: str,
    point: Point,
    key: str,
    first: AttackSpec,
    second: AttackSpec,
    *,
    shown: AttackSpec,
) -> Verdict:
    """Decide “a quantity of a model is higher under the first attack than under the second”, on the same pairs.

    Args:
        results: the runs.
        claim: in words.
        data: of these images.
        point: the model.
        key: the quantity.
        first: the attack under which it is claimed to be higher.
        second: the other.
        shown: which of the two the verdict stands under.
    """
    effect = paired(results, data, point, key, first, second)
    word = decided(effect.interval, neutral=0, rises=True, seeds=effect.seeds)
    return verdict(claim, data, words(shown), quantity(key), effect, word)


def verdict(
    claim: str, data: str, attack: str, asked: Quantity, effect: Effect, word: Word, paper: float | None = None
) -> Verdict:
    """Put a verdict together; what is not decided says why."""
    return Verdict(
        claim=claim,
        data=data,
        attack=attack,
        quantity=asked.key,
        effect=effect.interval,
        ratio=asked.ratio,
        unit=asked.unit,
        paper=paper,
        seeds=effect.seeds,
        pairs=effect.pairs,
        word=word,
        reason=_reason(effect, bool(attack)) if word is Word.OPEN else "",
    )


def _reason(effect: Effect, attacked: bool) -> str:
    if not effect.seeds or not (effect.pairs or attacked):
        return "it was not measured on these data"
    if not effect.pairs:
        return "for no pair does encoding the target bring the reconstruction nearer to it: trained too little"
    if effect.seeds * effect.pairs < 2:
        return "one value has no interval"
    return "the interval includes no effect"
