"""Tables of typed cells, and what they say over models under attack."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seatbelt_vae.experiments.table import measure_of
from seatbelt_vae.measures import GAINED, REACHED
from seatbelt_vae.metrics import Interval
from seatbelt_vae.optim import Status
from seatbelt_vae.report.formats import budget_text, number, with_unit
from seatbelt_vae.report.group import Group, Trial

ARROWS = {"higher": " ↑", "lower": " ↓", "": ""}

BY_LAYER = ("success_at_0.3", "success_at_0.5", "auddc", "f50", "target_nll_at_0.5")
"""Measures by which attacks on single layers are set against each other."""

MOST_RADII = 6
"""Radii that a table shows at most."""


@dataclass(frozen=True)
class Column:
    """A column.

    Args:
        key: its name in CSV files.
        title: its heading.
        unit: nats and so on.
        better: which way is better; empty where neither is.
        comparable: whether models of other latent spaces may be compared by it.
        definition: how to read it.
    """

    key: str
    title: str
    unit: str = ""
    better: str = ""
    comparable: bool = True
    definition: str = ""

    @property
    def heading(self) -> str:
        """Title with an arrow to what is better, and the mark of what may not be compared across models."""
        heading = self.title + ARROWS[self.better]
        if not self.comparable:
            heading += " †"
        return heading

    @property
    def with_unit(self) -> str:
        """Heading and unit."""
        return with_unit(self.heading, self.unit)


@dataclass(frozen=True)
class Cell:
    """A value with the ends of its 95 % interval (NaN where there is none), or words.

    Args:
        value: the number; NaN for a cell of words.
        low: low end.
        high: high end.
        words: shown in place of a number.
        note: shown after it, such as a p-value.
        ratio: the interval is multiplicative, as that of a geometric mean.
    """

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    words: str = ""
    note: str = ""
    ratio: bool = False

    @classmethod
    def of(cls, interval: Interval, note: str = "", ratio: bool = False) -> "Cell":
        """A cell from an interval."""
        return cls(interval.value, interval.low, interval.high, note=note, ratio=ratio)

    @property
    def bounded(self) -> bool:
        """Whether it has an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def texts(self) -> tuple[str, str]:
        """The value, and its interval (empty where there is none).

        Each end of a wide ratio has its own size: two digits each. Otherwise the spread decides how many decimals
        stand.
        """
        if self.words:
            return self.words, ""
        if not self.bounded:
            return number(self.value), ""
        digits = 3
        spread: float | None = (self.high - self.low) / 2
        if self.ratio and self.high > 2 * self.low:
            digits = 2
            spread = None
        low = number(self.low, spread, digits)
        high = number(self.high, spread, digits)
        return number(self.value, spread, digits), f"[{low}, {high}]"


def cell_text(cell: Cell | None) -> str:
    """A cell in plain characters.

    Example:
        >>> cell_text(Cell(0.527, 0.44, 0.61)), cell_text(None), cell_text(Cell(0.1, -0.02, 0.2, note="p = 0.04"))
        ('0.53 [0.44, 0.61]', '–', '0.10 [−0.02, 0.20], p = 0.04')
        >>> cell_text(Cell(1.6, 7e-4, 3476, ratio=True)), cell_text(Cell(1.021, 1.013, 1.03, ratio=True))
        ('1.6 [7.0×10⁻⁴, 3476]', '1.021 [1.013, 1.030]')
    """
    if cell is None:
        return "–"
    text = " ".join(cell.texts).rstrip()
    if cell.note:
        text += f", {cell.note}"
    return text


@dataclass(frozen=True)
class Line:
    """A row.

    Args:
        label: the model.
        slot: its place in the report; None for what is no model.
        cells: one for each column; None: not measured.
    """

    label: str
    slot: int | None
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class Table:
    """Rows under one title.

    Args:
        key: name of its files.
        title: its caption.
        columns: one for each cell of a row.
        lines: its rows.
        notes: sentences below it.
    """

    key: str
    title: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()


def attack_table(group: Group) -> Table:
    """The table over models of what one attack gained: success at matched distortion, AUDDC and f50 first.

    The difference of AUDDC to the first model is tested on the same pairs (sign flips).
    """
    keys = [measure.key for measure in GAINED if measure.listed]
    return _table(group, group.title, keys, _notes(group), tested="auddc")


def objective_table(group: Group) -> Table:
    """The table over models of Δ, what the attack minimised: before the attack, and over its grid."""
    keys = [measure.key for measure in REACHED if group.has(measure.key)]
    notes = [f"Over {group.pairs} pairs [95 % interval over pairs]; ↑ higher is more robust."]
    if not all(group.comparable(measure) for measure in REACHED):
        notes.append("† not comparable across models.")
    return _table(group, f"{group.title}: Δ, what it minimised", keys, notes, suffix="objective")


