"""Is one model worse under attack than another, or too weak alone? The conditions that a user's CI sets."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.table import Record
from seatbelt_vae.measures import MEASURES, Measure, measures_of
from seatbelt_vae.metrics import Interval
from seatbelt_vae.report.compare import groups
from seatbelt_vae.report.group import Group, Trial
from seatbelt_vae.report.kind import differences

ALIASES = {"success": "success_at_0.5", "target_nll": "target_nll_at_0.5"}
"""Short names of measures in conditions."""

_CONDITION = re.compile(
    r"\s*([a-z_][a-z_0-9]*(?:@[0-9.]*[0-9])?(?:_at_[0-9.]*[0-9])?)\s*(<=|>=|<|>)\s*([+-]?\d*\.?\d+(?:e[+-]?\d+)?)\s*",
    re.I,
)


@dataclass(frozen=True)
class Condition:
    """A measure and a limit.

    Args:
        text: as the user wrote it.
        key: the measure's key.
        above: whether it speaks of values above the limit; else below.
        limit: the limit: of a value, of the difference B − A, or of the ratio B / A for geometric means.
    """

    text: str
    key: str
    above: bool
    limit: float

    @classmethod
    def parse(cls, text: str, option: str = "--fail-if") -> "Condition":
        """Read ``success>+0.05``, ``success@0.3>+0.1``, ``auddc<-0.02``, ``objective<0.8``, ``f50>=0.3``.

        Raises:
            InputError: it is not of that form.

        Example:
            >>> Condition.parse("success@0.3>+0.1").key, Condition.parse("auddc<-0.02").above
            ('success_at_0.3', False)
        """
        match = _CONDITION.fullmatch(text)
        if not match:
            raise InputError(f"{option} {text!r}: must be like success>+0.05 or auddc<-0.02")
        name, sign, limit = match.groups()
        return cls(text, _key(name), sign.startswith(">"), float(limit))

    def failed(self, difference: Interval) -> bool:
        """Whether the whole interval lies beyond the limit: B is worse."""
        if self.above:
            return difference.low > self.limit
        return difference.high < self.limit

    def shown(self, interval: Interval) -> bool:
        """Whether the whole interval lies on the demanded side of the limit."""
        if self.above:
            return interval.low >= self.limit
        return interval.high <= self.limit


def _key(name: str) -> str:
    """``success@0.3`` is a measure of its own, ``damage@1`` a place in one."""
    measure, _, place = name.partition("@")
    if place and f"{measure}_at_{place}" in MEASURES:
        return f"{measure}_at_{place}"
    return ALIASES.get(name, name)


@dataclass(frozen=True)
class Difference:
    """B against A by one measure under one attack, over the same pairs.

    Args:
        attack: the attack in words.
        key: the measure's, with a radius where there is one.
        measure: what was measured.
        interval: B − A with its 95 % interval; B / A for geometric means.
        p_value: of no difference, by flipping signs.
        pairs: on how many pairs the measure is defined for both.
        verdict: ``better``, ``worse`` or ``no difference`` in robustness, by the interval; for a measure that may not
            be compared across models ``not comparable``.
    """

    attack: str
    key: str
    measure: Measure
    interval: Interval
    p_value: float
    pairs: int
    verdict: str


@dataclass(frozen=True)
class Requirement:
    """What was demanded of a model, and what it has.

    Args:
        condition: what was demanded.
        attack: the attack in words.
        interval: the measure with its 95 % interval.
        met: whether the interval's end shows it.
    """

    condition: Condition
    attack: str
    interval: Interval
    met: bool


def compare(a: Record, b: Record) -> list[Difference]:
    """All measures of all attacks that both runs went through.

    Raises:
        InputError: the runs cannot be compared: other data, other pairs, other protocols, or nothing defined.
    """
    digests = [record.settings.get("data", {}).get("digest") for record in (a, b)]
    if digests[0] != digests[1]:
        raise InputError(f"{a.name} and {b.name}: were trained on different data, so they cannot be compared")
    shared = [group for group in groups([a, b]) if len(group.trials) == 2]
    if not shared:
        _refuse_other_ways(a, b)
        held = " and ".join(f"{record.name} has {len(record.attacks)}" for record in (a, b))
        raise InputError(f"no attack on the same pairs in both runs ({held}); attack both with the same settings")
    found = [difference for group in shared for difference in _differences(group)]
    if not found:
        raise InputError(f"{a.name} and {b.name}: no measure is defined on two pairs or more of both")
    return found


def check(found: Sequence[Difference], conditions: Sequence[Condition]) -> list[tuple[Condition, Difference]]:
    """The conditions that B fails, with the differences that show it.

    Raises:
        InputError: a condition names a measure that was not taken.
    """
    failures = []
    for condition in conditions:
        meant = [difference for difference in found if difference.key == condition.key]
        if not meant:
            raise _unknown(condition, "--fail-if", [difference.key for difference in found])
        for difference in meant:
            if condition.failed(difference.interval):
                failures.append((condition, difference))
    return failures


def require(record: Record, conditions: Sequence[Condition]) -> list[Requirement]:
    """What is demanded of one model: each condition under each attack that has its measure.

    Raises:
        InputError: a condition names a measure that was not taken.
    """
    compared = groups([record])
    found = []
    for condition in conditions:
        meant = [group for group in compared if condition.key in _keys(group)]
        if not meant:
            raise _unknown(condition, "--require", [key for group in compared for key in _keys(group)])
        for group in meant:
            interval = group.interval(group.trials[0], condition.key)
            found.append(Requirement(condition, group.title, interval, condition.shown(interval)))
    return found


def _unknown(condition: Condition, option: str, keys: Sequence[str]) -> InputError:
    known = ", ".join(dict.fromkeys(keys))
    return InputError(f"{option} {condition.text!r}: no measure {condition.key}; there are {known}")


def _keys(group: Group) -> list[str]:
    """What a model is judged by: measures of a pair, and those of a radius where there is no target."""
    keys = []
    for measure in measures_of(group.result, "pair"):
        if measure.better:
            keys.append(measure.key)
    if not group.targeted:
        for measure in measures_of(group.result, "curve"):
            if measure.targeted is False:
                keys += [f"{measure.key}@{radius:g}" for radius in group.budgets]
    return keys


def _differences(group: Group) -> list[Difference]:
    second = group.trials[1]
    found = []
    for key in _keys(group):
        measure = MEASURES[key.partition("@")[0]]
        test = group.compare(second, key)
        if test is not None:
            verdict = _verdict(group, measure, test.difference)
            found.append(Difference(group.title, key, measure, test.difference, test.p_value, test.pairs, verdict))
    return found


def _verdict(group: Group, measure: Measure, difference: Interval) -> str:
    same = 1.0 if measure.ratio else 0.0
    if not group.comparable(measure):
        return "not comparable"
    if math.isnan(difference.low) or difference.low <= same <= difference.high:
        return "no difference"
    if (difference.value > same) == (measure.better == "higher"):
        return "better"
    return "worse"


def _refuse_other_ways(a: Record, b: Record) -> None:
    """Say in what attacks on the same pairs differ, if that is why none can be set against another."""
    for first in (Trial(a, 0, attack) for attack in a.attacks):
        for second in (Trial(b, 1, attack) for attack in b.attacks):
            alike = (first.kind.key, first.kind.images) == (second.kind.key, second.kind.images)
            if alike and first.kind.made != second.kind.made:
                how = differences(second.result, first.result)
                raise InputError(f"{first.kind.title}: was made in another way on {b.name} ({how}); redo one of them")
