"""Damage to any file of a run is seen when it is read, and by `verify`, which also computes results again."""

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments import (
    AttackSpec,
    Check,
    EvaluationSettings,
    ExperimentSpec,
    RunFolder,
    run_attack,
    run_evaluation,
    run_training,
    upgrade,
    verify,
)
from seatbelt_vae.experiments.sweep import OWN
from seatbelt_vae.experiments.tasks import failure, record_failure
from seatbelt_vae.manifest import FILE as MANIFEST
from seatbelt_vae.measures import Attacked
from seatbelt_vae.storage import begin, read_json, write_json
from seatbelt_vae.training import Checkpoint

ATTACKS = {
    "latent": AttackSpec.of(pairs=2, lambdas=(0.1, 10.0), max_iterations=3, samples=2),
    "output": AttackSpec.of(objective="output", pairs=2, lambdas=(1.0,), samples=1, max_iterations=3),
    "damage": AttackSpec.of(objective="damage", pairs=2, radii=(1.0, 2.0), norm="linf", max_iterations=3),
}
LATENT = ATTACKS["latent"].name


def made(spec: ExperimentSpec, path: Path, *attacks: str) -> RunFolder:
    """A run that is trained, measured and attacked."""
    folder = run_training(spec, path, device="cpu", log_every=2)
    run_evaluation(folder, EvaluationSettings(("elbo", "noise", "weights"), scales=(0.1,)), device="cpu")
    for name in attacks:
        run_attack(folder, ATTACKS[name], device="cpu")
    record_failure(folder.path, "no failure, but a file", "")
    return folder


@pytest.fixture(scope="module")
def whole(tiny: ExperimentSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tiny, tmp_path_factory.mktemp("whole") / "run", *ATTACKS).path


