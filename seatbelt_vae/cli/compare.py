"""``seatbelt compare``: one model against another under the same attacks, for people and for CI."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seatbelt_vae.cli.console import columns, number, show
from seatbelt_vae.cli.options import Json
from seatbelt_vae.errors import RunError
from seatbelt_vae.experiments import RunFolder
from seatbelt_vae.report.gate import Condition, Finding, alone, compare, failures, unmet


def command(
    a: Path,
    b: Path,
    /,
    *,
    fail_if: list[str] | None = None,
    require: list[str] | None = None,
    json: Json = False,
) -> None:
    """Compare two runs.

    Args:
        a: The run that B is measured against.
        b: The run in question.
        fail_if: Condition on B - A, such as success>+0.05, success@0.3>+0.1, auddc<-0.02, target_nll<-5; for the
            geometric mean of Δ on B / A, such as objective<0.8. It fails where the whole 95 % interval lies beyond.
            May be repeated.
        require: Condition on B alone, such as f50>=0.3 or success<=0.2. It holds where the whole 95 % interval does.
            May be repeated.
    """
    conditions = [Condition.parse(text) for text in fail_if or []]
    requirements = [Condition.parse(text, "--require") for text in require or []]
    first = RunFolder.open(a).record()
    second = RunFolder.open(b).record()
    found = compare(first, second)
    failed = _reasons(failures(found, conditions))
    missed: list[tuple[str, str]] = []
    if requirements:
        missed = _reasons(unmet(alone(second), requirements))
    document = {
        "a": str(a),
        "b": str(b),
        "differences": [_document(each) for each in found],
        "failed": [{"condition": text, "attack": attack} for text, attack in [*failed, *missed]],
    }
    show(document, json, columns(_rows(found)))
    reasons = []
    if failed:
        reasons.append(f"is worse than {a} beyond its interval: {_listed(failed)}")
    if missed:
        reasons.append(f"does not meet {_listed(missed)}")
    if reasons:
        raise RunError(f"{b}: {'; and '.join(reasons)}")


def _reasons(findings: Sequence[tuple[Condition, Finding]]) -> list[tuple[str, str]]:
    return [(condition.text, finding.attack) for condition, finding in findings]


def _listed(reasons: Sequence[tuple[str, str]]) -> str:
    return "; ".join(f"{text} under {attack}" for text, attack in reasons)


def _document(difference: Finding) -> dict[str, Any]:
    return {
        "attack": difference.attack,
        "measure": difference.key,
        "value": difference.interval.value,
        "low": difference.interval.low,
        "high": difference.interval.high,
        "p_value": difference.p_value,
        "pairs": difference.pairs,
        "verdict": difference.verdict,
    }


def _rows(found: Sequence[Finding]) -> list[list[str]]:
    rows = [["", "B − A, or × A", "95 % interval", "p", "pairs", "B is"]]
    for each in found:
        name = f"{each.attack}: {each.measure.title}"
        place = each.key.partition("@")[2]
        if place:
            name = f"{name} at {place}"
        value = number(each.interval.value)
        if each.measure.ratio:
            value = f"× {value}"
        interval = f"[{number(each.interval.low)}, {number(each.interval.high)}]"
        rows.append([name, value, interval, number(each.p_value), str(each.pairs), each.verdict])
    return rows
