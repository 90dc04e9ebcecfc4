"""The same attack aimed at all layers, and at some alone: which of them gives a model away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seatbelt_vae.report.measures import Measure, against, estimate, gain_measures
from seatbelt_vae.report.runs import Comparison, ReportRun, Trial, differences, kind_of, pairs_digest
from seatbelt_vae.report.tables import Cell, Column, Line, Table

SHOWN = ("success_at_0.3", "success_at_0.5", "auddc", "target_nll_at_0.5")


@dataclass(frozen=True)
class LayerComparison:
    """Attacks of one kind on the same pairs, which differ in the layers that they aim at.

    Attributes:
        key: a name for files and anchors.
        title: the same in words.
        groups: for each model that was attacked so, its attacks: on all layers first, then from the bottom up.
    """

    key: str
    title: str
    groups: tuple[tuple[Trial, ...], ...]

    @property
    def trials(self) -> tuple[Trial, ...]:
        """All of them."""
        return tuple(trial for group in self.groups for trial in group)

    @property
    def scopes(self) -> tuple[str, ...]:
        """What was aimed at, by any, in the order of `Scope.order`."""
        words = {trial.scope.words: trial.scope.order for trial in self.trials}
        return tuple(sorted(words, key=words.__getitem__))

    @property
    def measures(self) -> tuple[Measure, ...]:
        """By what they are set against each other."""
        asked = {measure.key: measure for measure in gain_measures(Comparison(self.key, self.title, self.trials))}
        return tuple(asked[key] for key in SHOWN)


def layer_comparisons(runs: Sequence[ReportRun]) -> tuple[LayerComparison, ...]:
    """Gather the attacks that differ in their layers alone; models attacked at one set of layers are left out.

    Args:
        runs: the models, in the report's order.
    """
    gathered: dict[tuple[str, str, str], list[tuple[Trial, ...]]] = {}
    for slot, run in enumerate(runs):
        for kind, group in _by_layers(run, slot).items():
            gathered.setdefault(kind, []).append(group)
    keys = [key for key, _, _ in gathered]
    return tuple(
        LayerComparison(
            f"{key}-layers" + (f"-{digest}" if keys.count(key) > 1 else ""),
            f"{title} by layer" + (f", pairs {digest}" if keys.count(key) > 1 else ""),
            tuple(groups),
        )
        for (key, title, digest), groups in gathered.items()
    )


def _by_layers(run: ReportRun, slot: int) -> dict[tuple[str, str, str], tuple[Trial, ...]]:
    """A run's attacks by kind and pairs, where at least two differ in their layers and in nothing else."""
    gathered: dict[tuple[str, str, str], list[Trial]] = {}
    for result, assessment in run.attacks:
        trial = Trial(run, slot, result, assessment)
        mine = gathered.setdefault((*kind_of(result.settings), pairs_digest(result)), [])
        if not mine or _differ_in_layers(trial, mine):
            mine.append(trial)
    return {
        kind: tuple(sorted(group, key=lambda trial: trial.scope.order))
        for kind, group in gathered.items()
        if len(group) > 1
    }


def _differ_in_layers(trial: Trial, others: Sequence[Trial]) -> bool:
    settings, first = trial.result.settings, others[0].result.settings
    new = all(trial.scope.layers != other.scope.layers for other in others)
    return new and not differences(settings, first) and trial.lambdas.tolist() == others[0].lambdas.tolist()


def layer_table(comparison: LayerComparison) -> Table:
    """A row for each model and the layers aimed at; AUDDC is tested against the model's first row on the same pairs."""
    asked = comparison.measures
    place = [measure.key for measure in asked].index("auddc") + 1
    columns = [Column(m.key, m.title, m.unit, m.more_robust, m.comparable, m.definition) for m in asked]
    columns.insert(
        place,
        Column(
            "auddc_difference", "AUDDC less that of the model’s first row", "", "higher",
            definition="Mean difference over the same pairs; p from flipping the signs of the pairs’ differences.",
        ),
    )  # fmt: skip
    lines = [_line(trial, group[0], asked, place) for group in comparison.groups for trial in group]
    note = (
        "The same attack, whose Δ compares the posteriors of the layers named. Mean over pairs [95 % interval over "
        "pairs]; ↑ higher, ↓ lower is more robust: what is least robust is where the model gives way."
    )
    return Table(comparison.key, comparison.title, tuple(columns), tuple(lines), (note,))


def _line(trial: Trial, first: Trial, asked: Sequence[Measure], place: int) -> Line:
    cells: list[Cell | None] = []
    for measure in asked:
        interval = estimate(measure, trial)
        cells.append(Cell.of(interval) if interval else None)
    auddc = next(measure for measure in asked if measure.key == "auddc")
    test = None if trial is first else against(auddc, first, trial)
    difference = Cell.of(test.difference, note=f"p = {test.p_value:.2g}") if test else None
    cells.insert(place, Cell(words="reference") if trial is first else difference)
    return Line(f"{trial.label}: {trial.scope.words}", trial.slot, tuple(cells))
