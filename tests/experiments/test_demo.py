"""The demonstration: one table of models, one of attacks."""

import json
from pathlib import Path

import pytest

from seatbelt_vae.experiments import AttackSpec, RunFolder, run_demo
from seatbelt_vae.experiments.demo import ATTACKS, demo_attack, demo_specs

EARLIER = json.loads(Path(__file__).with_name("earlier_specs.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("place", range(3))
def test_the_first_three_models_are_those_of_earlier_versions(place: int) -> None:
    spec = list(demo_specs().values())[place]
    earlier = EARLIER[place]["spec"]
    for table, settings in spec.model_dump(mode="json", exclude_unset=True).items():
        for name, value in settings.items():
            assert earlier[table][name] == value


def test_the_attacks() -> None:
    assert demo_attack("latent") == AttackSpec.of(max_iterations=20)
    assert demo_attack("output") == AttackSpec.of(objective="output", samples=1, max_iterations=20)
    assert len(demo_attack("damage").radii) == 4
    assert demo_attack("damage", quick=True).pairs == 2


def test_a_quick_one_is_whole_and_is_not_done_twice(tmp_path: Path) -> None:
    said: list[str] = []
    folders = run_demo(tmp_path, quick=True, device="cpu", say=said.append)
    assert [folder.name for folder in folders] == ["vae", "beta-tcvae", "seatbelt-vae", "robust-vae"]
    assert said[-1] == "[4/4] robust-vae: train for 20 steps, measure, attack"
    names = {demo_attack(objective, quick=True).name for objective in ATTACKS}
    for folder in folders:
        assert set(folder.attacks) == names
    robust = RunFolder.open(tmp_path / "robust-vae")
    assert robust.spec.robust.method == "adversarial"
    before = (robust.path / "training.safetensors").stat().st_mtime_ns
    run_demo(tmp_path, quick=True, device="cpu")
    assert (robust.path / "training.safetensors").stat().st_mtime_ns == before
