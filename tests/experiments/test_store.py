from pathlib import Path

import numpy as np
import pytest

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments import ExperimentSpec, RunFolder, run_training


def spec(**training: int) -> ExperimentSpec:
    return ExperimentSpec.of({"training": training})


def test_made_and_found_again(tmp_path: Path) -> None:
    made = RunFolder.create(tmp_path / "a", spec(steps=7))
    assert RunFolder.open(tmp_path / "a") == made
    assert RunFolder.create(tmp_path / "a", spec(steps=7)) == made
    assert (made.step, made.finished, made.attacks, made.evaluation, made.history) == (0, False, (), {}, [])


def test_a_folder_of_another_spec_is_refused(tmp_path: Path) -> None:
    RunFolder.create(tmp_path, spec(steps=7))
    with pytest.raises(InputError, match=r"holds another run \(training\.steps is 7 there, 8 here\), choose another"):
        RunFolder.create(tmp_path, spec(steps=8))


def test_what_is_no_run_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is not a run folder \(it has no spec\.json\)"):
        RunFolder.open(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file, a run needs a folder"):
        RunFolder.create(tmp_path / "file", spec())
    for content, message in [("{", "is not valid JSON"), ("[]", "is not a spec"), ('{"x": 1}', "x: no such setting")]:
        (tmp_path / "spec.json").write_text(content)
        with pytest.raises(InputError, match=message):
            RunFolder.open(tmp_path)


def test_an_unfinished_model_is_not_given_out(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "a", spec(steps=7))
    with pytest.raises(
        InputError, match=r"is trained for 0 of 7 steps, finish it with: seatbelt train --out .* --resume"
    ):
        folder.model()


def test_the_split_is_the_one_of_the_training(trained: RunFolder) -> None:
    assert len(trained.split.test) == 24
    again = RunFolder.open(trained.path).split
    assert (again.train.digest, again.test.digest) == (trained.split.train.digest, trained.split.test.digest)


def test_data_that_changed_are_noticed(tmp_path: Path, trained: RunFolder) -> None:
    other = tmp_path / "other.npz"
    np.savez(other, images=np.zeros((60, 28, 28), dtype=np.uint8))
    changed = RunFolder(trained.path, trained.spec.changed(data={"name": str(other)}))
    with pytest.raises(InputError, match=r"is not the data that .* was trained on"):
        _ = changed.split


def test_an_attack_without_its_assessment_does_not_count(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, spec())
    folder.attacks_path.mkdir()
    for name in ("whole.json", "whole.safetensors", "whole.assessment.safetensors", "half.json", "half.safetensors"):
        (folder.attacks_path / name).write_text("")
    assert folder.attacks == ("whole",)
    with pytest.raises(InputError, match="has no attack 'half', it has: whole"):
        folder.attack("half")


def test_attacks_of_an_earlier_version_are_not_misread(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, spec())
    (tmp_path / "manifest.jsonl").unlink()
    folder.attacks_path.mkdir()
    for ending in (".assessment.safetensors", ".safetensors"):
        (folder.attacks_path / f"old{ending}").write_text("")
    (folder.attacks_path / "old.json").write_text('{\n  "mode": "latent"\n}')
    with pytest.raises(InputError, match=f"holds attacks of an earlier version, .*: seatbelt upgrade {tmp_path}$"):
        _ = folder.attacks


def test_a_name_that_no_file_system_takes_is_one_line(tmp_path: Path) -> None:
    long = tmp_path / ("a" * 300)
    for take in (RunFolder.open, lambda path: RunFolder.create(path, spec())):
        with pytest.raises(InputError, match=r"is no usable path \(File name too long\)$") as caught:
            take(long)
        assert len(str(caught.value)) < 200


def test_data_that_were_moved(tmp_path: Path, tiny: ExperimentSpec, images_file: Path) -> None:
    here = tmp_path / "here.npz"
    here.write_bytes(images_file.read_bytes())
    made = run_training(tiny.changed(data={"name": str(here)}), tmp_path / "run", device="cpu")
    there = here.rename(tmp_path / "there.npz")
    with pytest.raises(InputError, match=r"if the data were moved, say where they are with --data$"):
        _ = RunFolder.open(made.path).split
    assert len(RunFolder.open(made.path, data=str(there)).split.test) == 24
    np.savez(here, images=np.zeros((60, 28, 28), dtype=np.uint8))
    with pytest.raises(InputError, match=r"is not the data that .* was trained on"):
        _ = RunFolder.open(made.path, data=str(here)).split


def test_a_record_reads_what_is_asked_for(trained: RunFolder) -> None:
    record = RunFolder.open(trained.path).record("mine")
    assert (record.name, record.label) == ("mine", "Seatbelt-VAE L=2 β=6")
    assert [each["step"] for each in record.history] == [2, 4, 6]
    with pytest.raises(KeyError):
        record.attacks["none"]