@pytest.fixture(scope="module")
def other(tiny: ExperimentSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, from another seed."""
    spec = tiny.changed(training={"seed": 1, "steps": 7})
    return made(spec, tmp_path_factory.mktemp("other") / "run", "latent").path


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    """A copy of the run that may be spoilt."""
    return shutil.copytree(whole, tmp_path / "run")


READERS: dict[str, Callable[[Path], Any]] = {
    "spec.json": RunFolder.open,
    "config.json": lambda run: RunFolder.open(run).model().recipe,
    "model.safetensors": lambda run: RunFolder.open(run).model().state_dict(),
    "training.safetensors": Checkpoint.load,
    "metrics.jsonl": lambda run: RunFolder.open(run).history,
    "environment.json": lambda run: RunFolder.open(run).environment,
    "evaluation.json": lambda run: RunFolder.open(run).evaluation,
    "evaluation/noise.safetensors": lambda run: RunFolder.open(run).measured("noise"),
    f"attacks/{LATENT}.json": lambda run: RunFolder.open(run).attack(LATENT).result.settings,
    f"attacks/{LATENT}.safetensors": lambda run: RunFolder.open(run).attack(LATENT).result.adversarial,
    f"attacks/{LATENT}.assessment.safetensors": lambda run: RunFolder.open(run).attack(LATENT).assessment.nll,
    "error.json": failure,
}


SAME = ("config.json", "environment.json", "error.json")
"""Files that the same model, made here too, has likewise."""


def refused(run: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"is damaged or of another run .*, put back a copy, or delete it") as caught:
        READERS[name](run)
    assert str(caught.value).startswith(f"{run / name}: ")
    assert "\n" not in str(caught.value)


def test_every_file_has_a_reader_here(whole: Path) -> None:
    kinds = {name.replace(LATENT, "") for name in READERS}
    for path in whole.rglob("*.*"):
        name = path.relative_to(whole).as_posix()
        for spec in ATTACKS.values():
            name = name.replace(spec.name, "")
        assert name.startswith((".lock", MANIFEST)) or name in kinds, name


@pytest.mark.parametrize("name", READERS)
def test_a_byte_that_is_another_is_refused(run: Path, name: str) -> None:
    path = run / name
    content = path.read_bytes()
    READERS[name](run)
    drawn = random.Random(name)
    for _ in range(25):
        damaged = bytearray(content)
        damaged[drawn.randrange(len(content))] ^= 1 << drawn.randrange(8)
        path.write_bytes(damaged)
        refused(run, name)
    path.write_bytes(content)
    READERS[name](run)


@pytest.mark.parametrize("name", READERS)
def test_a_part_is_refused(run: Path, name: str) -> None:
    path = run / name
    content = path.read_bytes()
    for size in (0, 1, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:size])
        refused(run, name)


@pytest.mark.parametrize("name", [name for name in READERS if name not in SAME])
def test_the_file_of_another_run_is_refused(run: Path, other: Path, name: str) -> None:
    shutil.copy(other / name, run / name)
    refused(run, name)


def test_damage_to_the_manifest_changes_no_value(run: Path) -> None:
    """What is read is refused, or is what it was."""
    path = run / MANIFEST
    content = path.read_bytes()
    read = {name: repr(reader(run)) for name, reader in READERS.items()}
    drawn = random.Random(0)
    found = 0
    for _ in range(40):
        damaged = bytearray(content)
        for _ in range(30):
            damaged[drawn.randrange(len(content))] ^= 1 << drawn.randrange(8)
        path.write_bytes(damaged)
        for name in ("evaluation.json", "metrics.jsonl", f"attacks/{LATENT}.json"):
            try:
                assert repr(READERS[name](run)) == read[name]
            except InputError as error:
                found += 1
                assert "is damaged or of another run" in str(error) or "is not of this run" in str(error)  # noqa: PT017
    assert found


def test_damage_to_what_is_said_of_the_model_hides_no_result(run: Path) -> None:
    """Results are those of the model with a hash: where that is not known, they are not taken for another model's."""
    path = run / MANIFEST
    lines = path.read_text().splitlines()
    last = max(number for number, line in enumerate(lines) if '"model.safetensors"' in line)
    for damaged in (lines[last].replace("model", "mobel"), lines[last].replace("sha256", "sha255"), ""):
        path.write_text("\n".join([*lines[:last], damaged, *lines[last + 1 :]]) + "\n")
        assert RunFolder.open(run).record().evaluation["measurements"]
        assert RunFolder.open(run).attacks


def test_attacks_that_are_moved_here_with_their_manifest_do_not_count(run: Path, other: Path) -> None:
    """A folder of attacks is exchanged, manifest and all: they say of which model they are."""
    shutil.rmtree(run / "attacks")
    shutil.copytree(other / "attacks", run / "attacks")
    (run / MANIFEST).unlink()
    assert RunFolder.open(run).attacks == ()
    shutil.copy(other / "evaluation.json", run / "evaluation.json")
    assert RunFolder.open(run).evaluation["measurements"] == {}
    assert "elbo" not in RunFolder.open(run).evaluation


def test_every_result_says_what_it_comes_from(whole: Path) -> None:
    folder = RunFolder.open(whole)
    known = {"run", "data", "model", "seatbelt_vae", "commit", "torch", "numpy", "device", "threads"}
    settings = json.loads((whole / "attacks" / f"{LATENT}.json").read_text())
    notes = [settings, *folder.evaluation["measurements"].values()]
    for note in notes:
        assert known <= set(note["origin"])
        assert note["origin"]["model"] == folder.model_digest
        assert note["origin"]["data"] == folder.spec.data.digest
        assert note["origin"]["run"] == folder.spec.digest
    assert settings["seed"] == 0
    assert "origin" not in folder.attack(LATENT).result.settings


def wrong(path: Path, **options: Any) -> list[str]:
    found: list[str] = []
    for check in verify(path, device="cpu", **options):
        found += check.wrong
    return found


def test_a_whole_run_is_the_same_again(whole: Path) -> None:
    (check,) = verify(whole, device="cpu")
    assert check.wrong == []
    assert check.count("ok") == len(check.files)
    names = ["elbo", "weights", *(spec.name for spec in ATTACKS.values())]
    assert check.results == dict.fromkeys(sorted(names), "same")


def test_distortions_below_the_rounding_of_a_pixel_are_the_same(run: Path) -> None:
    spec = AttackSpec.of(lambdas=(1e6,), solver="cold", max_iterations=2, pairs=2)
    name = run_attack(RunFolder.open(run), spec, device="cpu")
    assert RunFolder.open(run).attack(name).result.distortion.max() < 1e-5
    (check,) = verify(run, device="cpu")
    assert check.results[name] == "same"


def test_what_a_sweep_keeps_for_itself_has_files_and_no_results(tmp_path: Path) -> None:
    begin(tmp_path / OWN)
    write_json(tmp_path / OWN / "task.json", {})
    (check,) = verify(tmp_path, device="cpu")
    assert (check.files, check.results) == ({"task.json": "ok"}, {})


@pytest.mark.parametrize("name", READERS)
def test_verify_names_what_is_changed_or_missing(run: Path, name: str) -> None:
    path = run / name
    path.write_bytes(path.read_bytes()[:-1])
    assert f"{path}: changed" in wrong(run, rows=0)
    path.unlink()
    assert wrong(run.parent, rows=0) == [f"{path}: missing"]


def test_numbers_that_fit_their_hashes_but_not_the_model(run: Path) -> None:
    folder = RunFolder.open(run)
    folder.save_evaluation({**folder.evaluation, "elbo": folder.evaluation["elbo"] + 10})
    for place, field in enumerate(("discrepancy", "distortion")):
        name = list(ATTACKS.values())[place].name
        attacked = folder.attack(name)
        changed = replace(attacked.result, **{field: getattr(attacked.result, field) + 1.0})
        folder.save_attack(name, Attacked(changed, attacked.assessment), {"model": folder.model_digest})
    name = ATTACKS["damage"].name
    attacked = folder.attack(name)
    seen = replace(attacked.assessment, source_reconstruction=attacked.assessment.source_reconstruction + 0.1)
    folder.save_attack(name, Attacked(attacked.result, seen), {"model": folder.model_digest})
    (check,) = verify(run, device="cpu")
    assert check.count("ok") == len(check.files)
    assert check.results["elbo"].startswith("differs: elbo is ")
    told = [check.results[spec.name].split(" by up to")[0] for spec in ATTACKS.values()]
    assert told == ["differs: discrepancy", "differs: distortion", "differs: source_reconstruction"]
    assert len(check.wrong) == 4


def test_a_run_of_before_is_taken_up(run: Path) -> None:
    (run / MANIFEST).unlink()
    (check,) = verify(run, rows=0)
    assert (check.wrong, check.count("unnamed")) == ([], len(check.files))
    said: list[str] = []
    upgrade(run, say=said.append)
    assert said == [f"run: its manifest names {len(check.files)} more files"]
    (check,) = verify(run, rows=0)
    assert check.count("ok") == len(check.files)


def test_a_file_that_was_put_there_is_refused_until_it_is_noted(run: Path, other: Path) -> None:
    name = f"attacks/{ATTACKS['latent'].name}".replace("latent-", "latent-0")
    shutil.copy(other / f"attacks/{LATENT}.json", run / f"{name}.json")
    (check,) = verify(run, rows=0)
    assert (check.wrong, check.count("unnamed")) == ([], 1)
    with pytest.raises(InputError, match=rf"is not of this run .*, or note it: seatbelt upgrade {run}$"):
        read_json(run / f"{name}.json")
    upgrade(run)
    assert read_json(run / f"{name}.json")["origin"]["model"] != RunFolder.open(run).model_digest


def test_moved_data_are_said_to_be_missing_not_wrong(run: Path, images_file: Path, tmp_path: Path) -> None:
    folder = RunFolder.open(run)
    spec = folder.spec.changed(data={"name": str(tmp_path / "gone.npz")})
    write_json(run / "spec.json", spec.model_dump(mode="json"))
    (check,) = verify(run, device="cpu")
    assert (check.wrong, check.results["elbo"].startswith("not computed (")) == ([], True)
    (check,) = verify(run, data=str(images_file), device="cpu")
    assert check.results["elbo"] == "same"


def test_what_was_deleted_is_made_again(run: Path, tiny: ExperimentSpec) -> None:
    """As the message says: whatever is deleted, the command that made it makes it again, to the bit."""
    for name in ("model.safetensors", "config.json", f"attacks/{LATENT}.safetensors", "evaluation/noise.safetensors"):
        before = (run / name).read_bytes()
        (run / name).unlink()
        folder = made(tiny, run, "latent")
        assert (run / name).read_bytes() == before, name
    assert isinstance(verify(folder.path, rows=0)[0], Check)
    assert wrong(run) == []
