"""Sentences made from the numbers: who needs more distortion, what was done, how far the attack got."""

import math
from collections.abc import Sequence

from seatbelt_vae.experiments import Record
from seatbelt_vae.report.clean import clean_tables
from seatbelt_vae.report.compare import data_name
from seatbelt_vae.report.formats import in_sentence, listed, plural
from seatbelt_vae.report.group import Group
from seatbelt_vae.report.headline import headline
from seatbelt_vae.report.tables import Cell, cell_text
from seatbelt_vae.report.verdict import verdict

_COUNTS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")


def summary(records: Sequence[Record], groups: Sequence[Group]) -> tuple[str, ...]:
    """Three sentences, of which the last two speak of the first attack with a target; before them the headline.

    Args:
        records: the models.
        groups: the attacks on them, may be empty.
    """
    targeted = [group for group in groups if group.targeted]
    sentences = [_what(records, targeted)]
    leading = headline(groups)
    if leading:
        sentences.insert(0, leading)
    if targeted:
        stood = verdict(targeted[0]).removesuffix(".")
        return *sentences, how_far(targeted[0]), f"{stood}; {_clean(records)}"
    if not groups:
        sentences.append("None of them has been attacked.")
    return *sentences, _clean(records)


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


def _clean(records: Sequence[Record]) -> str:
    """The clean ELBOs, so that robustness bought by a worse model is seen."""
    for table in clean_tables(records):
        for place, column in enumerate(table.columns):
            if column.key == "elbo":
                cells = [cell_text(line.cells[place]) for line in table.lines]
                order = ", in the same order" if len(cells) > 1 else ""
                return f"without an attack the ELBO is {listed(cells)} nats{order}."
    return "their clean ELBO has not been measured."
