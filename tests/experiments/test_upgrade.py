"""Attacks of earlier versions: moved to the form of this one, with the same numbers, whatever happens on the way."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from seatbelt_vae.errors import InputError, RunError
from seatbelt_vae.experiments import AttackSpec, RunFolder, run_attack, upgrade
from seatbelt_vae.measures import Attacked
from seatbelt_vae.storage import write_json, write_tensors

SPECS = {
    "latent": AttackSpec.of(pairs=2, lambdas=(0.1, 10.0), max_iterations=3),
    "output": AttackSpec.of(objective="output", pairs=2, lambdas=(1.0,), samples=1, solver="cold", max_iterations=3),
    "damage": AttackSpec.of(objective="damage", pairs=2, radii=(1.0, 2.0), restarts=2, max_iterations=3),
    "hearts": AttackSpec.of(pairs=2, lambdas=(1.0,), layers="top", max_iterations=3, pair_kind="rotated-hearts"),
}


def old_settings(attacked: Attacked, spec: AttackSpec) -> dict[str, Any]:
    """What an earlier version would have written of an attack."""
    settings = attacked.result.settings
    objective, budget = settings["objective"], settings["budget"]
    ball = budget["name"] == "ball"
    found = {
        "mode": objective["name"],
        "divergence": objective["divergence"],
        "layers": objective["layers"] if objective["name"] == "latent" else None,
        "solver": "ball" if ball else {"continuation": "path"}.get(settings["solver"]["name"], "cold"),
        "penalty": None if ball else "norm",
        "ball": budget.get("norm"),
        "restarts": budget.get("restarts", 1),
        "samples": objective.get("samples", 0),
        "seed": settings["seed"],
        "bounds": settings["bounds"],
        "max_iterations": spec.max_iterations,
        "waves": None,
        "pairs": settings["pairs"],
        "decoder_sees": settings["decoder_sees"],
        "model_layers": settings["model_layers"],
    }
    if spec.pair_kind == "rotated-hearts":
        return {**found, "pairs_of": "a heart and the same turned by π"}
    return {**found, "pair_seed": settings["pair_seed"], "pairs_digest": settings["pairs_digest"]}


def write_old(folder: Path, name: str, attacked: Attacked, spec: AttackSpec) -> None:
    """Write an attack as an earlier version did."""
    result, seen = attacked.result, attacked.assessment
    names = ("source", "target", "adversarial", "objective", "discrepancy", "distortion", "status", "evaluations")
    tensors = {each: getattr(result, each) for each in names}
    write_tensors(folder / f"{name}.safetensors", {**tensors, "lambdas": result.budget.values})
    write_json(folder / f"{name}.json", old_settings(attacked, spec))
    gained = {
        "source_reconstruction": seen.source_reconstruction,
        "adversarial_reconstruction": seen.adversarial_reconstruction,
    }
    if result.targeted:
        gained |= {"target_reconstruction": seen.target_reconstruction, "success": attacked.success}
        gained |= {"target_nll": seen.nll, "target_nll_error": seen.nll_error, "shown": attacked.shown}
    else:
        gained |= {"source_nll": seen.nll, "source_nll_error": seen.nll_error, "damage": attacked.damage}
    write_tensors(folder / f"{name}.assessment.safetensors", gained)


@pytest.fixture
def run(trained: RunFolder, tmp_path: Path) -> tuple[RunFolder, dict[str, Attacked]]:
    """A run with four attacks in the old form, and these as this version makes them."""
    made = {}
    copy = tmp_path / "store" / "run"
    copy.mkdir(parents=True)
    for path in trained.path.iterdir():
        if path.is_file():
            (copy / path.name).write_bytes(path.read_bytes())
    for name, spec in SPECS.items():
        made[spec.name] = trained.attack(run_attack(trained, spec, device="cpu"))
        write_old(copy / "attacks", f"{name}-01234567", made[spec.name], spec)
    return RunFolder.open(copy), made


def assert_same(folder: RunFolder, made: dict[str, Attacked]) -> None:
    assert folder.attacks == tuple(sorted(made))
    for name, attacked in made.items():
        found = folder.attack(name)
        known = {key: value for key, value in attacked.result.settings.items() if key != "smoothed"}  # nor the bound
        assert found.result.settings == known
        for part in ("result", "assessment"):
            theirs, mine = vars(getattr(attacked, part)), vars(getattr(found, part))
            for key, value in theirs.items():
                if isinstance(value, torch.Tensor) and key != "bound":
                    assert torch.equal(value.nan_to_num(), mine[key].nan_to_num()), (name, key)
        assert torch.equal(found.result.budget.values, attacked.result.budget.values)


def test_attacks_of_an_earlier_version_are_those_that_this_version_makes(run: Any) -> None:
    folder, made = run
    with pytest.raises(InputError, match="seatbelt upgrade"):
        _ = folder.attacks
    said: list[str] = []
    assert upgrade(folder.path, said.append) == len(SPECS)
    assert f"run: latent-01234567 is now {SPECS['latent'].name}" in said
    assert_same(folder, made)
    for spec in SPECS.values():
        assert run_attack(folder, spec, device="cpu") == spec.name  # which finds it
    assert len(list(folder.attacks_path.iterdir())) == 3 * len(SPECS)


def test_twice_is_harmless_and_a_store_is_taken_run_by_run(run: Any) -> None:
    folder, made = run
    assert upgrade(folder.path.parent) == len(SPECS)
    before = {path.name: path.stat().st_mtime_ns for path in folder.attacks_path.iterdir()}
    assert upgrade(folder.path.parent) == 0
    assert {path.name: path.stat().st_mtime_ns for path in folder.attacks_path.iterdir()} == before
    assert_same(folder, made)


@pytest.mark.parametrize("place", range(6))
def test_one_that_was_stopped_goes_on(run: Any, place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped before each of the six things that are done to an attack: three files written, three taken away."""
    folder, made = run
    left = place
    real = {"write_bytes": None, "unlink": Path.unlink}

    def stop() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt

    import seatbelt_vae.storage as storage

    real_write = storage.write_bytes

    def write(path: Any, content: bytes) -> Path:
        stop()
        return real_write(path, content)

    def unlink(path: Path, missing_ok: bool = False) -> None:
        if path.parent.name == "attacks":
            stop()
        real["unlink"](path, missing_ok)  # type: ignore[misc]

    monkeypatch.setattr(storage, "write_bytes", write)
    monkeypatch.setattr(Path, "unlink", unlink)
    with pytest.raises(KeyboardInterrupt):
        upgrade(folder.path)
    monkeypatch.undo()
    upgrade(folder.path)
    assert_same(folder, made)


def test_a_damaged_attack_is_one_line(run: Any) -> None:
    folder, _ = run
    path = folder.attacks_path / "latent-01234567.json"
    settings = json.loads(path.read_text())
    del settings["bounds"]
    write_json(path, settings)
    with pytest.raises(InputError, match=r"latent-01234567: is damaged, it has no 'bounds'; delete it, and"):
        upgrade(folder.path)


def test_no_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no run"):
        upgrade(tmp_path)


def test_a_run_at_work_is_left_alone(run: Any) -> None:
    import subprocess
    import sys

    folder, _ = run
    words = (
        "import sys, time; from pathlib import Path; from seatbelt_vae.experiments.lock import lock\n"
        "with lock(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", words, str(folder.path)], stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(RunError, match="is at work on it"):
            upgrade(folder.path)
    finally:
        child.kill()
        child.wait()
