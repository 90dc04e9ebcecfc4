"""What the tests of the command line share: a way to run it, images, and a trained run."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seatbelt_vae.cli import main
from tests.commands import TINY, Outcome, Run


@pytest.fixture
def seatbelt(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process; words with spaces in them are given as further arguments."""

    def run(words: str, *more: Any) -> Outcome:
        capsys.readouterr()
        code = main([*words.split(), *map(str, more)])
        printed = capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    return run


@pytest.fixture(scope="session")
def blobs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("blobs") / "blobs.npz"
    np.savez(path, images=np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8))
    return path


@pytest.fixture(scope="session")
def run_path(blobs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained run that the tests share."""
    path = tmp_path_factory.mktemp("runs") / "tiny"
    assert main(["train", *TINY.split(), "--data", str(blobs), "--out", str(path)]) == 0
    return path


@pytest.fixture(scope="session")
def untouched_path(blobs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained run for tests that work on copies: nothing is measured on it, nor attacked."""
    path = tmp_path_factory.mktemp("untouched") / "tiny"
    assert main(["train", *TINY.split(), "--data", str(blobs), "--out", str(path)]) == 0
    return path
