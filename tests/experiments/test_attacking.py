import json

import pytest
import torch

from seatbelt_vae.data import pairs
from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments import AttackSpec, DamageAssessment, RunFolder, attacking, run_attack, summarise_attack

SMALL = {"pairs": 2, "lambdas": (0.1, 10.0), "max_iterations": 5, "solver": "cold"}


def test_made_measured_kept_and_not_made_again(trained: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = AttackSpec.of(**SMALL)
    name = run_attack(trained, spec, device="cpu")
    assert name == spec.name
    assert name in trained.attacks
    result, assessment = trained.attack(name)
    drawn = pairs(trained.split.test, 2, 0)
    assert torch.equal(result.source, drawn.source)
    assert result.settings["pairs_digest"] == drawn.digest
    assert result.adversarial.shape == (2, 2, 1, 28, 28)
    assert assessment.success.shape == (2, 2)
    monkeypatch.setattr(attacking, "attack", None)
    assert run_attack(trained, spec, device="cpu") == name
    with pytest.raises(TypeError):
        run_attack(trained, AttackSpec.of(**SMALL, pair_seed=1), device="cpu")


def test_the_name_tells_attacks_apart() -> None:
    specs = [
        AttackSpec.of(**change) for change in ({}, {"seed": 1}, {"pairs": 3}, {"layers": "top"}, {"mode": "output"})
    ]
    assert len({spec.name for spec in specs}) == 5
    assert AttackSpec.of(mode="latent", pairs=10).name == AttackSpec().name
    assert AttackSpec().name.startswith("latent-")
    assert AttackSpec.of(divergence="w2").name.startswith("latent-w2-")


def test_summary_can_be_json_and_is_made_of_means(trained: RunFolder) -> None:
    result, assessment = trained.attack(run_attack(trained, AttackSpec.of(**SMALL), device="cpu"))
    summary = summarise_attack(result, assessment)
    json.dumps(summary)
    assert summary["lambdas"] == pytest.approx([0.1, 10.0])
    assert summary["objective"] == pytest.approx(result.objective.mean(0).tolist())
    assert 0 <= summary["pairs_defined"] <= summary["pairs"] == 2
    assert summary["evaluations"] == int(result.evaluations.sum())


def test_pairs_without_a_success_have_no_interval(trained: RunFolder) -> None:
    import dataclasses

    result, assessment = trained.attack(run_attack(trained, AttackSpec.of(**SMALL), device="cpu"))
    same = dataclasses.replace(assessment, target_reconstruction=assessment.source_reconstruction)
    summary = summarise_attack(result, same)
    assert summary["pairs_defined"] == 0
    assert summary["auddc"] is None


def test_budgets_in_the_place_of_weights(trained: RunFolder) -> None:
    spec = AttackSpec.of("kuzina", radii=(0.5, 2.0), restarts=2, pairs=2, max_iterations=5)
    result, _ = trained.attack(run_attack(trained, spec, device="cpu"))
    assert (result.distortion <= torch.tensor([0.5, 2.0]) * (1 + 1e-5)).all()
    assert result.settings["divergence"] == "skl"


def test_damage_has_no_target_and_is_measured_by_what_it_moved(trained: RunFolder) -> None:
    spec = AttackSpec.of(mode="damage", radii=(1.0, 4.0), pairs=3, max_iterations=5)
    assert spec.name.startswith("damage-")
    result, assessment = trained.attack(run_attack(trained, spec, device="cpu"))
    assert isinstance(assessment, DamageAssessment)
    assert torch.equal(result.source, pairs(trained.split.test, 3, 0).source)
    assert torch.equal(result.target, result.source)
    model = trained.model().eval()
    with torch.no_grad():
        clean, attacked = model.reconstruct(result.source), model.reconstruct(result.adversarial[:, 1])
    torch.testing.assert_close(assessment.damage[:, 1], (attacked - clean).flatten(1).norm(dim=1))
    torch.testing.assert_close(assessment.damage.double(), -result.discrepancy.double(), rtol=1e-3, atol=1e-3)
    assert assessment.source_nll_error.min() > 0
    summary = summarise_attack(result, assessment)
    json.dumps(summary)
    assert summary["lambdas"] == [1.0, 4.0]
    assert [damage["value"] for damage in summary["damage"]] == pytest.approx(assessment.damage.mean(0).tolist())
    assert "auddc" not in summary


def test_what_the_decoder_sees_is_kept_beside_the_attack(trained: RunFolder) -> None:
    result, _ = trained.attack(run_attack(trained, AttackSpec.of(**SMALL), device="cpu"))
    assert (result.settings["decoder_sees"], result.settings["model_layers"]) == ("all", 2)


def test_presets_are_taken_up() -> None:
    assert len(AttackSpec.of("tabacof").lambdas) == 100
    assert AttackSpec.of("gondim-ribeiro", max_iterations=7).max_iterations == 7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pairs": 13}, "13 pairs need 26 different images, it has 24"),
        ({"pairs": 0}, "attack: pairs: Input should be greater than or equal to 1, got 0"),
        ({"lambdas": (-1.0,)}, "zero or more"),
        ({"lambdas": "log"}, "must be 'paper' or numbers"),
        ({"mode": "sideways"}, "mode: 'sideways'"),
        ({"mode": "damage"}, "radii: a damage attack needs the budgets"),
        ({"mode": "damage", "radii": ()}, "radii: a damage attack needs the budgets"),
        ({"radii": (0.0,)}, "attack: radii.0: Input should be greater than 0"),
        ({"radii": (1.0,), "lambdas": (3.0,)}, "lambdas: mean nothing where radii are given"),
        ({"preset": "papers"}, "preset: 'papers' is unknown, use one of paper, tabacof"),
        ({"divergence": "js"}, "js"),
        ({"solver": "sgd"}, "sgd"),
        ({"layers": (5,)}, "layers"),
        ({"layer": 5}, "attack: layer: no such setting, did you mean layers?"),
    ],
)
def test_bad_input(trained: RunFolder, change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        run_attack(trained, AttackSpec.of(**{**SMALL, **change}), device="cpu")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
