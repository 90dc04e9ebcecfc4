"""From what was found to the document, and to a few lines for people."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor

from seatbelt_vae.audits.flags import Evidence, Flag
from seatbelt_vae.audits.probe import Probe
from seatbelt_vae.audits.record import (
    AttackRecord,
    AuditRecord,
    CurveRecord,
    FlagRecord,
    IntervalRecord,
    ProbeRecord,
    SandwichRecord,
)
from seatbelt_vae.audits.subject import Found
from seatbelt_vae.audits.verdict import GRID, Verdict
from seatbelt_vae.audits.whitebox import Attempt
from seatbelt_vae.metrics import Interval, interval

ROWS = ("f50", "auddc", "amplification")


def documented(
    evidence: Evidence,
    probe: Probe,
    flags: Mapping[str, Flag],
    verdict: Verdict,
    **known: Any,
) -> AuditRecord:
    """The document of an audit; `known` are the fields that say how it was asked for."""
    defined = evidence.subject.defined
    return AuditRecord(
        seatbelt=version("seatbelt-vae"),
        torch=torch.__version__,
        pairs=len(evidence.subject.source),
        probe=_probe(probe),
        attacks=tuple(_attack(each, defined) for each in evidence.attempts),
        flags={name: _flag(flag) for name, flag in flags.items()},
        measures={key: _ends(each) for key, each in verdict.measures.items()},
        values={key: tuple(each.tolist()) for key, each in verdict.values.items()},
        radius=verdict.radius,
        references={name: dict(means) for name, means in verdict.references.items()},
        curve=CurveRecord(
            distortion=tuple(GRID.tolist()),
            success=_band(verdict.success),
            damage=_band(verdict.damage),
            blend=_mean(evidence.blend, defined),
            noise=_mean(evidence.noise, defined),
        ),
        sandwich=SandwichRecord(
            below=tuple(verdict.below.tolist()),
            above=tuple(verdict.values["f50"].tolist()),
            code_below=tuple(verdict.below_code.tolist()),
        ),
        trusted=verdict.trusted,
        sentence=verdict.sentence,
        **known,
    )


def _probe(probe: Probe) -> ProbeRecord:
    facts = probe.facts
    return ProbeRecord(
        image_shape=facts.image_shape,
        bounds=probe.bounds,
        latent_shapes=facts.latent_shapes,
        scale=facts.scale,
        relative_scale=facts.relative_scale,
        deterministic=facts.deterministic,
        random=facts.random,
        mixes=facts.mixes,
        smoothed=probe.smoothed,
        reason=probe.reason,
        assumptions=facts.assumptions,
        estimated_seconds=probe.seconds,
    )


def _attack(attempt: Attempt, defined: Tensor) -> AttackRecord:
    settings: dict[str, Any] = {}
    budget: tuple[float, ...] = ()
    evaluations = 0
    f50 = None
    if attempt.result is not None and attempt.found is not None:
        settings = attempt.result.settings
        budget = tuple(attempt.result.budget.values.tolist())
        evaluations = attempt.found.evaluations
        if attempt.result.targeted and bool(defined.any()):
            f50 = _ends(interval(attempt.found.f50[defined]))
    return AttackRecord(
        name=attempt.entry.name,
        settings=settings,
        budget=budget,
        evaluations=evaluations,
        f50=f50,
        failure=attempt.failure,
    )


def _flag(flag: Flag) -> FlagRecord:
    return FlagRecord(
        raised=flag.raised,
        value=flag.value,
        rule=flag.rule,
        advice=flag.advice,
        information=flag.information,
    )


def _ends(found: Interval) -> IntervalRecord:
    return IntervalRecord(value=found.value, low=found.low, high=found.high)


def _band(rows: Tensor) -> tuple[IntervalRecord, ...]:
    return tuple(IntervalRecord(value=value, low=low, high=high) for value, low, high in rows.tolist())


def _mean(found: Found, pairs: Tensor) -> tuple[float, ...]:
    return tuple(found.curve(GRID)[pairs].mean(0).tolist())


def summary(record: AuditRecord) -> list[str]:
    """At most fifteen lines.

    The sentence, what was measured beside what no model sets, and what is flagged with what to do.
    """
    raised = [name for name, flag in record.flags.items() if flag.raised]
    lines = [
        f"Audit of {record.model}, {record.suite}, {record.pairs} pairs, {record.seconds:.0f} s",
        record.sentence,
        f"{'':14}{'worst attack':>24}{'blend':>8}{'PCA':>8}{'identity':>10}",
    ]
    for key in ROWS:
        cells = [_cell(record.references.get(name, {}).get(key)) for name in ("blend", "PCA", "identity")]
        lines.append(f"{key:14}{_words(record.measures[key]):>24}{cells[0]:>8}{cells[1]:>8}{cells[2]:>10}")
    lines.append(f"flags raised: {len(raised)} of {len(record.flags)}")
    for name in raised[:7]:
        value = _cell(record.flags[name].value)
        lines.append(f"  {name} ({value}): {record.flags[name].advice}")
    if len(raised) > 7:
        lines.append(f"  and {', '.join(raised[7:])}")
    return lines


def _words(found: IntervalRecord) -> str:
    if found.value is None:
        return "–"
    return f"{found.value:.3f} [{_cell(found.low)}, {_cell(found.high)}]"


def _cell(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3g}"
