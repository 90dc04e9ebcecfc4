import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments import ExperimentSpec


def test_toml_is_utf8_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "spec.toml"
    for start in (b"", b"\xef\xbb\xbf"):
        path.write_bytes(start + '[data]\nname = "Möbel"\n[objective]\nbeta = 1e-7\n'.encode())
        spec = ExperimentSpec.read(path)
        assert (spec.data.name, spec.objective.beta) == ("Möbel", 1e-7)


def test_toml_is_utf8_whatever_the_locale(tmp_path: Path) -> None:
    path = tmp_path / "spec.toml"
    path.write_text('[data]\nname = "Möbel"\n', encoding="utf-8")
    words = f"from seatbelt_vae.experiments.toml import read_toml; print(ascii(read_toml({str(path)!r})))"
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, env=environment)
    assert r"M\xf6bel" in done.stdout


def test_json_there_and_back() -> None:
    spec = ExperimentSpec.of({"model": {"latent_sizes": (5, 3)}})
    assert ExperimentSpec.of(json.loads(json.dumps(spec.model_dump(mode="json")))) == spec


def test_it_is_frozen() -> None:
    with pytest.raises(ValidationError):
        ExperimentSpec().training.steps = 3


def test_the_digest_tells_specs_apart_and_is_the_same_in_every_process() -> None:
    assert ExperimentSpec().digest == ExperimentSpec.of({"training": {"steps": 5000}}).digest
    assert ExperimentSpec().digest.startswith("44136fa3")
    assert ExperimentSpec.of({"model": {"network": "conv"}}).digest == ExperimentSpec().digest
    changes: list[dict[str, Any]] = [
        {"training": {"seed": 1}},
        {"objective": {"beta": 4}},
        {"objective": {"beta": 5}},
        {"data": {"seed": 1}},
        {"data": {"name": "other"}},
    ]
    assert len({ExperimentSpec.of(change).digest for change in [{}, *changes]}) == 6


def test_data_that_were_moved_are_the_same_data() -> None:
    def spec(name: str, digest: str | None) -> ExperimentSpec:
        return ExperimentSpec.of({"data": {"name": name, "digest": digest}})

    assert spec("/a/x.npz", "abc").digest == spec("/b/x.npz", "abc").digest
    assert spec("/a/x.npz", "abc").digest != spec("/a/x.npz", "abd").digest
    assert spec("/a/x.npz", None).digest != spec("/b/x.npz", None).digest


def test_run_name() -> None:
    spec = ExperimentSpec.of({"model": {"name": "seatbelt", "latent_sizes": (4, 3, 2)}, "objective": {"beta": 2.5}})
    assert spec.run_name == f"seatbelt-L3-b2.5-{spec.digest[:8]}"


def test_differences_are_named_from_both_sides() -> None:
    here = ExperimentSpec.of({"training": {"steps": 20}, "model": {"network": "conv"}})
    there = ExperimentSpec.of({"training": {"steps": 10}, "model": {"network": "mlp"}})
    assert sorted(here.differences(there)) == [
        "model.network is mlp there, conv here",
        "training.steps is 10 there, 20 here",
    ]
    assert here.differences(here) == []


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"objective": {"bta": 4}}, "spec: objective.bta: no such setting, did you mean beta?"),
        ({"modl": {}}, "spec: modl: no such setting, did you mean model?"),
        ({"training": {"zzz": 1}}, "spec: training.zzz: no such setting, use one of steps, batch_size"),
        ({"training": {"steps": 0}}, "spec: training.steps: 0 is too small, use 1 or more"),
        ({"training": {"lr": float("nan")}}, "training.lr: Input should be a finite number"),
        ({"model": {"latent_sizes": []}}, "spec: model.latent_sizes (): must be one positive whole number"),
        ({"objective": {"beta": -1}}, "spec: objective.beta -1.0: must be"),
        ({"data": {"test": 1.0}}, "data.test: Input should be less than 1, got 1.0"),
        ({"training": {"steps": 0}, "data": {"size": "big"}}, "; "),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tables: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        ExperimentSpec.of(tables)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_missing_or_no_toml(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.toml: cannot be read \(No such file"):
        ExperimentSpec.read(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("[model\n")
    with pytest.raises(InputError, match=r"bad\.toml: is not valid TOML"):
        ExperimentSpec.read(tmp_path / "bad.toml")
    (tmp_path / "typo.toml").write_text("[model]\nlayer = 3\n")
    with pytest.raises(InputError, match=r"typo\.toml: model\.layer: no such setting, did you mean layers\?"):
        ExperimentSpec.read(tmp_path / "typo.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"binary\.toml: cannot be read"):
        ExperimentSpec.read(tmp_path / "binary.toml")
