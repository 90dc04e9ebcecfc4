"""Three sentences, made from the numbers: what was done, how far the attack got, who stood it better."""

from __future__ import annotations

import re
from collections.abc import Sequence

from seatbelt_vae.metrics import PairedTest
from seatbelt_vae.report.clean import clean_tables
from seatbelt_vae.report.formats import in_sentence
from seatbelt_vae.report.measures import against, estimate, holm, measures
from seatbelt_vae.report.runs import Comparison, ReportRun, data_name
from seatbelt_vae.report.table_formats import cell_text
from seatbelt_vae.report.tables import Cell

LEVEL = 0.05

_COUNTS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")


def summary(runs: Sequence[ReportRun], compared: Sequence[Comparison]) -> tuple[str, ...]:
    """Three sentences; the last two speak of the first comparison.

    Args:
        runs: the models.
        compared: the attacks on them, may be empty.
    """
    if not compared:
        return _what(runs, compared), "None of them has been attacked.", _clean(runs)
    return _what(runs, compared), how_far(compared[0]), verdict(compared[0]).removesuffix(".") + "; " + _clean(runs)


def listed(words: Sequence[str]) -> str:
    """A, B and C.

    Example:
        >>> listed(["a", "b", "c"]), listed(["a"]), listed(["a, 1", "b, 2"])
        ('a, b and c', 'a', 'a, 1; and b, 2')
        >>> listed(["0.5 [0.4, 0.6] for a", "0.7 [0.5, 0.9] for b"])
        '0.5 [0.4, 0.6] for a and 0.7 [0.5, 0.9] for b'
    """
    if any(", " in re.sub(r"\[.*?\]|\(.*\)", "", word) for word in words) and len(words) > 1:
        return "; ".join([*words[:-1], f"and {words[-1]}"])
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _what(runs: Sequence[ReportRun], compared: Sequence[Comparison]) -> str:
    count = _COUNTS[len(runs)] if len(runs) < len(_COUNTS) else str(len(runs))
    data = listed(sorted({data_name(run) for run in runs}))
    models = f"{count} model{'s' * (len(runs) > 1)} ({'; '.join(run.label for run in runs)})"
    opening = f"{models} {'were' if len(runs) > 1 else 'was'} trained on {data}"
    if not compared:
        return opening + "."
    first = compared[0]
    grids = [f"{len(comparison.trials[0].lambdas)} {_values(comparison)}" for comparison in compared]
    kinds = [in_sentence(comparison.title) for comparison in compared]
    alike = len(set(grids)) == 1
    attacks = listed(kinds if alike else [f"{kind} at {grid}" for kind, grid in zip(kinds, grids, strict=True)])
    images = f"{first.pairs} pair{'s' * (first.pairs > 1)} of images"
    return f"{opening} and attacked on {images}{f' at {grids[0]}' if alike else ''}: {attacks}."


def _values(comparison: Comparison) -> str:
    plural = "s" * (len(comparison.trials[0].lambdas) > 1)
    return f"weight{plural} λ of the distortion" if comparison.weight == "λ" else f"radi{'i' if plural else 'us'} ε"


def how_far(comparison: Comparison) -> str:
    """How far the attack got at the larger matched distortion."""
    measure = next(measure for measure in measures(comparison) if measure.key == "success_at_0.5")
    found = [(trial.label, estimate(measure, trial)) for trial in comparison.trials]
    reached = [f"{cell_text(Cell.of(interval))} for {label}" for label, interval in found if interval]
    undefined = [label for label, interval in found if not interval]
    said = []
    if reached:
        scale = "where 0 is nothing gained and 1 as good as encoding the target"
        said.append(f"reached a success of {listed(reached)}, {scale}")
    if undefined:
        nowhere = "is defined on no pair (encoding the target brings its reconstruction no nearer)"
        said.append(f"has no success for {listed(undefined)}, where it {nowhere}")
    opening = "With a distortion of at most half the distance from source to target, the "
    return f"{opening}{in_sentence(comparison.title)} {'; it '.join(said)}."


def verdict(comparison: Comparison) -> str:
    """Which models resisted better or worse than the first, by AUDDC on the same pairs, Holm-adjusted."""
    measure = next(measure for measure in measures(comparison) if measure.key == "auddc")
    baseline, *rest = comparison.trials
    if not rest:
        interval = estimate(measure, baseline)
        value = (
            f"is {cell_text(Cell.of(interval))} (1: no attack succeeds)" if interval else "is not defined on any pair"
        )
        return f"AUDDC of {baseline.label} {value}."
    tests = [(trial.label, test) for trial in rest if (test := against(measure, baseline, trial))]
    if not tests:
        return (
            f"Whether any model resisted better than {baseline.label} cannot be told: "
            "there are fewer than two pairs on which the success of both is defined."
        )
    adjusted = holm([test.p_value for _, test in tests])
    judged = [(label, test, _judge(test, p)) for (label, test), p in zip(tests, adjusted, strict=True)]
    said = [
        f"{names} {how} {baseline.label}"
        for how in ("resisted it better than", "resisted it worse than", "cannot be told apart from")
        if (names := listed([_named(label, test) for label, test, judgement in judged if judgement == how]))
    ]
    return f"By AUDDC on the same pairs, {', while '.join(said)}."


def _judge(test: PairedTest, adjusted: float) -> str:
    if adjusted > LEVEL:
        return "cannot be told apart from"
    return "resisted it better than" if test.difference.value > 0 else "resisted it worse than"


def _named(label: str, test: PairedTest) -> str:
    sign = "+" if test.difference.value > 0 else ""
    return f"{label} ({sign}{cell_text(Cell.of(test.difference))})"


def _clean(runs: Sequence[ReportRun]) -> str:
    """The clean ELBOs, so that robustness bought by a worse model is seen."""
    table = next((table for table in clean_tables(runs) if table.key == "clean-evidence"), None)
    keys = [column.key for column in table.columns] if table else []
    if table is None or "elbo" not in keys:
        return "their clean ELBO has not been measured."
    cells = [cell_text(line.cells[keys.index("elbo")]) for line in table.lines]
    return f"without an attack the ELBO is {listed(cells)} nats{', in the same order' * (len(cells) > 1)}."