def layer_table(group: Group) -> Table:
    """A row for each model and the layers aimed at; AUDDC is tested against the model's first row on the same pairs."""
    note = (
        "The same attack, whose Δ compares the posteriors of the layers named. Mean over pairs [95 % interval over "
        "pairs]; ↑ higher, ↓ lower is more robust: what is least robust is where the model gives way."
    )
    return _table(group, group.title, BY_LAYER, [note], tested="auddc")


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
    return _table(group, f"{group.title}: amplification", keys, [note], tested=keys[0], suffix="amplification")


def radius_keys(group: Group, key: str) -> list[str]:
    """A measure at each radius, thinned to `MOST_RADII`."""
    count = len(group.budgets)
    places = np.linspace(0, count - 1, min(MOST_RADII, count)).round()
    radii = group.table.places(group.trials[0].cell, key)
    return [f"{key}@{radii[int(place)]}" for place in places]


def _table(
    group: Group, title: str, keys: Sequence[str], notes: Sequence[str], *, tested: str = "", suffix: str = ""
) -> Table:
    """A row for each trial, then for what no model sets; `tested` is also compared with the baseline."""
    columns = []
    made = []
    for key in keys:
        columns.append(column(group, key))
        made.append(_cells(group, key))
        if key == tested and len(group.trials) > 1:
            columns.append(_difference_column(group, key))
            made.append(_difference_cells(group, key))
    names = [group.name(trial) for trial in group.trials]
    slots: list[int | None] = [trial.slot for trial in group.trials]
    for reference in group.references:
        names.append(reference.name)
        slots.append(None)
    rows = list(zip(*made, strict=True))
    lines = []
    for name, slot, cells in zip(names, slots, rows, strict=True):
        if slot is not None or any(cells):
            lines.append(Line(name, slot, cells))
    key = "-".join(part for part in (group.key, suffix) if part)
    return Table(key, title, tuple(columns), tuple(lines), tuple(notes))


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
        cells.append(_known(_cell(group.reference(reference, key), ratio)))
    return cells


def _known(cell: Cell | None) -> Cell | None:
    """A reference that is the same for every pair has no interval."""
    if cell is None or cell.low < cell.high:
        return cell
    return Cell(cell.value)


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
    whose = group.trials[0].label
    if group.by_layer:
        whose = "the model’s first row"
    return Column(
        key=f"{name}_difference",
        title=f"{what} less that of {whose}",
        unit=measure.unit,
        better=measure.better,
        definition="Mean difference over the same pairs; p is two-sided, from flipping the signs of the differences.",
    )


def _difference_cells(group: Group, key: str) -> list[Cell | None]:
    cells = [_difference(group, trial, key) for trial in group.trials]
    return cells + [None] * len(group.references)


def _difference(group: Group, trial: Trial, key: str) -> Cell | None:
    if trial is group.baseline(trial):
        return Cell(words="reference")
    test = group.compare(trial, key)
    if test is None:
        return None
    return Cell.of(test.difference, note=f"p = {test.p_value:.2g}")


def _notes(group: Group) -> list[str]:
    notes = [f"Mean over {group.pairs} pairs [95 % interval over pairs]; ↑ higher, ↓ lower is more robust."]
    if group.pairs == 1:
        notes = ["One pair: no interval can be given. ↑ higher, ↓ lower is more robust."]
    for trial in group.trials:
        notes += [f"{trial.label}: {words}" for words in _troubles(group, trial)]
    return notes


def _troubles(group: Group, trial: Trial) -> list[str]:
    """What went wrong in an attack, a sentence each."""
    found = []
    undefined = int((~trial.attacked.defined).sum())
    if undefined:
        found.append(
            f"success is not defined on {undefined} of {group.pairs} pairs (encoding the target brings its "
            "reconstruction no nearer); they are left out of success, AUDDC and f50."
        )
    never = int(group.values(trial, "f50").isinf().sum())
    if never:
        found.append(f"success one half is not reached on {never} of {group.pairs} pairs; they are left out of f50.")
    status = trial.result.status
    cut = status == int(Status.BUDGET)
    if cut.any():
        largest = group.budgets[int(cut.any(0).nonzero().max())]
        where = budget_text(group.symbol, largest)
        found.append(
            f"{int(cut.sum())} of {cut.numel()} attacks ran out of iterations, at {group.symbol} = {where} and below."
        )
    lost = int((status == int(Status.NOT_FINITE)).sum())
    if lost:
        found.append(f"{lost} of {status.numel()} attacks met values that are not finite.")
    return found
