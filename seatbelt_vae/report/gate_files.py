"""What became of conditions, in the formats that CI systems read: SARIF and JUnit.

References:
    OASIS 2020, Static Analysis Results Interchange Format (SARIF) 2.1.0. JUnit XML as Jenkins and GitLab read it.
"""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from seatbelt_vae.report.gate import Check
from seatbelt_vae.report.table import Cell
from seatbelt_vae.report.templating import rendered

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def message(check: Check) -> str:
    """What was found, with its interval.

    Example:
        >>> from seatbelt_vae.metrics import Interval
        >>> from seatbelt_vae.report.gate import Condition, Finding
        >>> from seatbelt_vae.measures import MEASURES
        >>> found = Finding("Latent attack (KL)", "f50", MEASURES["f50"], Interval(0.25, 0.2, 0.3), 1.0, 40, "")
        >>> message(Check(Condition.parse("f50>=0.3", "--require"), found))
        'f50 under Latent attack (KL) is 0.25 [0.20, 0.30]; --require f50>=0.3'
    """
    condition = check.condition
    found = Cell.of(check.finding.interval)
    return f"{condition.key} under {check.finding.attack} is {found}; {condition.option} {condition.text}"


def sarif(checks: Sequence[Check], subject: str) -> dict[str, Any]:
    """The checks that failed as a SARIF log, version 2.1.0.

    Args:
        checks: of all conditions.
        subject: the run or audit that was checked: a path, for code scanning has to show a place.
    """
    rules = {check.condition.text: f"{check.condition.option} {check.condition.text}" for check in checks}
    place = {"physicalLocation": {"artifactLocation": {"uri": subject}, "region": {"startLine": 1}}}
    results = []
    for check in checks:
        if not check.passed:
            words = {"text": message(check)}
            results.append({"ruleId": check.condition.text, "level": "error", "message": words, "locations": [place]})
    driver = {
        "name": "seatbelt-vae",
        "version": version("seatbelt-vae"),
        "rules": [{"id": text, "shortDescription": {"text": words}} for text, words in rules.items()],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def junit(checks: Sequence[Check], subject: str) -> str:
    """A test case for each check, as JUnit XML.

    Args:
        checks: of all conditions.
        subject: the run or audit that was checked.
    """
    failures = sum(not check.passed for check in checks)
    return rendered("junit.xml.j2", checks=checks, subject=subject, failures=failures, message=message)
