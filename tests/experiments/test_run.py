import json
import os
import signal
from pathlib import Path

import pytest
import torch

from seatbelt_vae import metrics
from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments import ExperimentSpec, RunFolder, run_evaluation, run_training
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


def test_evaluation_is_that_of_the_test_images(trained: RunFolder) -> None:
    evaluation = run_evaluation(trained, device="cpu", samples=2, iwae_samples=4)
    bound = metrics.elbo(trained.model(), trained.split.test[:], 2)
    assert evaluation["elbo"] == pytest.approx(bound.mean)
    assert evaluation["kl"] == pytest.approx(sum(evaluation["layer_kl"]))
    assert evaluation["elbo"] == pytest.approx(evaluation["log_likelihood"] - evaluation["kl"])
    assert evaluation["images"] == 24
    assert len(evaluation["active_units"]) == 2
    assert evaluation["weight_norms"]["encoder"] > 0
    assert evaluation["training_seconds"] > 0
    assert json.loads((trained.path / "evaluation.json").read_text()) == evaluation


def test_the_same_evaluation_is_not_made_twice(trained: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run_evaluation(trained, device="cpu")
    monkeypatch.setattr(metrics, "elbo", None)
    assert run_evaluation(trained, device="cpu") == first
    with pytest.raises(TypeError):
        run_evaluation(trained, device="cpu", seed=1)
