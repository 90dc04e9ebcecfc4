"""``seatbelt compare``: one model against another under the same attacks, for people and for CI."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seatbelt_vae.audits import Audit, AuditRecord
from seatbelt_vae.cli.console import columns, note, number, show
from seatbelt_vae.cli.options import Json
from seatbelt_vae.cli.report import is_audit
from seatbelt_vae.errors import InputError, RunError
from seatbelt_vae.experiments import RunFolder
from seatbelt_vae.report import audit, gate
from seatbelt_vae.report.gate import Check, Condition, Finding, checks
from seatbelt_vae.report.gate_files import junit as junit_of
from seatbelt_vae.report.gate_files import sarif as sarif_of
from seatbelt_vae.storage import write_bytes, write_json


def command(
    a: Path,
    b: Path | None = None,
    /,
    *,
    fail_if: list[str] | None = None,
    require: list[str] | None = None,
    sarif: Path | None = None,
    junit: Path | None = None,
    json: Json = False,
) -> None:
    """Compare two runs or two audits, or hold one to what is required of it.

    Args:
        a: The run or audit that B is measured against; without B the one that is held to what is required.
        b: The run or audit in question.
        fail_if: Condition on B - A, such as success>+0.05, success@0.3>+0.1, auddc<-0.02, target_nll<-5; for the
            geometric mean of Δ on B / A, such as objective<0.8. It fails where the whole 95 % interval lies beyond.
            May be repeated.
        require: Condition on B alone, such as f50>=0.3 or success<=0.2. It holds where the whole 95 % interval does.
            May be repeated.
        sarif: Where to write what failed for code scanning: a SARIF file.
        junit: Where to write each condition as a test: a JUnit XML file.
    """
    conditions = [Condition.parse(text) for text in fail_if or []]
    requirements = [Condition.parse(text, "--require") for text in require or []]
    if b is None and (conditions or not requirements):
        raise InputError("compare: B is missing; give two runs, or one with --require alone")
    subject = b or a
    found: list[Finding] = []
    if b:
        found = _differences(a, b)
    made = checks(found, conditions)
    if requirements:
        made += checks(_measured(subject), requirements)
    if sarif:
        write_json(sarif, sarif_of(made, str(subject)))
    if junit:
        write_bytes(junit, junit_of(made, str(subject)).encode())
    failed = [check for check in made if not check.passed]
    document = {
        "a": str(a),
        "b": str(b) if b else None,
        "differences": [_document(each) for each in found],
        "failed": [{"condition": each.condition.text, "attack": each.finding.attack} for each in failed],
    }
    lines = columns(_rows(found))
    if found and made:
        lines.append("")
    show(document, json, [*lines, *columns(_held(made))])
    if failed:
        raise RunError(f"{subject}: {'; and '.join(_reasons(failed, a))}")


def _differences(a: Path, b: Path) -> list[Finding]:
    kinds = {True: "an audit", False: "a run"}
    if is_audit(a) != is_audit(b):
        raise InputError(f"compare: {a} is {kinds[is_audit(a)]} and {b} is {kinds[is_audit(b)]}; give two of a kind")
    if is_audit(a):
        return audit.compare(_audited(a), _audited(b))
    return gate.compare(RunFolder.open(a).record(), RunFolder.open(b).record())


def _measured(path: Path) -> list[Finding]:
    if is_audit(path):
        return audit.alone(_audited(path))
    return gate.alone(RunFolder.open(path).record())


def _audited(path: Path) -> AuditRecord:
    """An audit's document; flags that speak against its numbers are told."""
    record = Audit.load(path).record
    if not record.trusted:
        note(f"seatbelt: warning: {path}: {record.sentence}")
    return record


def _reasons(failed: Sequence[Check], a: Path) -> list[str]:
    reasons = []
    for option, words in (("--fail-if", f"is worse than {a} beyond its interval:"), ("--require", "does not meet")):
        mine = [str(check) for check in failed if check.condition.option == option]
        if mine:
            reasons.append(f"{words} {'; '.join(mine)}")
    return reasons


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


def _held(made: Sequence[Check]) -> list[list[str]]:
    """Each condition, the number it is held against, and how that ended."""
    rows = []
    for check in made:
        interval = check.finding.interval
        ends = f"[{number(interval.low)}, {number(interval.high)}]"
        ended = "passed" if check.passed else "failed"
        rows.append([check.condition.text, check.finding.attack, number(interval.value), ends, ended])
    return rows


def _rows(found: Sequence[Finding]) -> list[list[str]]:
    if not found:
        return []
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
