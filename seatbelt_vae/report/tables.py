"""Which tables there are: of models under attack, and of what they are without one."""

import math
from collections.abc import Iterator, Sequence

import torch

from seatbelt_vae.experiments import Cell as Place
from seatbelt_vae.experiments import Record
from seatbelt_vae.experiments import Table as Numbers
from seatbelt_vae.experiments.table import EMPTY, measure_of
from seatbelt_vae.measures import DISENTANGLEMENT, EVIDENCE, GAINED, IMAGES, REACHED, WEIGHTS, Measure
from seatbelt_vae.metrics import Interval
from seatbelt_vae.notebook import spread
from seatbelt_vae.optim import Status
from seatbelt_vae.report.formats import budget_text, number
from seatbelt_vae.report.group import Group, Trial
from seatbelt_vae.report.table import Cell, Column, Table

MOST_RADII = 6
"""Radii that a table shows at most."""

_ENDS = "[± 1.96 standard errors]; ↑ higher, ↓ lower is better."

CLEAN = (
    (
        "evidence",
        "How well the models explain images",
        EVIDENCE,
        f"Means over held-out images {_ENDS} Layers are listed bottom first.",
    ),
    (
        "disentanglement",
        "Disentanglement of the top layer",
        DISENTANGLEMENT,
        f"Of the top layer, over all training images {_ENDS}",
    ),
    ("images", "Reconstructions, not attacked", IMAGES, f"Means over held-out images {_ENDS}"),
    ("weights", "Weights and training", WEIGHTS, "Encoder, then decoder. Neither way is better."),
    (
        "noise",
        "What noise costs",
        (),
        "log p(x|z) less log p(x|z*), z* drawn from q(z|x + noise) [1.96 standard errors over images]; ↓ lower is "
        "more robust.",
    ),
)
"""Key, title, measures and note of each table without an attack, in their order."""


def attack_table(group: Group) -> Table:
    """The table over models of what one attack gained: success at matched distortion, AUDDC and f50 first.

    The difference of AUDDC to the first model is tested on the same pairs (sign flips).
    """
    keys = [measure.key for measure in GAINED if measure.listed]
    return _table(group, group.title, keys, list(_notes(group)), tested="auddc")


def objective_table(group: Group) -> Table:
    """The table over models of Δ, what the attack minimised: before the attack, and over its grid."""
    keys = [measure.key for measure in REACHED if group.has(measure.key)]
    notes = [f"Over {group.pairs} pairs [95 % interval over pairs]; ↑ higher is more robust."]
    if not all(group.comparable(measure) for measure in REACHED):
        notes.append("† not comparable across models.")
    return _table(group, f"{group.title}: Δ, what it minimised", keys, notes, suffix="-objective")


def damage_table(group: Group) -> Table:
    """Damage within each radius; at the largest it is tested against the first model on the same images."""
    keys = radius_keys(group, "damage")
    note = (
        f"‖rec(x*) − rec(x)‖: mean over {group.pairs} images [95 % interval over images]; ↓ lower is more "
        "robust. No target: how far the output can be moved at all."
    )
    return _table(group, group.title, keys, [note], tested=keys[-1])


def amplification_table(group: Group) -> Table:
    """Damage over radius; at the smallest it is tested against the first model on the same images."""
    keys = radius_keys(group, "amplification")
    note = f"{measure_of(keys[0]).definition} Mean over {group.pairs} images [95 % interval over images]."
    return _table(group, f"{group.title}: amplification", keys, [note], tested=keys[0], suffix="-amplification")


def radius_keys(group: Group, key: str) -> list[str]:
    """A measure at each radius, thinned to `MOST_RADII`."""
    radii = group.table.places(group.trials[0], key)
    return [f"{key}@{radii[place]}" for place in spread(len(group.budgets), MOST_RADII)]


def _table(
    group: Group, title: str, keys: Sequence[str], notes: Sequence[str], *, tested: str = "", suffix: str = ""
) -> Table:
    """A row for each trial, then for what no model sets; `tested` is also compared with the first model."""
    columns = {}
    for key in keys:
        columns[column(group, key)] = _cells(group, key)
        if key == tested and len(group.trials) > 1:
            columns[_difference_column(group, key)] = _differences(group, key)
    names: list[tuple[str, int | None]] = [(trial.label, trial.slot) for trial in group.trials]
    names += [(reference.name, None) for reference in group.references]
    return Table.of(group.key + suffix, title, names, columns, notes)


def column(group: Group, key: str) -> Column:
    """The column of a measure, with what this attack's settings make of its words."""
    measure = measure_of(key)
    _, _, radius = key.partition("@")
    title = group.worded(measure.title)
    if radius:
        title = f"{group.symbol} = {radius}"
    return Column(
        key=key.replace("@", "_at_"),
        title=title,
        unit=group.unit(measure),
        better=measure.better,
        comparable=group.comparable(measure),
        definition=group.worded(measure.definition),
    )


