"""Which models resisted an attack better than the first, in words, with a test on the same pairs."""

import math
from collections.abc import Sequence

from seatbelt_vae.metrics import Comparison
from seatbelt_vae.report.formats import listed
from seatbelt_vae.report.group import Group, Trial
from seatbelt_vae.report.tables import Cell, cell_text

LEVEL = 0.05
"""Of a test, after Holm's adjustment."""

BETTER = "resisted it better than"
WORSE = "resisted it worse than"
ALIKE = "cannot be told apart from"


def verdict(group: Group) -> str:
    """Which models resisted better or worse than the first, by AUDDC on the same pairs, Holm-adjusted."""
    first, *rest = group.trials
    if not rest:
        return _alone(group, first)
    tests = {}
    for trial in rest:
        test = group.compare(trial, "auddc")
        if test:
            tests[trial.label] = test
    if not tests:
        return (
            f"Whether any model resisted better than {first.label} cannot be told: "
            "there are fewer than two pairs on which the success of both is defined."
        )
    adjusted = holm([test.p_value for test in tests.values()])
    judged: dict[str, list[str]] = {BETTER: [], WORSE: [], ALIKE: []}
    for (label, test), p_value in zip(tests.items(), adjusted, strict=True):
        judged[_judge(test, p_value)].append(_named(label, test))
    said = [f"{listed(names)} {how} {first.label}" for how, names in judged.items() if names]
    return f"By AUDDC on the same pairs, {', while '.join(said)}."


def _alone(group: Group, trial: Trial) -> str:
    interval = group.interval(trial, "auddc")
    if math.isnan(interval.value):
        return f"AUDDC of {trial.label} is not defined on any pair."
    return f"AUDDC of {trial.label} is {cell_text(Cell.of(interval))} (1: no attack succeeds)."


def _judge(test: Comparison, adjusted: float) -> str:
    if adjusted > LEVEL:
        return ALIKE
    if test.difference.value > 0:
        return BETTER
    return WORSE


def _named(label: str, test: Comparison) -> str:
    sign = "+" if test.difference.value > 0 else ""
    return f"{label} ({sign}{cell_text(Cell.of(test.difference))})"


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted for how many there are (Holm 1979): reject where it is below the level.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    count = len(p_values)
    order = sorted(range(count), key=lambda place: p_values[place])
    adjusted = [math.nan] * count
    floor = 0.0
    for rank, place in enumerate(order):
        floor = max(floor, min(1.0, (count - rank) * p_values[place]))
        adjusted[place] = floor
    return adjusted
