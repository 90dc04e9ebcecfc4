import dataclasses

import numpy as np
import pytest
import torch

from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics import Interval
from seatbelt_vae.report.gate import Condition, check, compare


def changed(run, *, success=0.0, name="other"):
    """The same run with every success moved (and the AUDDC with it, the other way)."""
    attacks = []
    for result, assessment in run.attacks:
        jitter = 0.01 * torch.linspace(-1, 1, len(assessment.auddc))
        attacks.append(
            (
                result,
                dataclasses.replace(
                    assessment,
                    success=assessment.success + success + jitter[:, None] * (success != 0),
                    auddc=assessment.auddc - success - jitter * (success != 0),
                ),
            )
        )
    return dataclasses.replace(run, name=name, label=name, attacks=attacks)


def test_a_model_easier_to_fool_is_worse(runs):
    worse = changed(runs[0], success=0.2)
    found = {d.measure.key: d for d in compare(runs[0], worse)}
    assert found["success_at_0.5"].verdict == "worse"
    assert found["auddc"].verdict == "worse"
    assert found["auddc"].interval.value == pytest.approx(-0.2, abs=0.02)
    failures = check(list(found.values()), [Condition.parse("success>+0.05"), Condition.parse("auddc<-0.5")])
    assert [condition.text for condition, _ in failures] == ["success>+0.05"]


def test_a_model_harder_to_fool_is_better_and_passes(runs):
    found = compare(runs[0], changed(runs[0], success=-0.2))
    assert {d.verdict for d in found if d.measure.key == "auddc"} == {"better"}
    assert check(found, [Condition.parse("success>+0.05")]) == []


def test_a_model_against_itself_does_not_differ(runs):
    found = compare(runs[0], changed(runs[0]))
    assert {d.verdict for d in found} <= {"no difference", "not comparable"}
    assert check(found, [Condition.parse("success>+0"), Condition.parse("auddc<-0")]) == []


def test_what_is_no_result_of_the_attack_is_not_judged(runs):
    assert "objective_clean" not in {d.measure.key for d in compare(runs[0], changed(runs[0], success=0.2))}


def test_other_data_cannot_be_compared(runs):
    other = dataclasses.replace(changed(runs[0]), spec={**runs[0].spec, "data": {"digest": "0" * 64}})
    with pytest.raises(InputError, match="trained on different data"):
        compare(runs[0], other)


def test_other_pairs_cannot_be_compared(runs):
    attacks = [(dataclasses.replace(r, source=r.source.flip(0)), a) for r, a in runs[0].attacks]
    other = dataclasses.replace(changed(runs[0]), attacks=attacks)
    with pytest.raises(InputError, match="no attack on the same pairs"):
        compare(runs[0], other)


def test_another_solver_cannot_be_compared(runs):
    attacks = [(dataclasses.replace(r, settings={**r.settings, "solver": "adam"}), a) for r, a in runs[0].attacks]
    other = dataclasses.replace(changed(runs[0]), attacks=attacks)
    with pytest.raises(InputError, match="solver adam"):
        compare(runs[0], other)


def test_other_penalties_cannot_be_compared(runs):
    attacks = [(dataclasses.replace(r, lambdas=2 * r.lambdas + 1), a) for r, a in runs[0].attacks]
    other = dataclasses.replace(changed(runs[0]), attacks=attacks)
    with pytest.raises(InputError, match="λ at 7 values, 2⁰ to"):
        compare(runs[0], other)


@pytest.mark.parametrize("text", ["success", "success>", ">0.1", "success=0.1", "success>a", "success>0.1 or so"])
def test_conditions_of_another_form_are_refused(text):
    with pytest.raises(InputError, match="must be like"):
        Condition.parse(text)


def test_an_unknown_measure_is_named(runs):
    with pytest.raises(InputError, match="no measure succes; there are"):
        check(compare(runs[0], changed(runs[0])), [Condition.parse("succes>0.1")])


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
    assert Condition.parse(text).failed(Interval((low + high) / 2, low, high)) is failed
