import dataclasses
import json
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from seatbelt_vae.errors import InputError
from seatbelt_vae.measures import MEASURES
from seatbelt_vae.metrics import Interval, auddc
from seatbelt_vae.report.gate import Check, Condition, Finding, alone, checks, compare
from seatbelt_vae.report.gate_files import junit, sarif

from .synthetic import changed, damaged, moved, synthetic_runs, with_extras

LATENT = "Latent attack (KL)"


@pytest.fixture(scope="module")
def runs():
    return synthetic_runs(pairs=8, models=1)


@pytest.fixture(scope="module")
def full(runs):
    return with_extras(runs)


def failures(found, conditions):
    return [check for check in checks(found, conditions) if not check.passed]


def other(run, *, success=0.0, name="other"):
    """The same run with every success moved (and the AUDDC with it, the other way)."""
    attacks = {}
    for key, attacked in run.attacks.items():
        if success:
            jitter = 0.01 * torch.linspace(-1, 1, len(attacked.result.source))
            attacked = moved(attacked, success + jitter[:, None])
        attacks[key] = attacked
    return dataclasses.replace(run, name=name, label=name, attacks=attacks)


def test_a_model_easier_to_fool_is_worse(runs):
    worse = other(runs[0], success=0.2)
    found = {d.key: d for d in compare(runs[0], worse)}
    assert found["success_at_0.5"].verdict == "worse"
    assert found["auddc"].verdict == "worse"
    (moved_by,) = (d.interval.value for d in compare(runs[0], worse) if (d.attack, d.key) == (LATENT, "auddc"))
    before, after = (
        auddc(a.relative_distortion, a.success) for a in (runs[0].attacks["latent"], worse.attacks["latent"])
    )
    assert moved_by == pytest.approx(float((after - before).mean()), abs=1e-6)
    failed = failures(list(found.values()), [Condition.parse("success>+0.05"), Condition.parse("auddc<-0.5")])
    assert [check.condition.text for check in failed] == ["success>+0.05"]


def test_a_model_harder_to_fool_is_better_and_passes(runs):
    found = compare(runs[0], other(runs[0], success=-0.2))
    assert {d.verdict for d in found if d.key == "auddc"} == {"better"}
    assert failures(found, [Condition.parse("success>+0.05")]) == []


def test_a_model_against_itself_does_not_differ(runs):
    found = compare(runs[0], other(runs[0]))
    assert {d.verdict for d in found} <= {"no difference", "not comparable"}
    assert failures(found, [Condition.parse("success>+0"), Condition.parse("auddc<-0")]) == []


def test_what_is_no_result_of_the_attack_is_not_judged(runs):
    assert "objective_clean" not in {d.key for d in compare(runs[0], other(runs[0], success=0.2))}


def test_delta_of_a_latent_attack_is_not_judged_that_of_an_output_attack_is(runs):
    found = {(d.attack, d.key): d.verdict for d in compare(runs[0], other(runs[0], success=0.2))}
    assert found[LATENT, "objective"] == "not comparable"
    assert found["Output attack", "objective"] == "no difference"


def test_damage_is_judged_at_each_radius(full):
    source = full[0].attacks["damage"].result.source
    worse = dataclasses.replace(full[0], name="other", attacks={"damage": damaged(source, 20)})
    found = {d.key: d for d in compare(full[0], worse)}
    assert found["damage@1"].interval.value == pytest.approx(4, abs=0.6)
    assert found["amplification@0.5"].interval.value == pytest.approx(4, abs=0.6)
    (failure,) = failures(list(found.values()), [Condition.parse("damage@1>+0.5")])
    assert failure.finding.attack == "Maximum damage, L2 balls"


def test_other_data_cannot_be_compared(runs):
    elsewhere = dataclasses.replace(other(runs[0]), settings={**runs[0].settings, "data": {"digest": "0" * 64}})
    with pytest.raises(InputError, match="trained on different data"):
        compare(runs[0], elsewhere)


def everywhere(run, **result):
    made = other(run)
    attacks = {name: changed(attacked, **result) for name, attacked in run.attacks.items()}
    return dataclasses.replace(made, attacks=attacks)


def test_other_pairs_cannot_be_compared(runs):
    source = runs[0].attacks["latent"].result.source
    with pytest.raises(InputError, match="no attack on the same pairs"):
        compare(runs[0], everywhere(runs[0], source=source.flip(0)))


def test_another_solver_cannot_be_compared(runs):
    with pytest.raises(InputError, match="solver adam"):
        compare(runs[0], everywhere(runs[0], settings={"solver.name": "adam"}))


def test_other_penalties_cannot_be_compared(runs):
    lambdas = 2 * runs[0].attacks["latent"].result.budget.values + 1
    with pytest.raises(InputError, match=r"λ at 7 values, 2⁰ to"):
        compare(runs[0], everywhere(runs[0], budget=lambdas))


