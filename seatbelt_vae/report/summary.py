"""Sentences made from the numbers: who needs more distortion, what was done, who resisted."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from seatbelt_vae.experiments import Record
from seatbelt_vae.metrics import Comparison, Interval, compare, interval
from seatbelt_vae.report.compare import data_name
from seatbelt_vae.report.formats import in_sentence, listed, plural
from seatbelt_vae.report.group import Group, Trial
from seatbelt_vae.report.table import Cell
from seatbelt_vae.report.tables import clean_tables

LEVEL = 0.05
"""Of a test, after Holm's adjustment."""

BETTER = "resisted it better than"
WORSE = "resisted it worse than"
ALIKE = "cannot be told apart from"


def summary(records: Sequence[Record], groups: Sequence[Group]) -> tuple[str, ...]:
    """Two sentences: what was done, and who resisted the first attack with a target; before them the headline."""
    targeted = [group for group in groups if group.targeted]
    sentences = [_what(records, targeted)]
    leading = headline(groups)
    if leading:
        sentences.insert(0, leading)
    clean = _clean(records)
    if targeted:
        stood = verdict(targeted[0]).removesuffix(".")
        return *sentences, f"{stood}; {clean}"
    if not groups:
        sentences.append("None of them has been attacked.")
    return *sentences, clean[0].upper() + clean[1:]


def headline(groups: Sequence[Group]) -> str:
    """What the worst distortions do to each model, compared with the first on the same images.

    Returns:
        A sentence for the model that is moved least, if it is moved less than the first; one for the others. Empty
        where no damage was measured, or where there is nothing to compare it with.
    """
    for group in groups:
        ratios = {}
        if not group.targeted:
            ratios = damage_ratios(group)
        if ratios:
            return _headline(group, ratios, _way(groups, ratios))
    return ""


def leading_radius(group: Group) -> str:
    """The radius that the page leads with: the second smallest, where models differ most surely."""
    radii = group.table.places(group.trials[0], "damage")
    return radii[min(1, len(radii) - 1)]


def damage_ratios(group: Group) -> dict[Trial, Comparison]:
    """Damage as a share of that of the first model, paired; models with fewer than two images are left out."""
    key = f"damage@{leading_radius(group)}"
    first = group.values(group.trials[0], key)
    found = {}
    for trial in group.trials[1:]:
        ratio = compare(first, group.values(trial, key), ratio=True)
        if ratio.pairs > 1:
            found[trial] = ratio
    return found


def _headline(group: Group, ratios: dict[Trial, Comparison], way: str) -> str:
    first = group.trials[0].label
    best = _least(ratios)
    adjusted = dict(zip(ratios, holm([ratio.p_value for ratio in ratios.values()]), strict=True))
    told = {}
    for trial, ratio in ratios.items():
        words = trial.label
        if adjusted[trial] > LEVEL:
            words += "; no difference can be told"
        told[trial] = f"{Cell.of(ratio.difference, ratio=True)} ({words})"
    worst = f"the worst distortion of norm {leading_radius(group)} moves"
    if ratios[best].difference.value >= 1 or adjusted[best] > LEVEL:
        others = listed(list(told.values()))
        return f"No model is harder to move than {first}: {worst} the others’ output {others} times as far."
    share = Cell.of(ratios[best].difference, ratio=True)
    leading = f"{best.label} needs more distortion than {first}: {worst} its output {share} times as far{way}."
    del told[best]
    if told:
        others = listed(list(told.values()))
        leading += f" The same distortion moves the others’ output {others} times as far."
    return leading


def _least(ratios: dict[Trial, Comparison]) -> Trial:
    """The model that is moved least."""
    return min(ratios, key=lambda trial: ratios[trial].difference.value)


def _way(groups: Sequence[Group], ratios: dict[Trial, Comparison]) -> str:
    """How far the f50 of the model that is moved least has come towards the blend, under the first attack with one."""
    record = _least(ratios).record
    for group in groups:
        first = group.trials[0]
        mine = [trial for trial in group.trials if trial.record is record]
        blends = [reference for reference in group.references if reference.name == "blend"]
        if group.targeted and mine and blends:
            way = share_of_the_way(group.values(first, "f50"), group.values(mine[0], "f50"), blends[0].f50)
            if not math.isnan(way.value):
                return (
                    f", and it has come {Cell.of(way)} of the way from the f50 of {first.label} to that of blending "
                    "the images"
                )
    return ""


