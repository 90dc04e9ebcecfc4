"""A group of attacks that may share a table, and the query for every number that is shown of it."""

import math
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from seatbelt_vae.attacks import AttackResult
from seatbelt_vae.experiments import Cell, Table
from seatbelt_vae.experiments.table import measure_of
from seatbelt_vae.measures import Attacked, Measure
from seatbelt_vae.metrics import Comparison, Interval, Reference, band, interval
from seatbelt_vae.report.kind import Kind


@dataclass(frozen=True, eq=False)
class Trial(Cell):
    """One model under one attack: a place in the long table.

    Args:
        slot: the model's place in the report, which fixes its colour everywhere.
    """

    slot: int = 0

    @property
    def label(self) -> str:
        """The model's name in legends."""
        return self.record.label

    @cached_property
    def attacked(self) -> Attacked:
        """The attack and what the model made of it."""
        return self.record.attacks[self.attack]

    @property
    def result(self) -> AttackResult:
        """What the attack found."""
        return self.attacked.result

    @cached_property
    def kind(self) -> Kind:
        """What it may be compared with."""
        return Kind.of(self.result)

    @property
    def bounds(self) -> tuple[float, float]:
        """The range of the images' values."""
        low, high = self.result.settings["bounds"]
        return float(low), float(high)


@dataclass(frozen=True, eq=False)
class Group:
    """Attacks that may share a table. All numbers are those of the long table.

    Args:
        key: a name for files and anchors, such as ``"latent-kl"``.
        title: the same in words.
        trials: one for each model attacked, in the order of the report's runs; the first is the others' baseline.
        references: what no model sets, on the same pairs.
    """

    key: str
    title: str
    trials: tuple[Trial, ...]
    references: tuple[Reference, ...] = ()

    @cached_property
    def table(self) -> Table:
        """The long table of the models."""
        return Table([trial.record for trial in self.trials])

    @property
    def result(self) -> AttackResult:
        """What the attack found on the first model."""
        return self.trials[0].result

    @property
    def symbol(self) -> str:
        """What the attack was repeated over: the penalty λ of the distortion, or the radius ε of its ball."""
        return self.result.budget.symbol

    @property
    def budgets(self) -> list[float]:
        """Its values."""
        values: list[float] = self.result.budget.values.tolist()
        return values

    @property
    def pairs(self) -> int:
        """The number P of pairs, or of images where there is no target."""
        return len(self.result.source)

    @property
    def targeted(self) -> bool:
        """Whether it has a target."""
        return self.result.targeted

    @property
    def models(self) -> dict[str, int]:
        """The models' names and their places in the report."""
        return {trial.label: trial.slot for trial in self.trials}

    def values(self, trial: Trial, key: str) -> Tensor:
        """A measure of one model, one number a pair (P,), or for each pair and budget (P, K)."""
        return self.table.values(trial, key)

    def interval(self, trial: Trial, key: str) -> Interval:
        """The mean over pairs with its 95 % interval; all NaN where no pair has it."""
        return self.table.interval([trial], key)

    def band(self, trial: Trial, key: str, *, ratio: bool = False) -> Tensor:
        """The mean over pairs at each budget with its 95 % interval: value, low and high, (K, 3)."""
        return band(self.values(trial, key), ratio=ratio)

    def compare(self, trial: Trial, key: str) -> Comparison | None:
        """The model less the first on the same pairs; None where fewer than two pairs have both."""
        found = self.table.compare([self.trials[0]], [trial], key)
        if found is None or found.pairs < 2:
            return None
        return found

    def reference(self, reference: Reference, key: str) -> Interval | None:
        """What no model sets, averaged over pairs; None for a measure that needs a model."""
        name, _, at = key.partition("@")
        values = getattr(reference, name, None)
        if not isinstance(values, Tensor):
            return None
        if at:
            values = values[:, self.table.places(self.trials[0], name).index(at)]
        return interval(values, possible=measure_of(key).possible)

    def has(self, key: str) -> bool:
        """Whether any model has a number."""
        return any(not math.isnan(self.interval(trial, key).value) for trial in self.trials)

    def comparable(self, measure: Measure) -> bool:
        """Whether models of different latent spaces may be compared by it: not by Δ of a latent attack."""
        return measure.comparable_in(self.result)

    def unit(self, measure: Measure) -> str:
        """A measure's unit under this attack."""
        return measure.unit_in(self.result)

    def worded(self, text: str) -> str:
        """A title or definition from the catalogue, where this attack has radii in the place of penalties."""
        if self.symbol == "λ":
            return text
        return text.replace("r + λ‖d‖", "r inside a ball of radius ε").replace("λ", self.symbol)
