import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from seatbelt_vae import metrics
from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments import (
    MEASUREMENTS,
    EvaluationSettings,
    ExperimentSpec,
    RunFolder,
    run_evaluation,
    run_training,
)
from seatbelt_vae.experiments.evaluation import Measured, chosen
from seatbelt_vae.experiments.evaluation.measurements import bootstrap_error
from seatbelt_vae.experiments.evaluation.run import quick_settings
from seatbelt_vae.measures import MEASURES

QUICK = [
    "elbo",
    "image-quality",
    "active-units",
    "total-correlation",
    "noise",
    "traversals",
    "weights",
    "training-time",
]


def evaluate(folder: RunFolder, measures: Any = None, say: Any = lambda line: None, **settings: Any) -> dict[str, Any]:
    return run_evaluation(folder, EvaluationSettings(measures, **settings), device="cpu", say=say)


@pytest.fixture
def fresh(trained: RunFolder, tmp_path: Path) -> RunFolder:
    """The trained run, not measured."""
    for path in trained.path.iterdir():
        if path.is_file() and path.name != "evaluation.json":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    return RunFolder.open(tmp_path)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run on squares of known place and size."""
    path = tmp_path_factory.mktemp("squares") / "squares.npz"
    factors = np.stack(np.meshgrid(range(4), range(4), range(4), indexing="ij"), -1).reshape(-1, 3)
    images = np.zeros((64, 28, 28), dtype=np.uint8)
    for image, (x, y, size) in zip(images, factors, strict=True):
        image[4 * y : 4 * y + 5 + 3 * size, 4 * x : 4 * x + 5 + 3 * size] = 255
    np.savez(path, images=images, latents_classes=factors, latent_names=np.array(["x", "y", "shape"]))
    spec = ExperimentSpec.of(
        {
            "data": {"name": str(path), "test": 0.25},
            "model": {"name": "vae", "latent_sizes": (3,), "network": "tiny"},
            "training": {"steps": 2, "batch_size": 16},
        }
    )
    return run_training(spec, path.parent / "run", device="cpu")


def test_evaluation_is_that_of_the_test_images(fresh: RunFolder) -> None:
    evaluation = evaluate(fresh, samples=2, iwae_samples=4)
    bound = metrics.elbo(fresh.model(), fresh.split.test[:], 2)
    assert evaluation["elbo"] == pytest.approx(bound.elbo.mean().item())
    assert evaluation["kl"] == pytest.approx(sum(evaluation["layer_kl"]))
    assert evaluation["elbo"] == pytest.approx(evaluation["log_likelihood"] - evaluation["kl"])
    assert evaluation["layer_kl_error"][1] == pytest.approx(bound.layer_kl[:, 1].std().item() / math.sqrt(24))
    assert evaluation["log_likelihood_error"] == pytest.approx(bound.log_likelihood.std().item() / math.sqrt(24))
    assert evaluation["iwae"] == pytest.approx(metrics.iwae(fresh.model(), fresh.split.test[:], 4).mean().item())
    assert evaluation["images"] == 24
    assert len(evaluation["active_units"]) == 2
    assert evaluation["weight_norms"]["encoder"] > 0
    assert evaluation["training_seconds"] > 0
    assert json.loads((fresh.path / "evaluation.json").read_text()) == evaluation


def test_image_quality_is_that_of_reconstructions(fresh: RunFolder) -> None:
    evaluation = evaluate(fresh, ["image-quality"])
    test = fresh.split.test[:]
    with torch.no_grad():
        reconstructed = fresh.model().eval().reconstruct(test)
    each = (reconstructed - test).square().flatten(1).mean(1).double()
    assert evaluation["mse"] == pytest.approx(each.mean().item())
    assert evaluation["mse_error"] == pytest.approx(each.std().item() / math.sqrt(24))
    assert evaluation["psnr"] == pytest.approx(-10 * each.log10().mean().item(), rel=1e-5)
    assert evaluation["ms_ssim"] == pytest.approx(metrics.ms_ssim(reconstructed, test).mean().item())


def test_noise_keeps_a_number_for_each_image_and_scale(fresh: RunFolder) -> None:
    evaluation = evaluate(fresh, ["noise"], scales=(1.0, 0.1))
    tensors = fresh.measured("noise")
    assert evaluation["noise_scales"] == [0.1, 1.0]
    assert tensors["log_likelihood"].shape == (2, 24)
    drop = (tensors["clean"] - tensors["log_likelihood"]).mean(1)
    assert evaluation["noise_drop"] == pytest.approx(drop.tolist(), rel=1e-3, abs=1e-3)


def test_traversals_keep_their_pictures(fresh: RunFolder) -> None:
    evaluate(fresh, ["traversals"])
    tensors = fresh.measured("traversals")
    assert tensors["images_1"].shape == (4, 9, 1, 28, 28)
    assert tensors["images_2"].shape == (2, 9, 1, 28, 28)
    assert tensors["images_1"].dtype == torch.uint8


def test_what_is_known_is_not_measured_again(fresh: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    first = evaluate(fresh)
    assert list(first["measurements"]) == QUICK
    monkeypatch.setattr(metrics, "elbo", None)
    assert evaluate(fresh) == first
    with pytest.raises(TypeError):
        evaluate(fresh, seed=1)


def test_another_setting_replaces_only_what_it_decides(fresh: RunFolder) -> None:
    first = evaluate(fresh)
    second = evaluate(fresh, aggregate_samples=20)
    assert second["elbo"] == first["elbo"]
    assert second["total_correlation"] != first["total_correlation"]
    assert second["measurements"]["total-correlation"]["settings"] == {"aggregate_samples": 20, "seed": 0}
    assert second["measurements"]["elbo"] == first["measurements"]["elbo"]
    assert second["settings"]["aggregate_samples"] == 20


def test_all_that_is_quick_being_known_is_noted_until_it_is_no_longer_so(fresh: RunFolder) -> None:
    settings = quick_settings(EvaluationSettings())
    assert evaluate(fresh)["settings"] == settings
    assert evaluate(fresh, ["iwae"], iwae_samples=2)["settings"] == settings
    assert "settings" not in evaluate(fresh, ["elbo"], seed=1)


def test_interrupted_it_costs_itself_alone(fresh: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(subject: object) -> Measured:
        raise KeyboardInterrupt

    broken = dataclasses.replace(MEASUREMENTS["noise"], make=interrupted)
    monkeypatch.setitem(MEASUREMENTS, "noise", broken)
    with pytest.raises(KeyboardInterrupt, match="stopped in noise; what was measured before is kept"):
        evaluate(fresh)
    assert list(fresh.evaluation["measurements"]) == QUICK[: QUICK.index("noise")]
    monkeypatch.undo()
    said: list[str] = []
    evaluate(fresh, say=said.append)
    assert said == ["[1/4] noise", "[2/4] traversals", "[3/4] weights", "[4/4] training-time"]


def test_without_factors_what_needs_them_is_left_out_or_refused(fresh: RunFolder) -> None:
    said: list[str] = []
    evaluation = evaluate(fresh, "all", iwae_samples=2, say=said.append)
    assert said[0] == "left out, as these data have no factors: mig, dci, sap, factor-vae-score, downstream"
    assert set(evaluation["measurements"]) == set(MEASUREMENTS) - {
        each.name for each in MEASUREMENTS.values() if each.needs_factors
    }
    with pytest.raises(InputError, match="measures: dci needs to know what generated each image, these data"):
        evaluate(fresh, ["elbo", "dci"])


def test_with_factors_the_codes_are_those_of_the_training_images(known: RunFolder) -> None:
    evaluation = evaluate(known, "all", iwae_samples=2, aggregate_samples=30)
    assert set(evaluation["measurements"]) == set(MEASUREMENTS)
    train = known.split.train
    assert train.factors is not None
    (posterior,) = metrics.encode_images(known.model(), train)
    assert evaluation["mig"] == pytest.approx(metrics.mig(posterior, train.factors, 30).score)
    assert evaluation["sap"] == pytest.approx(metrics.sap(posterior.loc, train.factors, [0, 1]).score)
    forests = [metrics.dci(posterior.loc, train.factors, seed=seed).completeness for seed in range(3)]
    assert evaluation["dci_completeness"] == pytest.approx(sum(forests) / 3)
    assert evaluation["factor_vae_score"] == float(metrics.factor_vae_score(posterior.loc, train.factors))
    assert all(f"{key}_error" in evaluation for key in ("mig", "sap", "dci_completeness", "factor_vae_score"))


def test_every_number_says_its_unit_and_which_way_is_better(known: RunFolder) -> None:
    evaluation = evaluate(known, "all", iwae_samples=2, aggregate_samples=30)
    layers = {"kl_1", "kl_1_error"}
    numbers = {key for key in evaluation if not key.endswith("_error")} - {"measurements", "quantities", "settings"}
    assert (
        numbers - layers
        == set(evaluation["quantities"])
        == {key for key, each in MEASURES.items() if each.kind == "run"}
    )
    assert evaluation["quantities"]["mse"] == {"unit": "", "better": "lower"}
    assert {each["better"] for each in evaluation["quantities"].values()} == {"higher", "lower", ""}


def test_a_number_that_is_none_is_kept_as_none(fresh: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    made = dataclasses.replace(
        MEASUREMENTS["weights"], make=lambda subject: Measured({"psnr": math.inf, "layer_kl": [math.nan, 1.0]})
    )
    monkeypatch.setitem(MEASUREMENTS, "weights", made)
    evaluation = evaluate(fresh, ["weights"])
    assert (evaluation["psnr"], evaluation["layer_kl"]) == (None, [None, 1.0])


def test_numbers_of_an_older_version_are_left(fresh: RunFolder) -> None:
    fresh.save_evaluation({"elbo": 1.0, "settings": quick_settings(EvaluationSettings())})
    assert "elbo" not in evaluate(fresh, ["weights"])


def test_the_bootstrap_error_of_a_mean() -> None:
    codes = torch.randn(300, 1, generator=torch.Generator().manual_seed(3))
    error = bootstrap_error(lambda drawn, _: float(drawn.mean()), codes, codes, seed=1)
    assert error == pytest.approx(codes.std().item() / math.sqrt(300), rel=0.25)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"measures": ("elbo", "nois")}, r"'nois' is unknown \(did you mean noise\?\), use all, or some of elbo, iwae"),
        ({"measures": ()}, "measures: none was named"),
        ({"samples": 0}, "samples: 0 is too small"),
        ({"aggregate_samples": -1}, "aggregate_samples: -1 is too small"),
        ({"aggregate_samples": 1}, "samples 1: at least 2"),
        ({"scales": ()}, "scales: "),
        ({"scales": (0.1, math.nan)}, "scales: "),
    ],
)
def test_bad_input(fresh: RunFolder, change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        evaluate(fresh, **change)


def test_what_is_left_out_by_its_settings_unless_named() -> None:
    none = EvaluationSettings(aggregate_samples=0, iwae_samples=0)
    assert "mig" not in [each.name for each in chosen(none, True)]
    assert "iwae" not in [each.name for each in chosen(none, True)]
    named = dataclasses.replace(none, measures=("mig", "iwae"))
    assert [each.name for each in chosen(named, True)] == ["iwae", "mig"]
    assert (named.draws["iwae_samples"], named.draws["aggregate_samples"]) == (64, 1000)