def _cells(group: Group, key: str) -> list[Cell | None]:
    ratio = measure_of(key).ratio
    cells = [_cell(group.interval(trial, key), ratio) for trial in group.trials]
    for reference in group.references:
        found = group.reference(reference, key)
        if found and not found.low < found.high:  # the same for every pair: no interval
            found = Interval(found.value, math.nan, math.nan)
        cells.append(_cell(found, ratio))
    return cells


def _cell(interval: Interval | None, ratio: bool) -> Cell | None:
    if interval is None or math.isnan(interval.value):
        return None
    return Cell.of(interval, ratio=ratio)


def _difference_column(group: Group, key: str) -> Column:
    measure = measure_of(key)
    name, _, radius = key.partition("@")
    what = measure.title
    if radius:
        what = f"at {radius},"
    return Column(
        key=f"{name}_difference",
        title=f"{what} less that of {group.trials[0].label}",
        unit=measure.unit,
        better=measure.better,
        definition="Mean difference over the same pairs; p is two-sided, from flipping the signs of the differences.",
    )


def _differences(group: Group, key: str) -> list[Cell | None]:
    cells: list[Cell | None] = [Cell(words="reference")]
    for trial in group.trials[1:]:
        test = group.compare(trial, key)
        cell = None
        if test:
            cell = Cell.of(test.difference, note=f"p = {test.p_value:.2g}")
        cells.append(cell)
    return cells + [None] * len(group.references)


def _notes(group: Group) -> Iterator[str]:
    if group.pairs == 1:
        yield "One pair: no interval can be given. ↑ higher, ↓ lower is more robust."
    else:
        yield f"Mean over {group.pairs} pairs [95 % interval over pairs]; ↑ higher, ↓ lower is more robust."
    for trial in group.trials:
        for words in _troubles(group, trial):
            yield f"{trial.label}: {words}"


def _troubles(group: Group, trial: Trial) -> Iterator[str]:
    """What went wrong in an attack, a sentence each."""
    undefined = int((~trial.attacked.defined).sum())
    if undefined:
        yield (
            f"success is not defined on {undefined} of {group.pairs} pairs (encoding the target brings its "
            "reconstruction no nearer); they are left out of success, AUDDC and f50."
        )
    never = int(group.values(trial, "f50").isinf().sum())
    if never:
        yield f"success one half is not reached on {never} of {group.pairs} pairs; they are left out of f50."
    status = trial.result.status
    cut = status == int(Status.BUDGET)
    if cut.any():
        largest = group.budgets[int(cut.any(0).nonzero().max())]
        where = f"{group.symbol} = {budget_text(group.symbol, largest)}"
        yield f"{int(cut.sum())} of {cut.numel()} attacks ran out of iterations, at {where} and below."
    lost = int((status == int(Status.NOT_FINITE)).sum())
    if lost:
        yield f"{lost} of {status.numel()} attacks met values that are not finite."


def clean_tables(records: Sequence[Record]) -> tuple[Table, ...]:
    """What the models are without an attack; columns and tables of which no run has a number are left out."""
    numbers = Numbers(records)
    scales = torch.cat([EMPTY, *(numbers.values(Place(record), "noise_scales") for record in records)])
    tables = []
    for key, title, measures, note in CLEAN:
        columns = [_clean_column(measure) for measure in measures if measure.listed]
        if key == "noise":
            columns = [_noise_column(scale) for scale in scales.unique().tolist()]
        cells = {column: [_measured(numbers, record, column.key) for record in records] for column in columns}
        known = {column: found for column, found in cells.items() if any(found)}
        names = [(record.label, slot) for slot, record in enumerate(records)]
        if known:
            tables.append(Table.of(f"clean-{key}", title, names, known, [note]))
    return tuple(tables)


def _clean_column(measure: Measure) -> Column:
    return Column(measure.key, measure.title, measure.unit, measure.better, definition=measure.definition)


def _noise_column(scale: float) -> Column:
    definition = "What noise of this standard deviation, for data in [−1, 1], takes from log p(x|z*)."
    return Column(f"noise_drop@{scale:g}", f"scale {scale:g}", "nats", "lower", definition=definition)


def _measured(numbers: Numbers, record: Record, key: str) -> Cell | None:
    """A measurement: a number with its error, or one for each layer or part; each may lack a number."""
    place = Place(record)
    values = numbers.values(place, key).tolist()
    if not values:
        return None
    measure = measure_of(key)
    if "@" not in key and numbers.places(place, key) != [""]:
        return Cell(words=", ".join(_words(value, measure) for value in values))
    (value,) = values
    if math.isnan(value):
        return None
    half = 1.96 * float(numbers.errors(place, key)[0])
    return Cell(value, value - half, value + half)


def _words(value: float, measure: Measure) -> str:
    if measure.whole and not math.isnan(value):
        return str(int(value))
    return number(value)
