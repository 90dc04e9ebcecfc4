from pathlib import Path

import pytest

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments import ExperimentSpec, RunFolder, spec_from_options


def test_options_go_to_their_settings() -> None:
    spec = spec_from_options(
        {"data": "x.npz", "data_seed": 5, "seed": 6, "model": "vae", "objective": "elbo", "size": 32, "beta": None}
    )
    assert (spec.data.name, spec.data.seed, spec.data.size) == ("x.npz", 5, 32)
    assert (spec.training.seed, spec.model.name, spec.objective.name) == (6, "vae", "elbo")


def test_options_go_before_a_file_and_a_file_before_a_run(tmp_path: Path) -> None:
    (tmp_path / "spec.toml").write_text("[training]\nsteps = 11\nbatch_size = 3\n")
    RunFolder.create(tmp_path / "run", ExperimentSpec.of({"training": {"steps": 22}}))
    assert spec_from_options({"steps": 33}, spec=tmp_path / "spec.toml").training.model_dump()["steps"] == 33
    assert spec_from_options({"steps": 33}, spec=tmp_path / "spec.toml").training.batch_size == 3
    assert spec_from_options({}, run=tmp_path / "run").training.steps == 22
    assert spec_from_options({}, spec=tmp_path / "spec.toml", run=tmp_path / "run").training.steps == 11


def test_unknown_options_are_refused() -> None:
    with pytest.raises(InputError, match="colour: no such setting"):
        spec_from_options({"colour": 1})
