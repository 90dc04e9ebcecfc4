import json
import os
import signal
from pathlib import Path

import pytest
import torch

from seatbelt_vae.errors import InputError, RunError
from seatbelt_vae.experiments import ExperimentSpec, RunFolder, run_training
from seatbelt_vae.experiments.environment import environment
from seatbelt_vae.storage import read_tensors


def test_the_folder_holds_the_run(trained: RunFolder, tiny: ExperimentSpec) -> None:
    assert trained.finished
    assert [record["step"] for record in trained.history] == [2, 4, 6]
    assert {path.name for path in trained.path.iterdir()} >= {
        "spec.json",
        "config.json",
        "model.safetensors",
        "training.safetensors",
        "metrics.jsonl",
    }
    assert trained.model().latent_sizes == tiny.model.latent_sizes
    assert Path(trained.spec.data.name).is_absolute()


def test_what_is_finished_is_not_done_again(trained: RunFolder, tiny: ExperimentSpec) -> None:
    before = (trained.path / "training.safetensors").stat().st_mtime_ns
    assert run_training(tiny, trained.path, device="cpu").path == trained.path
    assert (trained.path / "training.safetensors").stat().st_mtime_ns == before


def test_same_spec_same_weights_also_when_interrupted(
    trained: RunFolder, tiny: ExperimentSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from seatbelt_vae.training.update import Update

    update = Update.__call__

    def interrupted(self: Update, step: int, advice: str = "") -> object:
        if step == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return update(self, step, advice)

    monkeypatch.setattr(Update, "__call__", interrupted)
    with pytest.raises(
        KeyboardInterrupt, match=r"stopped at step 3 of 6, go on with: seatbelt train --out .*b --resume"
    ):
        run_training(tiny, tmp_path / "b", device="cpu")
    monkeypatch.undo()
    folder = run_training(tiny, tmp_path / "b", device="cpu", log_every=2)
    first, second = (read_tensors(run.path / "model.safetensors") for run in (trained, folder))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_another_spec_in_the_same_folder_is_refused(trained: RunFolder, tiny: ExperimentSpec) -> None:
    with pytest.raises(InputError, match=r"holds another run \(training\.seed is 0 there, 1 here\)"):
        run_training(tiny.changed(training={"seed": 1}), trained.path, device="cpu")


def test_a_wrong_setting_leaves_no_folder_behind(tiny: ExperimentSpec, tmp_path: Path) -> None:
    for change in (
        {"model": {"network": "nope"}},
        {"objective": {"estimator": "nope"}},
        {"training": {"batch_size": 99}},
    ):
        with pytest.raises(InputError):
            run_training(tiny.changed(**change), tmp_path / "run", device="cpu")
        assert not (tmp_path / "run").exists()


def test_the_default_folder_is_named_after_the_run(
    tiny: ExperimentSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = run_training(tiny, device="cpu")
    assert folder.path == Path("runs") / folder.spec.run_name
    assert folder.spec.run_name.startswith("seatbelt-L2-b6-")


def test_the_machine_is_noted_beside_the_spec(trained: RunFolder, tiny: ExperimentSpec) -> None:
    (sitting,) = trained.environment
    assert sitting["torch"] == torch.__version__
    assert sitting["device"] == "cpu"
    assert sitting["step"] == 0
    assert set(sitting) == {"step", *environment(torch.device("cpu"))}
    assert {"seatbelt_vae", "commit", "python", "numpy", "platform", "threads"} < set(sitting)
    assert "torch" not in json.dumps(trained.spec.model_dump(mode="json"))
    trained.add_environment({name: value for name, value in sitting.items() if name != "step"})
    assert trained.environment == [sitting]


def test_going_on_elsewhere_is_noted(tiny: ExperimentSpec, tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", tiny)
    folder.add_environment({"torch": "1"})
    folder.add_environment({"torch": "2"})
    assert folder.environment == [{"step": 0, "torch": "1"}, {"step": 0, "torch": "2"}]


def events(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard shows of a run: steps and values by name."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    shown = EventAccumulator(str(folder / "tensorboard"))
    shown.Reload()
    found = {}
    for name in shown.Tags()["scalars"]:
        found[name] = [(event.step, event.value) for event in shown.Scalars(name)]
    return found


def test_tensorboard_shows_each_step_once_though_the_run_went_back(
    tiny: ExperimentSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run dies at step 5; records go to step 4, the checkpoint to step 3."""
    pytest.importorskip("tensorboard")
    from seatbelt_vae.training.update import Update

    update = Update.__call__

    def dying(self: Update, step: int, advice: str = "") -> object:
        if step == 4:
            raise RunError("the power fails")
        return update(self, step, advice)

    monkeypatch.setattr(Update, "__call__", dying)
    pace = {"device": "cpu", "log": "tensorboard", "log_every": 1, "checkpoint_every": 3}
    with pytest.raises(RunError):
        run_training(tiny, tmp_path / "run", **pace)
    assert [step for step, _ in events(tmp_path / "run")["loss"]] == [1, 2, 3, 4]
    monkeypatch.undo()
    folder = run_training(tiny, tmp_path / "run", **pace)
    shown = events(folder.path)
    assert set(shown) == set(folder.history[-1]) - {"step"}
    for name, points in shown.items():
        assert points == [(record["step"], pytest.approx(record[name])) for record in folder.history]


def test_a_log_that_is_unknown_or_not_installed_is_refused_before_there_is_a_folder(
    tiny: ExperimentSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match=r"^log: 'tensorbord' is unknown \(did you mean tensorboard\?\), use one of"):
        run_training(tiny, tmp_path / "run", log="tensorbord")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"^log: needs tensorboard; pip install 'seatbelt-vae\[log\]'"):
        run_training(tiny, tmp_path / "run", log="tensorboard")
    assert not (tmp_path / "run").exists()
