"""Is one model worse under attack than another, or too weak alone? The conditions that a user's CI sets."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments import Record
from seatbelt_vae.experiments.table import measure_of
from seatbelt_vae.measures import MEASURES, Measure, measures_of
from seatbelt_vae.metrics import Interval
from seatbelt_vae.report.compare import groups
from seatbelt_vae.report.group import Group, Trial
from seatbelt_vae.report.kind import differences

ALIASES = {"success": "success_at_0.5", "target_nll": "target_nll_at_0.5"}
"""Short names of measures in conditions."""

_CONDITION = re.compile(r"\s*([a-z_][a-z_0-9.@]*?)\s*([<>]=?)\s*([+-]?\d*\.?\d+(?:e[+-]?\d+)?)\s*", re.I)


@dataclass(frozen=True)
class Condition:
    """A measure and its limit.

    Args:
        option: ``--fail-if``, of a difference, or ``--require``, of a model alone.
        text: as the user wrote it.
        key: the measure's key.
        above: whether it speaks of values above the limit; else below.
        limit: of a value, of the difference B − A, or of the ratio B / A for geometric means.
        reached: whether the limit itself is enough.
    """

    option: str
    text: str
    key: str
    above: bool
    limit: float
    reached: bool

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
        key = ALIASES.get(name, name)
        if key.replace("@", "_at_") in MEASURES:  # damage@1 is no measure of its own, but a place in one
            key = key.replace("@", "_at_")
        return cls(option, text, key, sign[0] == ">", float(limit), sign.endswith("="))

    def __str__(self) -> str:
        return f"{self.option} {self.text!r}"

    def holds(self, interval: Interval) -> bool:
        """Whether the whole interval lies beyond the limit; for ≥ and ≤ it may end there."""
        if self.above:
            return interval.low > self.limit or (self.reached and interval.low == self.limit)
        return interval.high < self.limit or (self.reached and interval.high == self.limit)


@dataclass(frozen=True)
class Finding:
    """One model by one measure under one attack, alone or against another over the same pairs.

    Args:
        attack: the attack in words.
        key: the measure's key, with a radius where there is one.
        measure: what was measured.
        interval: the value, B − A, or B / A for geometric means, with its 95 % interval.
        p_value: of no difference, by flipping signs; NaN for a model alone.
        pairs: on how many pairs the measure is defined.
        verdict: ``better``, ``worse`` or ``no difference`` in robustness, by the interval; for a measure that may not
            be compared across models ``not comparable``; empty for a model alone.
    """

    attack: str
    key: str
    measure: Measure
    interval: Interval
    p_value: float
    pairs: int
    verdict: str


@dataclass(frozen=True)
class Check:
    """A condition held against one finding.

    Args:
        condition: of ``--fail-if`` or ``--require``.
        finding: what it speaks of.
    """

    condition: Condition
    finding: Finding

    @property
    def passed(self) -> bool:
        """Whether what is required holds, or what must not be does not."""
        return self.condition.holds(self.finding.interval) == (self.condition.option == "--require")

    def __str__(self) -> str:
        return f"{self.condition.text} under {self.finding.attack}"


def compare(a: Record, b: Record) -> list[Finding]:
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
    found = [finding for group in shared for finding in _differences(group)]
    if not found:
        raise InputError(f"{a.name} and {b.name}: no measure is defined on two pairs or more of both")
    return found


def alone(record: Record) -> list[Finding]:
    """All measures of all attacks that a run went through."""
    found = []
    for group in groups([record]):
        trial = group.trials[0]
        for key in _keys(group):
            interval = group.interval(trial, key)
            pairs = int(group.values(trial, key).isfinite().sum())
            found.append(Finding(group.title, key, measure_of(key), interval, math.nan, pairs, ""))
    return found


def checks(found: Sequence[Finding], conditions: Sequence[Condition]) -> list[Check]:
    """Hold conditions against findings: a check for each condition and attack.

    Raises:
        InputError: a condition names a measure that was not taken.
    """
    made = []
    for condition in conditions:
        meant = [Check(condition, finding) for finding in found if finding.key == condition.key]
        if not meant:
            known = ", ".join(dict.fromkeys(finding.key for finding in found))
            raise InputError(f"{condition}: no measure {condition.key}; there are {known}")
        made += meant
    return made


def _keys(group: Group) -> Iterator[str]:
    """What a model is judged by: measures of a pair, and those of a radius where there is no target."""
    for measure in measures_of(group.result, "pair"):
        if measure.better:
            yield measure.key
    for measure in measures_of(group.result, "curve"):
        if measure.targeted is False:
            yield from (f"{measure.key}@{radius:g}" for radius in group.budgets)


def _differences(group: Group) -> Iterator[Finding]:
    for key in _keys(group):
        measure = measure_of(key)
        test = group.compare(group.trials[1], key)
        if test:
            judged = "not comparable"
            if group.comparable(measure):
                judged = verdict(measure, test.difference)
            yield Finding(group.title, key, measure, test.difference, test.p_value, test.pairs, judged)


def verdict(measure: Measure, difference: Interval) -> str:
    """Whether a difference, or a ratio, is for the better in robustness, by its interval."""
    same = float(measure.ratio)
    if math.isnan(difference.low) or difference.low <= same <= difference.high:
        return "no difference"
    if (difference.value > same) == (measure.better == "higher"):
        return "better"
    return "worse"


def _refuse_other_ways(a: Record, b: Record) -> None:
    """Say in what attacks on the same pairs differ, if that is why none can be set against another."""
    for mine in a.attacks:
        for theirs in b.attacks:
            first = Trial(a, mine)
            second = Trial(b, theirs)
            alike = first.kind.key == second.kind.key and first.kind.images == second.kind.images
            if alike and first.kind.made != second.kind.made:
                how = differences(second.result, first.result)
                raise InputError(f"{first.kind.title}: was made in another way on {b.name} ({how}); redo one of them")
