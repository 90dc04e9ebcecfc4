"""Tables of typed cells, and what they say over models under attack."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from seatbelt_vae.metrics import Interval
from seatbelt_vae.optim import Status
from seatbelt_vae.report.formats import lambda_text
from seatbelt_vae.report.measures import Measure, against, estimate, gain_measures, objective_measures
from seatbelt_vae.report.runs import Comparison, Trial


@dataclass(frozen=True)
class Column:
    """A column: its key in CSV files, heading, unit, and how to read it."""

    key: str
    title: str
    unit: str = ""
    better: str = ""
    comparable: bool = True
    definition: str = ""

    @property
    def heading(self) -> str:
        """Title with the mark of what may not be compared across models, and an arrow to what is better."""
        return self.title + {"higher": " ↑", "lower": " ↓", "": ""}[self.better] + ("" if self.comparable else " †")


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
    def of(cls, interval: Interval, note: str = "", ratio: bool = False) -> Cell:
        """A cell from an interval."""
        return cls(interval.value, interval.low, interval.high, note=note, ratio=ratio)

    @property
    def bounded(self) -> bool:
        """Whether it has an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)


@dataclass(frozen=True)
class Line:
    """A row: the model, its place in the report, and a cell for each column (None: not measured)."""

    label: str
    slot: int
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class Table:
    """Rows under one title; ``key`` names its files.

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
    notes: tuple[str, ...] = field(default=())


def attack_table(comparison: Comparison) -> Table:
    """The table over models of what one attack gained: success at matched distortion and AUDDC first.

    The difference of AUDDC to the first model is tested on the same pairs (sign flips).
    """
    baseline, rest = comparison.trials[0], comparison.trials[1:]
    asked = gain_measures(comparison)
    place = [measure.key for measure in asked].index("auddc") + 1
    columns = [_column(measure) for measure in asked]
    rows = [[_estimated(measure, trial) for measure in asked] for trial in comparison.trials]
    if rest:
        columns.insert(place, _difference_column(baseline))
        for row, trial in zip(rows, comparison.trials, strict=True):
            row.insert(place, _difference(asked[place - 1], baseline, trial))
    lines = [Line(trial.label, trial.slot, tuple(row)) for trial, row in zip(comparison.trials, rows, strict=True)]
    return Table(comparison.key, comparison.title, tuple(columns), tuple(lines), _notes(comparison))


def objective_table(comparison: Comparison) -> Table:
    """The table over models of Δ, what the attack minimised: before the attack, and over its grid."""
    asked = objective_measures(comparison)
    columns = tuple(_column(measure) for measure in asked)
    lines = tuple(
        Line(trial.label, trial.slot, tuple(_estimated(measure, trial) for measure in asked))
        for trial in comparison.trials
    )
    note = f"Over {comparison.pairs} pairs [95 % interval over pairs]; ↑ higher is more robust."
    notes = (note,) if all(column.comparable for column in columns) else (note, "† not comparable across models.")
    return Table(f"{comparison.key}-objective", f"{comparison.title}: Δ, what it minimised", columns, lines, notes)


def _estimated(measure: Measure, trial: Trial) -> Cell | None:
    interval = estimate(measure, trial)
    return Cell.of(interval, ratio=measure.statistic == "geometric-mean") if interval else None


def _column(measure: Measure) -> Column:
    return Column(measure.key, measure.title, measure.unit, measure.more_robust, measure.comparable, measure.definition)


def _difference_column(baseline: Trial) -> Column:
    return Column(
        "auddc_difference", f"AUDDC less that of {baseline.label}", "", "higher", True,
        "Mean difference over the same pairs; p is two-sided, from flipping the signs of the pairs’ differences.",
    )  # fmt: skip


def _difference(measure: Measure, baseline: Trial, trial: Trial) -> Cell | None:
    if trial is baseline:
        return Cell(words="reference")
    test = against(measure, baseline, trial)
    return Cell.of(test.difference, note=f"p = {test.p_value:.2g}") if test else None


def _notes(comparison: Comparison) -> tuple[str, ...]:
    notes = [
        f"Mean over {comparison.pairs} pairs [95 % interval over pairs]; ↑ higher, ↓ lower is more robust."
        if comparison.pairs > 1
        else "One pair: no interval can be given. ↑ higher, ↓ lower is more robust."
    ]
    for trial in comparison.trials:
        if undefined := int((~trial.defined).sum()):
            notes.append(
                f"{trial.label}: success is not defined on {undefined} of {comparison.pairs} pairs (encoding the "
                "target brings its reconstruction no nearer); they are left out of success and AUDDC."
            )
        cut = trial.result.status == int(Status.BUDGET)
        if cut.any():
            where = lambda_text(float(trial.lambdas[cut.any(0).numpy()].max()))
            notes.append(
                f"{trial.label}: {int(cut.sum())} of {trial.objective.size} attacks ran out of iterations, "
                f"at λ = {where} and below."
            )
        if lost := int((trial.result.status == int(Status.NOT_FINITE)).sum()):
            notes.append(f"{trial.label}: {lost} of {trial.objective.size} attacks met values that are not finite.")
    return tuple(notes)
