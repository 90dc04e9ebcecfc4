"""``seatbelt compare``: one model against another under the same attacks, for people and for CI."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from seatbelt_vae.cli.console import columns, number, show
from seatbelt_vae.cli.options import Json

NAME = "compare"
EXAMPLE = 'seatbelt compare runs/a runs/b --fail-if "success>+0.05"'


def command(
    a: Path, b: Path, /, *, fail_if: Annotated[list[str] | None, Parameter(negative=())] = None, json: Json = False
) -> None:
    """Compare two runs pair by pair, on the attacks that both went through.

    Exits with 1 where B is worse than A beyond its 95 % interval by a condition of --fail-if, with 2 where the runs
    cannot be compared.

    Args:
        a: The run that B is measured against.
        b: The run in question.
        fail_if: Condition on B - A, such as success>+0.05, success@0.3>+0.1, auddc<-0.02, target_nll<-5; for the
            geometric mean of Δ on B / A, such as objective<0.8. May be repeated.
        json: Print one JSON document.
    """
    from seatbelt_vae.cli.folders import report_run
    from seatbelt_vae.errors import RunError
    from seatbelt_vae.experiments import RunFolder
    from seatbelt_vae.report.gate import Condition, check, compare

    conditions = [Condition.parse(text) for text in fail_if or []]
    found = compare(*(report_run(RunFolder.open(path)) for path in (a, b)))
    failures = check(found, conditions)
    rows = [["", "B − A, or × A", "95 % interval", "p", "pairs", "B is"]]
    for each in found:
        interval = f"[{number(each.interval.low)}, {number(each.interval.high)}]"
        name = f"{each.attack}: {each.measure.title}"
        times = "× " if each.measure.statistic == "geometric-mean" else ""
        rows.append(
            [name, times + number(each.interval.value), interval, number(each.p_value), str(each.pairs), each.verdict]
        )
    document = {
        "a": str(a),
        "b": str(b),
        "differences": [
            {
                "attack": each.attack,
                "measure": each.measure.key,
                "value": each.interval.value,
                "low": each.interval.low,
                "high": each.interval.high,
                "p_value": each.p_value,
                "pairs": each.pairs,
                "verdict": each.verdict,
            }
            for each in found
        ],
        "failed": [{"condition": condition.text, "attack": each.attack} for condition, each in failures],
    }
    show(document, json, columns(rows))
    if failures:
        reasons = "; ".join(f"{condition.text} under {each.attack}" for condition, each in failures)
        raise RunError(f"{b}: is worse than {a} beyond its interval: {reasons}")
