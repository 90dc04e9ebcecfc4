"""Audits on the page and at the gate, made by hand: two models of four pairs, one of them flagged."""

from pathlib import Path
from typing import Any

import pytest
import torch

from seatbelt_vae.audits import Audit
from seatbelt_vae.audits.record import read
from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics import interval
from seatbelt_vae.report import write_report
from seatbelt_vae.report.audit import alone, audits_section, compare, curve, flags_table, measures_table
from seatbelt_vae.report.gate import Condition, checks
from seatbelt_vae.report.page import page

KEYS = ("f50", "auddc", "success_at_0.3", "success_at_0.5", "amplification")
F50 = (0.2, 0.25, 0.3, 0.35)


def ends(values: tuple[float, ...]) -> dict[str, float]:
    found = interval(values)
    return {"value": found.value, "low": found.low, "high": found.high}


def document(model: str = "theirs", *, moved: float = 0.0, raised: bool = False) -> dict[str, Any]:
    """An audit as JSON has it; every measure of a pair is its f50."""
    values = tuple(value + moved for value in F50)
    flag = {"raised": raised, "value": 0.4, "rule": "r < 1", "advice": "Use float64.", "information": False}
    calm = {"raised": False, "value": None, "rule": "σ > 0", "advice": "Nothing.", "information": True}
    band = [ends((0.0, 0.1)), ends((0.4, 0.5)), ends((0.9, 1.0))]
    return {
        "format": "seatbelt-audit", "version": 1, "seatbelt": "0", "torch": "0", "model": model, "suite": "quick",
        "seed": 0, "pairs": 4, "images_digest": "0a", "seconds": 1.0, "attacks": [], "radius": 0.4,
        "probe": {
            "image_shape": [1, 4, 4], "bounds": [0, 1], "latent_shapes": [[2]], "scale": [1, 1, 1],
            "relative_scale": 1.0, "deterministic": False, "random": False, "mixes": False, "smoothed": False,
            "reason": "", "assumptions": [], "estimated_seconds": 1.0,
        },
        "flags": {"no_gradient": flag, "wide": calm},
        "measures": {key: ends(values) for key in KEYS},
        "values": dict.fromkeys(KEYS, values),
        "references": {
            "blend": {"f50": 0.45, "auddc": 0.5, "amplification": None},
            "identity": {"f50": 0.5, "auddc": 0.5, "amplification": 1.0},
        },
        "curve": {
            "distortion": [0.0, 0.5, 1.0], "success": band, "damage": band, "blend": [0.0, 0.4, 1.0],
            "noise": [0.0, 0.1, None],
        },
        "sandwich": {"below": [None] * 4, "above": values, "code_below": [None] * 4},
        "trusted": not raised, "sentence": "Brittle: half of an attack needs 0.28 of the way.",
    }  # fmt: skip


def made(model: str = "theirs", **settings: Any) -> Audit:
    return Audit(read(document(model, **settings), "a.json"), {"source": torch.zeros(1)})


def test_one_audit_is_held_to_what_is_required() -> None:
    found = {finding.key: finding for finding in alone(made().record)}
    assert tuple(found) == KEYS
    assert found["f50"].interval == interval(F50)
    assert found["f50"].pairs == 4
    met = checks(list(found.values()), [Condition.parse("f50>=0.1", "--require"), Condition.parse("success<=0.2")])
    assert [check.passed for check in met] == [True, True]
    missed = checks(list(found.values()), [Condition.parse("f50>=0.3", "--require")])
    assert [check.passed for check in missed] == [False]


def test_two_audits_are_compared_over_the_same_pairs() -> None:
    found = {finding.key: finding for finding in compare(made().record, made(moved=0.1).record)}
    assert found["f50"].interval.value == pytest.approx(0.1)
    assert found["f50"].p_value == 0.125, "four pairs cannot give less"
    assert found["f50"].verdict == "better"
    assert found["success_at_0.5"].verdict == "worse"


@pytest.mark.parametrize(("name", "value"), [("images_digest", "0b"), ("suite", "full"), ("seed", 1), ("radius", 0.8)])
def test_audits_made_in_other_ways_are_not_compared(name: str, value: object) -> None:
    other = made().record.model_copy(update={name: value})
    with pytest.raises(InputError, match=f"theirs and theirs: their audits differ in {name}"):
        compare(made().record, other)


def test_the_tables_say_what_the_document_does() -> None:
    record = made(raised=True).record
    table = measures_table(record, "audit-1", 0)
    assert [line.label for line in table.lines] == ["theirs", "blend", "identity"]
    blend = table.lines[1].cells
    assert blend[0] is not None
    assert blend[0].value == 0.45
    assert blend[4] is None
    flags = flags_table(record, "flags")
    (raised,) = flags.lines
    assert (raised.label, [str(cell) for cell in raised.cells]) == ("no gradient", ["0.400", "r < 1"])
    assert flags.notes == (
        "no gradient, speaks against the numbers: Use float64.",
        "Looked for and not found: wide.",
    )
    assert flags_table(made().record, "flags").lines == ()


def test_the_curve_is_that_of_the_document_beside_what_needs_no_attack() -> None:
    layers = curve(made().record)["layer"]
    band, _, others, names, diagonal, name = (each["data"]["values"] for each in layers)
    assert [(row["x"], row["y"]) for row in band] == [(0.0, 0.05), (0.5, 0.45), (1.0, 0.95)]
    assert {row["model"] for row in others} == {"blend", "noise"}
    assert {row["model"]: row["x"] for row in names} == {"blend": 1.0, "noise": 0.5}
    assert [row["y"] for row in diagonal] == [0.0, 0.85]
    assert name == diagonal[1:]


@pytest.mark.parametrize(("middle", "align"), [(0.4, "right"), (0.6, "left")])
def test_the_name_of_the_identity_is_on_the_side_where_the_blend_is_not(middle: float, align: str) -> None:
    document_ = document()
    document_["curve"]["blend"] = [0.0, middle, 1.0]
    name = curve(read(document_, "a.json"))["layer"][-1]
    assert name["mark"]["align"] == align


def test_a_page_of_audits_alone(tmp_path: Path) -> None:
    audits = [made("one"), made("two <b>", raised=True)]
    html = write_report([], tmp_path, audits=audits).read_text()
    assert "<h1>How 2 models withstand attack</h1>" in html
    assert "one: Brittle: half of an attack" in html
    assert "two &lt;b&gt;" in html
    assert "two <b>" not in html
    section = audits_section(audits)
    assert all(f'id="{figure.key}"' in html for part in section.parts for figure in part.figures)
    assert {path.name for path in (tmp_path / "tables").glob("*.csv")} == {
        "audit-1.csv", "audit-1-flags.csv", "audit-2.csv", "audit-2-flags.csv",
    }  # fmt: skip
    assert (tmp_path / "tables" / "audit-1-flags.csv").read_text().startswith("sign,value,")


def test_audits_stand_before_runs(runs: list[Any]) -> None:
    html = page(runs[:1], [], audits=[made()])
    assert "How 2 models withstand attack" in html
    assert html.index('<section id="audits"') < html.index('<section id="clean"')
