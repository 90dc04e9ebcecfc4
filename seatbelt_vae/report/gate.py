"""Is one model worse under attack than another? Paired differences, and the conditions that a user's CI sets."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics import Interval
from seatbelt_vae.report.matching import comparisons, described, differences, kind_of, pairs_digest, protocol
from seatbelt_vae.report.measures import Measure, against, measures
from seatbelt_vae.report.runs import Comparison, ReportRun

ALIASES = {
    "success": "success_at_0.5",
    "target_nll": "target_nll_at_0.5",
    "objective": "objective_geometric_mean",
}
"""Short names of measures in conditions."""

_CONDITION = re.compile(r"\s*([a-z_]+(?:[@_a-z0-9.]*[a-z0-9])?)\s*([<>])\s*([+-]?\d*\.?\d+(?:e[+-]?\d+)?)\s*", re.I)


@dataclass(frozen=True)
class Condition:
    """When B fails: a measure that rises above, or falls below, A's by more than a margin.

    Attributes:
        text: as the user wrote it.
        measure: the measure's key.
        above: fails above the margin; else below.
        margin: of the difference B - A, or of the ratio B / A for geometric means.
    """

    text: str
    measure: str
    above: bool
    margin: float

    @classmethod
    def parse(cls, text: str) -> "Condition":
        """Read ``success>+0.05``, ``success@0.3>+0.1``, ``auddc<-0.02``, ``target_nll<-5``, ``objective<0.8``.

        Raises:
            InputError: it is not of that form.

        Example:
            >>> Condition.parse("success@0.3>+0.1").measure, Condition.parse("auddc<-0.02").above
            ('success_at_0.3', False)
        """
        match = _CONDITION.fullmatch(text)
        if not match:
            raise InputError(f"--fail-if {text!r}: must be like success>+0.05 or auddc<-0.02")
        name = match[1].replace("@", "_at_")
        return cls(text, ALIASES.get(name, name), match[2] == ">", float(match[3]))

    def failed(self, difference: Interval) -> bool:
        """Whether the whole interval lies beyond the margin."""
        return difference.low > self.margin if self.above else difference.high < self.margin


@dataclass(frozen=True)
class Difference:
    """B against A by one measure under one attack, over the same pairs.

    Attributes:
        attack: the attack in words.
        measure: what was measured.
        interval: B - A with its 95 % interval; B / A for geometric means.
        p_value: of no difference, by flipping signs.
        pairs: on how many pairs the measure is defined for both.
        verdict: ``better``, ``worse`` or ``no difference`` in robustness, by the interval; for a measure that may not
            be compared across models ``not comparable``.
    """

    attack: str
    measure: Measure
    interval: Interval
    p_value: float
    pairs: int
    verdict: str


def compare(a: ReportRun, b: ReportRun) -> list[Difference]:
    """All measures of all attacks that both runs went through.

    Raises:
        InputError: the runs cannot be compared: other data, other pairs, other protocols, or nothing defined.
    """
    digests = [run.spec.get("data", {}).get("digest") for run in (a, b)]
    if digests[0] != digests[1]:
        raise InputError(f"{a.name} and {b.name}: were trained on different data, so they cannot be compared")
    shared = [comparison for comparison in comparisons([a, b]) if len(comparison.trials) == 2]
    if not shared:
        _refuse_other_ways(a, b)
        held = " and ".join(f"{run.name} has {len(run.attacks)}" for run in (a, b))
        raise InputError(f"no attack on the same pairs in both runs ({held}); attack both with the same settings")
    found = [difference for comparison in shared for difference in _differences(comparison)]
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
        meant = [difference for difference in found if difference.measure.key == condition.measure]
        if not meant:
            known = ", ".join(dict.fromkeys(difference.measure.key for difference in found))
            raise InputError(f"--fail-if {condition.text!r}: no measure {condition.measure}; there are {known}")
        failures += [(condition, difference) for difference in meant if condition.failed(difference.interval)]
    return failures


def _refuse_other_ways(a: ReportRun, b: ReportRun) -> None:
    """Say in what attacks on the same pairs differ, if that is why none can be set against another."""
    for first, _ in a.attacks:
        for second, _ in b.attacks:
            alike = kind_of(first.settings) == kind_of(second.settings) and pairs_digest(first) == pairs_digest(second)
            if alike and protocol(first) != protocol(second):
                how = differences(described(second), described(first))
                title = kind_of(first.settings)[1]
                raise InputError(f"{title}: was made in another way on {b.name} ({how}); redo one of them")


def _differences(comparison: Comparison) -> list[Difference]:
    before, after = comparison.trials
    found = []
    for measure in (measure for measure in measures(comparison) if measure.more_robust):
        test = against(measure, before, after)
        if test is not None:
            verdict = _verdict(measure, test.difference)
            found.append(Difference(comparison.title, measure, test.difference, test.p_value, test.pairs, verdict))
    return found


def _verdict(measure: Measure, difference: Interval) -> str:
    same = 1.0 if measure.statistic == "geometric-mean" else 0.0
    if not measure.comparable:
        return "not comparable"
    if difference.low <= same <= difference.high or not np.isfinite([difference.low, difference.high]).all():
        return "no difference"
    return "better" if (difference.value > same) == (measure.more_robust == "higher") else "worse"