@pytest.mark.parametrize("text", ["success", "success>", ">0.1", "success=0.1", "success>a", "success>0.1 or so"])
def test_conditions_of_another_form_are_refused(text):
    with pytest.raises(InputError, match="must be like"):
        Condition.parse(text)


def test_an_unknown_measure_is_named(runs):
    with pytest.raises(InputError, match=r"no measure succes; there are"):
        failures(compare(runs[0], other(runs[0])), [Condition.parse("succes>0.1")])
    with pytest.raises(InputError, match=r"--require 'f5>=0.1': no measure f5; there are"):
        checks(alone(runs[0]), [Condition.parse("f5>=0.1", "--require")])


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("success>0", "success_at_0.5"),
        ("success@0.3>0", "success_at_0.3"),
        ("target_nll<-5", "target_nll_at_0.5"),
        ("objective<0.8", "objective"),
        ("damage@1<2", "damage@1"),
        ("f50>=0.3", "f50"),
    ],
)
def test_short_names_and_places(text, key):
    assert Condition.parse(text).key == key


@pytest.mark.parametrize(
    ("text", "low", "high", "failed"),
    [
        ("success>+0.05", 0.06, 0.2, True),
        ("success>+0.05", 0.04, 0.2, False),
        ("auddc<-0.02", -0.2, -0.03, True),
        ("auddc<-0.02", -0.2, 0.1, False),
        ("success>+0.05", np.nan, np.nan, False),
    ],
)
def test_the_whole_interval_must_lie_beyond_the_margin(text, low, high, failed):
    assert Condition.parse(text).holds(Interval((low + high) / 2, low, high)) is failed


@pytest.mark.parametrize(
    ("text", "low", "high", "met"),
    [
        ("f50>=0.3", 0.3, 0.5, True),
        ("f50>=0.3", 0.29, 0.5, False),
        ("damage@1<=2", 1.0, 2.0, True),
        ("damage@1<=2", 1.0, 2.1, False),
        ("f50>=0.3", np.nan, np.nan, False),
        ("f50>0.3", 0.3, 0.5, False),
    ],
)
def test_the_end_of_the_interval_decides_what_is_required(text, low, high, met):
    assert Condition.parse(text).holds(Interval((low + high) / 2, low, high)) is met


def test_one_model_is_held_to_a_value_under_each_attack(runs):
    found = alone(runs[0])
    assert {f.attack for f in found} == {LATENT, "Output attack"}
    f50 = next(f.interval for f in found if f.key == "f50")
    wanted = [Condition.parse(f"f50>={limit}", "--require") for limit in (f50.low - 0.01, f50.low + 0.01)]
    assert [check.condition.text for check in failures(found, wanted) if check.finding.attack == LATENT] == [
        wanted[1].text
    ]


def results(*values):
    """A check for each f50, of which at least 0.3 is required."""
    condition = Condition.parse("f50>=0.3", "--require")
    made = []
    for place, value in enumerate(values):
        interval = Interval(value, value - 0.01, value + 0.01)
        made.append(Check(condition, Finding(f"attack <{place}>", "f50", MEASURES["f50"], interval, 1.0, 8, "")))
    return made


def test_sarif_has_what_its_schema_requires_and_what_code_scanning_shows():
    log = json.loads(json.dumps(sarif(results(0.25, 0.5), "runs/vae")))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "seatbelt-vae"
    assert [set(rule) for rule in driver["rules"]] == [{"id", "shortDescription"}]
    (failed,) = run["results"]
    assert failed["ruleId"] in {rule["id"] for rule in driver["rules"]}
    assert failed["level"] in ("none", "note", "warning", "error")
    assert failed["message"]["text"] == "f50 under attack <0> is 0.250 [0.240, 0.260]; --require f50>=0.3"
    (place,) = failed["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "runs/vae"
    assert place["physicalLocation"]["region"]["startLine"] >= 1
    assert sarif([], "runs/vae")["runs"][0]["results"] == []


def test_junit_has_a_case_for_each_check_and_counts_them():
    root = ElementTree.fromstring(junit(results(0.25, 0.5, 0.6), "runs/vae").encode())
    assert root.tag == "testsuites"
    (suite,) = root
    assert (suite.tag, suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("testsuite", "3", "1", "0")
    assert [case.get("classname") for case in suite] == ["runs/vae"] * 3
    assert suite[0].get("name") == "f50>=0.3 under attack <0>"
    assert [len(case) for case in suite] == [1, 0, 0]
    assert suite[0][0].tag == "failure"
    assert "0.250 [0.240, 0.260]" in suite[0][0].get("message")
