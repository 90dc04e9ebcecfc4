"""What becomes of a claim: a contrast of cells of the table, and one word that its interval decides."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from seatbelt_vae.experiments import AttackSpec
from seatbelt_vae.experiments.table import finite, measure_of
from seatbelt_vae.metrics import Interval
from seatbelt_vae.reproduction.attacks import words
from seatbelt_vae.reproduction.images import Images
from seatbelt_vae.reproduction.points import Point
from seatbelt_vae.reproduction.results import Effect, Results, Runs

MATTERS = {"ratio": 1.1, "difference": 0.05}
"""The smallest gain that would matter: a tenth of Δ, a twentieth of success or AUDDC."""

MARGINS = {True: MATTERS["ratio"] - 1, False: MATTERS["difference"]}
"""The same, by whether the effect is a ratio, from where there is none."""

T = TypeVar("T")

ROBUST = ("objective", "success_at_0.5", "auddc")
"""What says how hard a model is to attack."""


class Word(StrEnum):
    """What became of a claim."""

    HOLDS = "holds"
    DIRECTION = "holds in direction"
    FAILS = "does not hold"
    OPEN = "not decided"


STANDS = (Word.HOLDS, Word.DIRECTION)


@dataclass(frozen=True)
class Contrast:
    """A claim about a weighted sum of cells, ``{a: 1, b: -1}`` for “a is more robust than b”.

    Attributes:
        claim: in words.
        weights: of points: +1 for the first, −1 for the second; four points for a difference of differences.
        measures: their keys; a verdict for each.
        attacks: weights of attacks on the same models; the verdict stands under the first. By default it is decided
            under each attack that all the points get.
        paper: the paper's effect on the first measure, by the attack's objective, "none" without an attack.
        rises: the claimed direction; by default towards what is more robust, or better.
        gains: False for a claim that there is *no* gain.
        ratio: whether the effect is a ratio; by default as the measure says.
        bound: what the effect has to pass; no effect by default.
        whose: in a figure of effects, whose effect it is.
        condition: there, under which condition.
    """

    claim: str
    weights: Mapping[Point, float]
    measures: tuple[str, ...] = ROBUST
    attacks: Mapping[AttackSpec, float] | None = None
    paper: Mapping[str, float] = field(default_factory=dict)
    rises: bool | None = None
    gains: bool = True
    ratio: bool | None = None
    bound: float | None = None
    whose: str = ""
    condition: str = ""

    def under(self, runs: Runs) -> list[Mapping[AttackSpec | None, float]]:
        """The attacks under which it is decided, each with its weights; None for what is measured without one."""
        if self.attacks is not None:
            return [dict(self.attacks)]
        if measure_of(self.measures[0]).kind == "run":
            return [{None: 1.0}]
        return [{attack: 1.0} for attack in shared(runs, self.weights)]


def shared(runs: Runs, points: Iterable[Point]) -> tuple[AttackSpec, ...]:
    """The attacks that every one of some points gets."""
    first, *rest = (runs[point] for point in points)
    return tuple(attack for attack in first if all(attack in other for other in rest))


@dataclass(frozen=True)
class Verdict:
    """A claim about one measure of one set of data, and what was found.

    Attributes:
        claim: in words.
        data: on which images.
        attack: under which attack; empty without one.
        measure: its key.
        effect: how far apart the two sides are, with its interval over seeds and pairs; a ratio, or a difference.
        ratio: which of the two.
        unit: of a difference.
        paper: the paper's effect, where it gives one.
        seeds: number of trainings of each side.
        pairs: number of pairs; 1 where there are none.
        word: what becomes of the claim.
        reason: why it could not be decided.
        whose: in a figure of effects, whose effect it is.
        condition: there, under which condition; empty for a claim that stands in none.
    """

    claim: str
    data: str
    attack: str
    measure: str
    effect: Interval
    ratio: bool
    unit: str
    paper: float | None
    seeds: int
    pairs: int
    word: Word
    reason: str = ""
    whose: str = ""
    condition: str = ""

    def plain(self) -> dict[str, Any]:
        """As JSON takes it: what is no number is None."""
        found = asdict(self)
        for end, value in found.pop("effect").items():
            found[end] = finite(value)
        return found


def verdicts(claims: Iterable[Contrast], runs: Runs, results: Results, images: Images) -> list[Verdict]:
    """Decide claims about one set of data."""
    found = []
    for contrast in claims:
        for attacks in contrast.under(runs):
            for key in contrast.measures:
                found.append(_verdict(contrast, attacks, key, results, images))
    return found


def _verdict(
    contrast: Contrast,
    attacks: Mapping[AttackSpec | None, float],
    key: str,
    results: Results,
    images: Images,
) -> Verdict:
    measure = measure_of(key)
    ratio = _given(contrast.ratio, measure.ratio)
    neutral = _given(contrast.bound, float(ratio))
    margin = None
    if not contrast.gains:
        margin = MARGINS[ratio]
    weights = {}
    for point, of_point in contrast.weights.items():
        for attack, of_attack in attacks.items():
            weights[point, attack] = of_point * of_attack
    effect = results.effect(images, weights, key, ratio=ratio)
    attack = next(iter(attacks))
    paper = None
    if key == contrast.measures[0]:
        paper = contrast.paper.get(attack.objective if attack else "none")
    word = decided(
        effect.interval,
        neutral=neutral,
        rises=_given(contrast.rises, measure.better == "higher"),
        size=paper,
        seeds=effect.seeds,
        margin=margin,
    )
    return Verdict(
        claim=contrast.claim,
        data=images.label,
        attack=words(attack),
        measure=key,
        effect=effect.interval,
        ratio=ratio,
        unit=measure.unit,
        paper=paper,
        seeds=effect.seeds,
        pairs=effect.pairs,
        word=word,
        reason=_reason(effect, contrast, word, attack is not None),
        whose=contrast.whose,
        condition=contrast.condition,
    )


def _given(setting: T | None, default: T) -> T:
    if setting is None:
        return default
    return setting


def _reason(effect: Effect, contrast: Contrast, word: Word, attacked: bool) -> str:
    """Why a claim could not be decided."""
    if word is not Word.OPEN:
        return ""
    if not effect.seeds or not (effect.pairs or attacked):
        return "it was not measured on these data"
    if not effect.pairs:
        return "for no pair does encoding the target bring the reconstruction nearer to it: trained too little"
    if effect.seeds * effect.pairs < 2:
        return "one value has no interval"
    if contrast.bound is not None:
        return "the interval includes the bound"
    return "the interval includes no effect"


def decided(
    effect: Interval,
    *,
    neutral: float,
    rises: bool,
    size: float | None = None,
    seeds: int = 2,
    margin: float | None = None,
) -> Word:
    """Decide a claim that something rises (or falls), or that there is no gain.

    It **holds** where the whole interval lies on the claimed side of `neutral` and, if the paper states a size, reaches
    that size; **in direction** where it lies on that side but falls short of the size, or comes of one training only.
    It does **not hold** where the whole interval lies on the other side. Else it is **not decided**.
    That there is no gain holds where the interval ends below a gain that would matter, and does not where all of it is
    a gain.

    Args:
        effect: with its interval.
        neutral: no effect: 0 of a difference, 1 of a ratio.
        rises: the claimed direction, or that of a gain.
        size: the paper's effect.
        seeds: number of trainings.
        margin: the smallest gain that would matter, in the unit of the effect, of a claim that there is none.

    Example:
        >>> decided(Interval(2.0, 1.5, 2.5), neutral=1, rises=True).value
        'holds'
        >>> decided(Interval(2.0, 1.5, 2.5), neutral=1, rises=True, size=1000).value
        'holds in direction'
        >>> decided(Interval(0.3, 0.2, 0.4), neutral=0, rises=True, margin=0.05).value
        'does not hold'
    """
    side = 2 * rises - 1
    near, far = sorted([side * (effect.low - neutral), side * (effect.high - neutral)])
    if not (math.isfinite(near) and math.isfinite(far)):
        return Word.OPEN
    if margin is not None:
        if far < margin:
            return Word.HOLDS
        if near > 0:
            return Word.FAILS
        return Word.OPEN
    if far < 0:
        return Word.FAILS
    if near <= 0:
        return Word.OPEN
    if seeds < 2 or (size is not None and far < side * (size - neutral)):
        return Word.DIRECTION
    return Word.HOLDS


def together(words: Sequence[Word]) -> Word:
    """One word for several: the worst that was decided, or that nothing is.

    Example:
        >>> together([Word.HOLDS, Word.OPEN]).value, together([Word.HOLDS, Word.FAILS]).value
        ('not decided', 'does not hold')
    """
    for word in (Word.FAILS, Word.OPEN, Word.DIRECTION, Word.HOLDS):
        if word in words:
            return word
    return Word.OPEN


def gone(found: Iterable[Verdict]) -> list[tuple[Verdict, Verdict]]:
    """Claims that stand under cold starts and not under the continuation: a broken attack and not a robust model."""
    by_solver: dict[str, dict[tuple[str, ...], Verdict]] = {"cold": {}, "continuation": {}}
    for verdict in found:
        objective, _, rest = verdict.attack.partition(", ")
        solver, _, rest = rest.partition(", ")
        if solver in by_solver:
            by_solver[solver][verdict.claim, verdict.data, objective, rest, verdict.measure] = verdict
    both = []
    for key, cold in by_solver["cold"].items():
        strong = by_solver["continuation"].get(key)
        if strong and cold.word in STANDS and strong.word not in STANDS:
            both.append((cold, strong))
    return both
