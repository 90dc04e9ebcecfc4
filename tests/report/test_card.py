"""The card of a pushed model says what was measured, and what was not."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from seatbelt_vae.cli import main
from seatbelt_vae.experiments import AttackSpec, ExperimentSpec, RunFolder, run_attack, run_training
from seatbelt_vae.models import HierarchicalVAE
from seatbelt_vae.report.card import measured


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    tables = {
        "data": {"name": "sprites", "size": 32, "count": 80},
        "model": {"name": "vae", "latent_sizes": [3], "network": "tiny"},
        "training": {"steps": 2, "batch_size": 8},
    }
    return run_training(ExperimentSpec.of(tables), tmp_path / "run", device="cpu")


def test_a_card_names_data_and_training_and_says_what_is_not_known(folder: RunFolder) -> None:
    card = measured(folder.record())
    assert "On `sprites`, 2 steps of 8 images" in card
    assert folder.spec.data.digest is not None
    assert folder.spec.data.digest in card
    assert "It has not been attacked" in card


def test_a_card_does_not_tell_the_folders_of_a_machine(folder: RunFolder) -> None:
    record = folder.record()
    settings = {**record.settings, "data": {**record.settings["data"], "name": "/home/me/photos"}}
    card = measured(replace(record, settings=settings))
    assert "On `photos`, 2 steps" in card
    assert "/home" not in card


def test_a_card_has_the_attack_with_its_interval(folder: RunFolder) -> None:
    run_attack(folder, AttackSpec.of(solver="cold", max_iterations=3, lambdas=(0.0, 1.0), pairs=3), device="cpu")
    card = measured(folder.record())
    assert "It has not been attacked" not in card
    assert "AUDDC ↑" in card
    assert "Mean over 3 pairs [95 % interval over pairs]" in card


def test_what_is_pushed_into_a_folder_is_the_model_to_the_bit(
    folder: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["push", str(folder.path), "owner/name", "--out", str(tmp_path / "hub"), "--json"])
    assert json.loads(capsys.readouterr().out) == {"pushed": str(tmp_path / "hub")}
    again = HierarchicalVAE.from_pretrained(tmp_path / "hub")
    for name, tensor in folder.model().state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)
    card = (tmp_path / "hub" / "README.md").read_text()
    assert 'from_pretrained("owner/name")' in card
    assert "license: apache-2.0" in card
    assert "## What was measured" in card


def test_the_licence_is_the_owners_choice(folder: RunFolder, tmp_path: Path) -> None:
    for licence in ("mit", "cc-by-4.0"):
        main(["push", str(folder.path), "owner/name", "--license", licence, "--out", str(tmp_path / licence)])
        assert f"license: {licence}\n" in (tmp_path / licence / "README.md").read_text()


def test_export_writes_both_files(folder: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["export", str(folder.path), "--out", str(tmp_path / "graphs"), "--kind", "torch", "--json"])
    assert [Path(file).name for file in json.loads(capsys.readouterr().out)["files"]] == ["decoder.pt2", "encoder.pt2"]
