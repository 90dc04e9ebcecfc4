"""``seatbelt data prepare`` as a user meets it."""

import json
from pathlib import Path

import numpy as np
import pytest

from seatbelt_vae.cli import main


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEATBELT_DATA", str(tmp_path / "data"))
    path = tmp_path / "faces.npz"
    images = np.random.default_rng(0).integers(0, 256, (40, 28, 28, 3), dtype=np.uint8)
    np.savez(path, images=images, identity=np.arange(40) // 4)
    return path


def test_prepared_once_and_found_by_name(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "prepare", "celeba", "--source", str(source), "--grey", "--json"]) == 0
    printed = capsys.readouterr()
    told = json.loads(printed.out)
    assert (told["images"], told["shape"], told["held"], told["bytes"]) == (40, [1, 28, 28], "mapped", 0)
    assert told["source"] == str(source)
    assert main(["data", "list", "--json"]) == 0
    listed = {each["name"]: each["description"] for each in json.loads(capsys.readouterr().out)}
    assert listed["celeba"].endswith("; prepared")
    assert not listed["chairs"].endswith("; prepared")
    words = "train --data celeba --model vae --latent-sizes 2 --steps 1 --batch-size 8 --test 0.3 --device cpu --json"
    assert main([*words.split(), "--out", str(tmp_path / "run")]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 1
    spec = json.loads((tmp_path / "run" / "spec.json").read_text())
    assert (spec["data"]["name"], spec["data"]["digest"]) == ("celeba", told["digest"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("sprites", "sprites: cannot be prepared (sprites are drawn"),
        ("chairs", "chairs: needs path=FOLDER, where rendered_chairs.tar is unpacked"),
        ("chairs --source none.tar", "none.tar: no such file or folder"),
        ("celeba --source {} --size 0", "size=0: the side must lie between 1 and 1024"),
    ],
)
def test_bad_input(source: Path, words: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "prepare", *words.format(source).split()]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err
    assert printed.err.count("\n") == 1
