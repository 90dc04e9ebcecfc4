"""The same attack aimed at all layers, and at some alone: which of them gives a model away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seatbelt_vae.report.matching import gathered, kind_of, pairs_digest, protocol
from seatbelt_vae.report.measures import Measure, against, estimate, gain_measures
from seatbelt_vae.report.runs import Comparison, ReportRun, Trial
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
    made = [pair for slot, run in enumerate(runs) for pair in _by_layers(run, slot)]
    found = []
    for key, title, leaders in gathered((kind_of(leader.result.settings), leader) for leader, _ in made):
        groups = tuple(group for leader, group in made if any(leader is other for other in leaders))
        found.append(LayerComparison(f"{key}-layers", f"{title} by layer", groups))
    return tuple(found)


def _by_layers(run: ReportRun, slot: int) -> list[tuple[Trial, tuple[Trial, ...]]]:
    """A run's attacks that differ in their layers and in nothing else, where there are two or more; the first leads."""
    alike: dict[tuple[str, ...], dict[tuple[int, ...], Trial]] = {}
    for attacked in run.attacks:
        trial = Trial(run, slot, *attacked)
        how = (*kind_of(trial.result.settings), pairs_digest(trial.result), protocol(trial.result))
        alike.setdefault(how, {}).setdefault(trial.scope.layers, trial)
    groups = [tuple(sorted(group.values(), key=lambda trial: trial.scope.order)) for group in alike.values()]
    return [(group[0], group) for group in groups if len(group) > 1]


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
