"""What becomes of a claim: one word, decided by an interval and never by hand."""

import math
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from seatbelt_vae.metrics import Interval


class Word(StrEnum):
    """What became of a claim."""

    HOLDS = "holds"
    DIRECTION = "holds in direction"
    FAILS = "does not hold"
    OPEN = "not decided"


@dataclass(frozen=True)
class Verdict:
    """A claim about one quantity of one set of data, and what was found.

    Attributes:
        claim: in words.
        data: on which images.
        attack: under which attack; empty without one.
        quantity: its key.
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
    quantity: str
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
        ends = {key: value if math.isfinite(value) else None for key, value in asdict(self.effect).items()}
        return {**{key: value for key, value in asdict(self).items() if key != "effect"}, **ends}


def decided(effect: Interval, *, neutral: float, rises: bool, size: float | None = None, seeds: int = 2) -> Word:
    """Decide a claim that something rises (or falls).

    It **holds** where the whole interval lies on the claimed side of `neutral` and, if the paper states a size, reaches
    that size; **in direction** where it lies on that side but falls short of the size, or comes of one training only.
    It does **not hold** where the whole interval lies on the other side. Else it is **not decided**.

    Args:
        effect: with its interval.
        neutral: no effect: 0 of a difference, 1 of a ratio.
        rises: the claimed direction.
        size: the paper's effect.
        seeds: number of trainings.

    Example:
        >>> decided(Interval(2.0, 1.5, 2.5), neutral=1, rises=True).value
        'holds'
        >>> decided(Interval(2.0, 1.5, 2.5), neutral=1, rises=True, size=1000).value
        'holds in direction'
        >>> decided(Interval(2.0, 0.5, 2.5), neutral=1, rises=True).value
        'not decided'
    """
    sign = 1 if rises else -1
    near, far = sorted((sign * (effect.low - neutral), sign * (effect.high - neutral)))
    if not (math.isfinite(near) and math.isfinite(far)):
        return Word.OPEN
    if near > 0:
        short = size is not None and far < sign * (size - neutral)
        return Word.DIRECTION if short or seeds < 2 else Word.HOLDS
    return Word.FAILS if far < 0 else Word.OPEN


def no_more(effect: Interval, *, neutral: float, rises: bool, margin: float) -> Word:
    """Decide a claim that there is no gain: it holds where the interval ends below a gain that would matter.

    Args:
        effect: with its interval.
        neutral: no effect.
        rises: the direction of a gain.
        margin: the smallest gain that would matter, in the unit of the effect, above 0.

    Example:
        >>> no_more(Interval(0.0, -0.02, 0.02), neutral=0, rises=True, margin=0.05).value
        'holds'
        >>> no_more(Interval(0.3, 0.2, 0.4), neutral=0, rises=True, margin=0.05).value
        'does not hold'
    """
    sign = 1 if rises else -1
    near, far = sorted((sign * (effect.low - neutral), sign * (effect.high - neutral)))
    if not (math.isfinite(near) and math.isfinite(far)):
        return Word.OPEN
    if far < margin:
        return Word.HOLDS
    return Word.FAILS if near > 0 else Word.OPEN


def together(words: list[Word]) -> Word:
    """One word for several: the worst that was decided, or that nothing is.

    Example:
        >>> together([Word.HOLDS, Word.OPEN]).value, together([Word.HOLDS, Word.FAILS]).value
        ('not decided', 'does not hold')
    """
    for word in (Word.FAILS, Word.OPEN, Word.DIRECTION):
        if word in words:
            return word
    return Word.HOLDS if words else Word.OPEN