def share_of_the_way(before: Tensor, after: Tensor, reference: Tensor) -> Interval:
    r"""How far f50 has come on the way from one model to what no model sets, over the same pairs.

    .. math:: s = \frac{\overline{after} - \overline{before}}{\overline{reference} - \overline{before}}

    The interval is that of the mean of :math:`s + (a_p - s g_p) / \bar g`, with a the gain of a pair and g its gap.

    Args:
        before: f50 of the first model, (P,).
        after: f50 of another, (P,).
        reference: f50 of the reference, (P,).

    Returns:
        0: no gain. 1: as good as the reference. NaN where fewer than two pairs have all three, or there is no gap.

    Example:
        >>> half = share_of_the_way(torch.tensor([0.2, 0.3]), torch.tensor([0.3, 0.4]), torch.tensor([0.4, 0.5]))
        >>> round(half.value, 6), round(half.low, 6)
        (0.5, 0.5)
    """
    rows = torch.stack([before.double(), after.double(), reference.double()])
    before, after, reference = rows[:, rows.isfinite().all(0)]
    gain = after - before
    gap = reference - before
    if len(gap) < 2 or not gap.mean() > 0:
        return interval([math.nan])
    share = gain.mean() / gap.mean()
    return interval(share + (gain - share * gap) / gap.mean())


def _what(records: Sequence[Record], groups: Sequence[Group]) -> str:
    models = plural(len(records), "model")
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


def verdict(group: Group) -> str:
    """Which models resisted better or worse than the first, by AUDDC on the same pairs, Holm-adjusted."""
    first, *rest = group.trials
    if not rest:
        return _alone(group, first)
    tests = {}
    for trial in rest:
        if test := group.compare(trial, "auddc"):
            tests[trial.label] = test
    if not tests:
        return (
            f"Whether any model resisted better than {first.label} cannot be told: "
            "there are fewer than two pairs on which the success of both is defined."
        )
    judged: dict[str, list[str]] = {BETTER: [], WORSE: [], ALIKE: []}
    for (label, test), p_value in zip(tests.items(), holm([test.p_value for test in tests.values()]), strict=True):
        how = WORSE
        sign = ""
        if test.difference.value > 0:
            how = BETTER
            sign = "+"
        if p_value > LEVEL:
            how = ALIKE
        judged[how].append(f"{label} ({sign}{Cell.of(test.difference)})")
    said = [f"{listed(names)} {how} {first.label}" for how, names in judged.items() if names]
    return f"By AUDDC on the same pairs, {', while '.join(said)}."


def _alone(group: Group, trial: Trial) -> str:
    found = group.interval(trial, "auddc")
    if math.isnan(found.value):
        return f"AUDDC of {trial.label} is not defined on any pair."
    return f"AUDDC of {trial.label} is {Cell.of(found)} (1: no attack succeeds)."


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted for how many there are (Holm 1979): reject where one is below the level.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    count = len(p_values)
    adjusted = [math.nan] * count
    floor = 0.0
    for rank, place in enumerate(sorted(range(count), key=p_values.__getitem__)):
        floor = max(floor, min(1.0, (count - rank) * p_values[place]))
        adjusted[place] = floor
    return adjusted


def _clean(records: Sequence[Record]) -> str:
    """The clean ELBOs, so that robustness bought by a worse model is seen."""
    for table in clean_tables(records):
        for place, column in enumerate(table.columns):
            if column.key == "elbo":
                missing = [line.label for line in table.lines if not line.cells[place]]
                if missing:
                    return f"the clean ELBO of {listed(missing)} has not been measured."
                cells = [str(line.cells[place]) for line in table.lines]
                order = ", in the same order" if len(cells) > 1 else ""
                return f"without an attack the ELBO is {listed(cells)} nats{order}."
    return "their clean ELBO has not been measured."
