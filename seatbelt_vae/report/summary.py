"""Three sentences, made from the numbers: what was done, how far the attack got, who stood it better."""

import math
import re
from collections.abc import Sequence

from seatbelt_vae.experiments import Record
from seatbelt_vae.metrics import Comparison
from seatbelt_vae.report.clean import clean_tables
from seatbelt_vae.report.compare import data_name
from seatbelt_vae.report.formats import in_sentence
from seatbelt_vae.report.group import Group, Trial
from seatbelt_vae.report.tables import Cell, cell_text

LEVEL = 0.05
"""Of a test, after Holm's adjustment."""

BETTER = "resisted it better than"
WORSE = "resisted it worse than"
ALIKE = "cannot be told apart from"

_COUNTS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")


def summary(records: Sequence[Record], groups: Sequence[Group]) -> tuple[str, ...]:
    """Three sentences; the last two speak of the first attack.

    Args:
        records: the models.
        groups: the attacks with a target on them, may be empty.
    """
    if not groups:
        return _what(records, groups), "None of them has been attacked.", _clean(records)
    stood = verdict(groups[0]).removesuffix(".")
    return _what(records, groups), how_far(groups[0]), f"{stood}; {_clean(records)}"


def listed(words: Sequence[str]) -> str:
    """A, B and C.

    Example:
        >>> listed(["a", "b", "c"]), listed(["a"]), listed(["a, 1", "b, 2"])
        ('a, b and c', 'a', 'a, 1; and b, 2')
        >>> listed(["0.5 [0.4, 0.6] for a", "0.7 [0.5, 0.9] for b"])
        '0.5 [0.4, 0.6] for a and 0.7 [0.5, 0.9] for b'
    """
    if len(words) < 2:
        return "".join(words)
    outside = [re.sub(r"\[.*?\]|\(.*\)", "", word) for word in words]
    if any(", " in word for word in outside):
        return "; ".join([*words[:-1], f"and {words[-1]}"])
    return f"{', '.join(words[:-1])} and {words[-1]}"


def plural(count: int, word: str) -> str:
    """A number of things.

    Example:
        >>> plural(1, "pair"), plural(2, "pair"), plural(3, "radius")
        ('1 pair', '2 pairs', '3 radii')
    """
    if count == 1:
        return f"1 {word}"
    if word.endswith("us"):
        return f"{count} {word[:-2]}i"
    return f"{count} {word}s"


def _what(records: Sequence[Record], groups: Sequence[Group]) -> str:
    models = plural(len(records), "model")
    if len(records) < len(_COUNTS):
        models = models.replace(str(len(records)), _COUNTS[len(records)])
    labels = "; ".join(record.label for record in records)
    data = listed(sorted({data_name(record) for record in records}))
    were = "was" if len(records) == 1 else "were"
    opening = f"{models} ({labels}) {were} trained on {data}"
    if not groups:
        return f"{opening}."
    pairs = plural(groups[0].pairs, "pair") + " of images"
    kinds = [in_sentence(group.title) for group in groups]
    grids = [_grid(group) for group in groups]
    if len(set(grids)) == 1:
        return f"{opening} and attacked on {pairs} at {grids[0]}: {listed(kinds)}."
    attacks = [f"{kind} at {grid}" for kind, grid in zip(kinds, grids, strict=True)]
    return f"{opening} and attacked on {pairs}: {listed(attacks)}."


def _grid(group: Group) -> str:
    count = len(group.budgets)
    if group.symbol == "λ":
        return f"{plural(count, 'weight')} λ of the distortion"
    return f"{plural(count, 'radius')} {group.symbol}"


def how_far(group: Group) -> str:
    """How far the attack got at the larger matched distortion."""
    reached = []
    undefined = []
    for trial in group.trials:
        interval = group.interval(trial, "success_at_0.5")
        if math.isnan(interval.value):
            undefined.append(trial.label)
        else:
            reached.append(f"{cell_text(Cell.of(interval))} for {trial.label}")
    said = []
    if reached:
        scale = "where 0 is nothing gained and 1 as good as encoding the target"
        said.append(f"reached a success of {listed(reached)}, {scale}")
    if undefined:
        nowhere = "is defined on no pair (encoding the target brings its reconstruction no nearer)"
        said.append(f"has no success for {listed(undefined)}, where it {nowhere}")
    opening = "With a distortion of at most half the distance from source to target, the "
    return f"{opening}{in_sentence(group.title)} {'; it '.join(said)}."


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


def _clean(records: Sequence[Record]) -> str:
    """The clean ELBOs, so that robustness bought by a worse model is seen."""
    for table in clean_tables(records):
        for place, column in enumerate(table.columns):
            if column.key == "elbo":
                cells = [cell_text(line.cells[place]) for line in table.lines]
                order = ", in the same order" if len(cells) > 1 else ""
                return f"without an attack the ELBO is {listed(cells)} nats{order}."
    return "their clean ELBO has not been measured."
