"""Tables of typed cells, and what they say over models: attacks first, then the clean models themselves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seatbelt_vae.metrics import Interval
from seatbelt_vae.optim import Status
from seatbelt_vae.report.measures import Measure, against, estimate, measures
from seatbelt_vae.report.runs import Comparison, ReportRun, Trial


@dataclass(frozen=True)
class Column:
    """A column: its key in CSV files, heading, unit, and how to read it."""

    key: str
    title: str
    unit: str = ""
    more_robust: str = ""
    comparable: bool = True
    definition: str = ""

    @property
    def heading(self) -> str:
        """Title with the mark of what may not be compared across models, and an arrow to what is more robust."""
        return (
            self.title + {"higher": " ↑", "lower": " ↓", "": ""}[self.more_robust] + ("" if self.comparable else " †")
        )


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
    """The table over models for one attack: success at matched distortion and AUDDC first, Δ last.

    The difference of AUDDC to the first model is tested on the same pairs (sign flips).
    """
    baseline, rest = comparison.trials[0], comparison.trials[1:]
    asked = measures(comparison)
    place = [measure.key for measure in asked].index("auddc") + 1
    columns = [_column(measure) for measure in asked]
    rows = [[_estimated(measure, trial) for measure in asked] for trial in comparison.trials]
    if rest:
        columns.insert(place, _difference_column(baseline))
        for row, trial in zip(rows, comparison.trials, strict=True):
            row.insert(place, _difference(asked[place - 1], baseline, trial))
    lines = [Line(trial.label, trial.slot, tuple(row)) for trial, row in zip(comparison.trials, rows, strict=True)]
    return Table(comparison.key, comparison.title, tuple(columns), tuple(lines), _notes(comparison, tuple(columns)))


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


def _notes(comparison: Comparison, columns: Sequence[Column]) -> tuple[str, ...]:
    notes = [
        f"Mean over {comparison.pairs} pairs [95 % interval over pairs]; ↑ higher, ↓ lower is more robust."
        if comparison.pairs > 1
        else "One pair: no interval can be given. ↑ higher, ↓ lower is more robust."
    ]
    if not all(column.comparable for column in columns):
        notes.append("† not comparable across models.")
    for trial in comparison.trials:
        if undefined := int((~trial.defined).sum()):
            notes.append(
                f"{trial.label}: success is not defined on {undefined} of {comparison.pairs} pairs (encoding the "
                "target brings its reconstruction no nearer); they are left out of success and AUDDC."
            )
        if cut := int((trial.result.status == int(Status.BUDGET)).sum()):
            notes.append(f"{trial.label}: {cut} of {trial.objective.size} attacks ran out of iterations.")
        if lost := int((trial.result.status == int(Status.NOT_FINITE)).sum()):
            notes.append(f"{trial.label}: {lost} of {trial.objective.size} attacks met values that are not finite.")
    return tuple(notes)


CLEAN = (
    Column("elbo", "ELBO", "nats", definition="Evidence lower bound per image, with no β: higher is a better model."),
    Column("iwae", "IWAE bound", "nats", definition="Importance-weighted bound per image: between ELBO and log p(x)."),
    Column("log_likelihood", "log p(x|z)", "nats", definition="Reconstruction term of the ELBO, per image."),
    Column("layer_kl", "KL by layer", "nats", definition="KL(q‖p) of each layer, bottom first: what it holds of x."),
    Column(
        "total_correlation",
        "TC of the top",
        "nats",
        definition="Total correlation of the top layer’s aggregate posterior over all training images; never that of "
        "a minibatch.",
    ),
    Column("mig", "MIG", definition="Mutual information gap of the top layer: 0 to 1, higher is more disentangled."),
    Column("active_units", "Active units", definition="Latent dimensions of each layer with Var_x E[z|x] > 0.01."),
)


def clean_table(runs: Sequence[ReportRun]) -> Table:
    """What the models are without an attack; columns that no run has measured are left out."""
    cells = [[_clean(run.evaluation, column.key) for column in CLEAN] for run in runs]
    kept = [place for place in range(len(CLEAN)) if any(row[place] for row in cells)]
    lines = [
        Line(run.label, slot, tuple(row[place] for place in kept))
        for slot, (run, row) in enumerate(zip(runs, cells, strict=True))
    ]
    notes = ("Means over held-out images [95 % interval over images, where it was measured].",)
    return Table("clean", "The models, not attacked", tuple(CLEAN[place] for place in kept), tuple(lines), notes)


def _clean(evaluation: Mapping[str, Any], key: str) -> Cell | None:
    """A measurement: a list per layer, a mapping of value, low and high, or a number beside its ``_error``."""
    found = evaluation.get(key)
    if found is None:
        return None
    if isinstance(found, Mapping):
        return Cell(float(found["value"]), float(found.get("low", math.nan)), float(found.get("high", math.nan)))
    if isinstance(found, Sequence):
        return Cell(words=", ".join(f"{value:.3g}" for value in found))
    half = 1.96 * float(evaluation.get(f"{key}_error", math.nan))
    return Cell(float(found), float(found) - half, float(found) + half)
