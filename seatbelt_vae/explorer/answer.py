"""What an attack did to one pair: its pictures and its numbers, for each model."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from seatbelt_vae.attacks import assess, attack
from seatbelt_vae.experiments.record import Record
from seatbelt_vae.explorer.question import Question
from seatbelt_vae.explorer.runs import Run
from seatbelt_vae.measures import Attacked
from seatbelt_vae.report.group import Group, Trial
from seatbelt_vae.report.panels import panels
from seatbelt_vae.report.pictures import pictures_svg


@dataclass(frozen=True, eq=False)
class Answer:
    """One pair attacked on one or two models.

    Args:
        group: the attacks, as the report has them.
        lines: Python that repeats them.
    """

    group: Group
    lines: str

    @property
    def places(self) -> int:
        """Values of λ or ε."""
        return len(self.group.budgets)

    @property
    def middle(self) -> int:
        """The place that is shown first: the paper's choice of λ on the first model."""
        return int(self.group.trials[0].attacked.shown[0])

    def value(self, place: int) -> str:
        """λ or ε in words."""
        return f"{self.group.symbol} = {self.group.budgets[place]:g}"

    def picture(self, place: int) -> str:
        """The six pictures of each model at a place, as SVG."""
        figure = panels(self.group, 0, [place] * len(self.group.trials))
        return pictures_svg(figure)

    def numbers(self) -> str:
        """Every number of the pair, as JSON."""
        found: dict[str, Any] = {self.group.symbol: self.group.budgets}
        for trial in self.group.trials:
            result = trial.result
            numbers: dict[str, Any] = {
                "objective": result.objective[0].tolist(),
                "distortion": result.distortion[0].tolist(),
                "success": trial.attacked.success[0].tolist(),
                "damage": trial.attacked.damage[0].tolist(),
                "violations": int(result.violations.sum()),
                "settings": result.settings,
            }
            found[trial.record.name] = numbers
        return json.dumps(found, indent=2)


def answer(question: Question, runs: Mapping[str, Run], source: Tensor, target: Tensor, lines: str) -> Answer:
    """Attack a pair on each model.

    Args:
        question: the attack.
        runs: the models, by name.
        source: x, (1, C, H, W).
        target: x_t, likewise.
        lines: Python that does the same.

    Raises:
        InputError: the attack does not go together, or the model has no such layer.
    """
    objective, budget, solver = question.parts()
    goal = None
    if objective.targeted:
        goal = target
    trials = []
    for slot, (name, run) in enumerate(runs.items()):
        result = attack(run.model, source, goal, objective, budget, solver, bounds=run.test.bounds, progress=True)
        attacked = Attacked(result, assess(run.model, result))
        trials.append(Trial(Record(name, name, attacks={"live": attacked}), "live", slot))
    return Answer(Group("live", question.objective, tuple(trials)), lines)
