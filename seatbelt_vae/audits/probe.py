"""Before an audit starts: what was understood of the model, and how long the audit will take."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from time import perf_counter

import torch

from seatbelt_vae.attacks import Cold, Continuation, Shrinking
from seatbelt_vae.audits.facts import Facts, words_of
from seatbelt_vae.audits.suite import Entry
from seatbelt_vae.audits.whitebox import Posed
from seatbelt_vae.optim.problem import value_and_gradient

SPENT = 0.9
"""Evaluations that a solve takes, as a share of its iterations, on average; measured on the models of docs/audit.md."""

BESIDE = 1.6
"""The whole audit takes so many times what its suite does: controls, search, and attacks with more of everything."""


@dataclass(frozen=True)
class Probe:
    """What was understood, and what it will cost.

    Attributes:
        facts: how the model answers.
        bounds: of the data.
        pairs: of images.
        smoothed: whether attacks smooth the kinks of ReLUs.
        reason: why, or why not.
        evaluation: seconds that one image takes, value and gradient; NaN where there is no gradient.
        seconds: that the audit will take, about; NaN likewise.
    """

    facts: Facts
    bounds: tuple[float, float]
    pairs: int
    smoothed: bool
    reason: str
    evaluation: float
    seconds: float

    @classmethod
    def of(
        cls,
        facts: Facts,
        posed: Mapping[str, Posed],
        entries: Iterable[Entry],
        bounds: tuple[float, float],
        pairs: int,
    ) -> "Probe":
        """Time a few evaluations, and add up."""
        smoothed, reason = _smoothing(posed)
        evaluation = torch.nan
        seconds = 0.0
        for entry in entries:
            if entry.name in posed:
                evaluation = _timed(posed[entry.name])
                seconds += evaluation * pairs * _evaluations(entry)
        return cls(facts, bounds, pairs, smoothed, reason, evaluation, BESIDE * seconds)

    def lines(self) -> list[str]:
        """For people, before the audit starts."""
        facts = self.facts
        low, middle, high = facts.scale
        kind = "deterministic code" if facts.deterministic else "Gaussian posterior"
        steady = "steady" if not (facts.random or facts.mixes) else "random or batch-dependent: averaged, row by row"
        lines = [
            f"images {'×'.join(map(str, facts.image_shape))} in [{self.bounds[0]:g}, {self.bounds[1]:g}], "
            f"{self.pairs} pairs; code {words_of(facts.latent_shapes)}, {kind}",
            f"σ from {low:.3g} to {high:.3g}, median {middle:.3g} = {facts.relative_scale:.2g} of the means' spread",
            f"answers: {steady}; kinks: {self.reason}",
            *(f"assumed: {words}" for words in facts.assumptions),
        ]
        if self.evaluation == self.evaluation:
            each = f"{1000 * self.evaluation:.3g} ms an image, value and gradient"
            lines.append(f"time: {each}; about {_time(self.seconds)} in all")
        else:
            lines.append("time: unknown, as the model gives no gradient")
        return lines


def _evaluations(entry: Entry) -> float:
    """Of one pair, about."""
    solver = entry.solver
    if isinstance(solver, Shrinking):
        return solver.evaluations * entry.solves
    passes = 1.0
    if isinstance(solver, Continuation):
        passes = solver.passes - 0.5
    assert isinstance(solver, Continuation | Cold)
    return SPENT * entry.solves * solver.max_iterations * passes


def _timed(posed: Posed) -> float:
    """Seconds of a value and a gradient, for one image."""
    pairs = torch.arange(len(posed.problem.x0), device=posed.problem.x0.device)
    start = perf_counter()
    value_and_gradient(posed.problem.fun, posed.problem.x0, pairs, posed.problem.chunk)
    return (perf_counter() - start) / len(pairs)


def _smoothing(posed: Mapping[str, Posed]) -> tuple[bool, str]:
    for each in posed.values():
        if each.problem.smoothed is not None:
            return True, "those of ReLU are smoothed on the way"
    if posed:
        return False, "none seen that could be smoothed (smooth, traced or compiled)"
    return False, "not looked for"


def _time(seconds: float) -> str:
    """Example: ``40 s``, ``12 min``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"
