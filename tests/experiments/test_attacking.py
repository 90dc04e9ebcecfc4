"""Attacks on a run: made once, measured, kept, and the same as by the library's own functions."""

import dataclasses
import json
from typing import Any

import pytest
import torch

from seatbelt_vae.attacks import assess, attack
from seatbelt_vae.data import pairs
from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments import AttackSpec, Cell, Record, RunFolder, Table, attacking, run_attack
from seatbelt_vae.measures import Attacked

SMALL: dict[str, Any] = {"pairs": 2, "lambdas": (0.1, 10.0), "max_iterations": 5, "solver": "cold"}


def test_made_measured_kept_and_not_made_again(trained: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = AttackSpec.of(**SMALL)
    name = run_attack(trained, spec, device="cpu")
    assert name == spec.name
    assert name in trained.attacks
    result = trained.attack(name).result
    drawn = pairs(trained.split.test, 2, 0)
    assert torch.equal(result.source, drawn.source)
    assert result.settings["pairs_digest"] == drawn.digest
    assert result.adversarial.shape == (2, 2, 1, 28, 28)
    assert trained.attack(name).success.shape == (2, 2)
    monkeypatch.setattr(attacking, "attack", None)
    assert run_attack(trained, spec, device="cpu") == name
    with pytest.raises(TypeError):
        run_attack(trained, AttackSpec.of(**SMALL, pair_seed=1), device="cpu")


def test_it_is_the_attack_of_the_library(trained: RunFolder) -> None:
    spec = AttackSpec.of(**SMALL, seed=3)
    attacked = trained.attack(run_attack(trained, spec, device="cpu"))
    model = trained.model()
    drawn = pairs(trained.split.test, 2, 0)
    result = attack(model, drawn.source, drawn.target, *spec.triple(), seed=3)
    assert torch.equal(attacked.result.adversarial, result.adversarial)
    assert torch.equal(attacked.assessment.nll, assess(model, result, seed=3).nll)
    assert attacked.result.settings.items() >= result.settings.items()
    json.dumps(attacked.result.settings)


def test_pairs_without_a_success_have_no_interval(trained: RunFolder) -> None:
    attacked = trained.attack(run_attack(trained, AttackSpec.of(**SMALL), device="cpu"))
    seen = attacked.assessment
    same = dataclasses.replace(seen, target_reconstruction=seen.source_reconstruction)
    record = Record("a", "A", attacks={"x": Attacked(attacked.result, same)})
    found = Table([record]).interval([Cell(record, "x")], "auddc")
    assert [found.value, found.low, found.high] == pytest.approx([torch.nan] * 3, nan_ok=True)


def test_budgets_in_the_place_of_weights(trained: RunFolder) -> None:
    spec = AttackSpec.of("kuzina", radii=(0.5, 2.0), restarts=2, pairs=2, max_iterations=5)
    result = trained.attack(run_attack(trained, spec, device="cpu")).result
    assert (result.distortion <= torch.tensor([0.5, 2.0]) * (1 + 1e-5)).all()
    assert result.settings["objective"]["divergence"] == "skl"
    assert result.budget.symbol == "ε"


def test_damage_has_no_target_and_is_measured_by_what_it_moved(trained: RunFolder) -> None:
    spec = AttackSpec.of(objective="damage", radii=(1.0, 4.0), pairs=3, max_iterations=5)
    assert spec.name.startswith("damage-")
    attacked = trained.attack(run_attack(trained, spec, device="cpu"))
    result = attacked.result
    assert not result.targeted
    assert torch.equal(result.source, pairs(trained.split.test, 3, 0).source)
    assert torch.equal(result.target, result.source)
    model = trained.model().eval()
    with torch.no_grad():
        clean, moved = model.reconstruct(result.source), model.reconstruct(result.adversarial[:, 1])
    torch.testing.assert_close(attacked.damage[:, 1], (moved - clean).flatten(1).norm(dim=1))
    torch.testing.assert_close(attacked.damage.double(), -result.discrepancy.double(), rtol=1e-3, atol=1e-3)
    assert attacked.assessment.nll_error.min() > 0


def test_turned_hearts(trained: RunFolder) -> None:
    spec = AttackSpec.of(**{**SMALL, "pairs": 3}, pair_kind="rotated-hearts")
    result = trained.attack(run_attack(trained, spec, device="cpu")).result
    torch.testing.assert_close(result.source.flip(2, 3), result.target, atol=0.6, rtol=0)
    assert result.settings["pair_kind"] == "rotated-hearts"


def test_what_the_decoder_sees_is_kept_beside_the_attack(trained: RunFolder) -> None:
    settings = trained.attack(run_attack(trained, AttackSpec.of(**SMALL), device="cpu")).result.settings
    assert (settings["decoder_sees"], settings["model_layers"]) == ("all", 2)
    assert settings["objective"]["layers"] == [0, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pairs": 13}, "13 pairs need 26 different images, it has 24"),
        ({"layers": (5,)}, "layers [5]: must be different indices from 0 (the bottom) to 1"),
    ],
)
def test_what_the_run_does_not_have(trained: RunFolder, change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        run_attack(trained, AttackSpec.of(**{**SMALL, **change}), device="cpu")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
