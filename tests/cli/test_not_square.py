"""Images that are no squares go all the way: a folder of them, training, evaluation, attack, report, audit."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from seatbelt_vae.audits import audit
from seatbelt_vae.experiments import RunFolder
from tests.commands import Run, refused

SHAPE = (3, 28, 36)
TINY = "--model vae --network tiny --latent-sizes 3 --hidden-sizes 8 --steps 2 --batch-size 8 --device cpu"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of 12 pictures in colour, 36 wide and 28 high."""
    rng = np.random.default_rng(0)
    for number in range(24):
        place = tmp_path / "pictures" / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        coarse = Image.fromarray(rng.integers(0, 256, (3, 4, 3), dtype=np.uint8))
        coarse.resize((36, 28)).save(place / f"{number}.png")
    return tmp_path / "pictures"


def test_from_a_folder_to_a_report(seatbelt: Run, folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert seatbelt(f"train {TINY} --test 0.4 --data", folder, "--out", run).code == 0
    trained = RunFolder.open(run)
    assert trained.model().image_shape == SHAPE
    evaluated = seatbelt("evaluate --json --device cpu --measure elbo,noise,image-quality,traversals", run)
    assert evaluated.code == 0, evaluated.err
    assert json.loads(evaluated.out)["elbo"] < 0
    for words in ("latent --lambdas 0.1,10", "output --lambdas 0.1,10", "damage --radii 0.5"):
        made = seatbelt(f"attack --objective {words} --pairs 2 --max-iterations 2 --device cpu", run)
        assert made.code == 0, made.err
    for name in trained.attacks:
        attacked = trained.attack(name)
        assert attacked.result.adversarial.shape[2:] == SHAPE
        assert attacked.assessment.adversarial_reconstruction.shape[2:] == SHAPE
    pytest.importorskip("vl_convert")
    assert seatbelt("report --out", tmp_path / "report", run).code == 0


def test_an_audit(seatbelt: Run, folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert seatbelt(f"train {TINY} --test 0.4 --data", folder, "--out", run).code == 0
    trained = RunFolder.open(run)
    found = audit(trained.model(), trained.split.test, suite="signs", pairs=2)
    assert found.tensors["worst"].shape[2:] == SHAPE


def test_a_size_of_two_numbers(seatbelt: Run, folder: Path, tmp_path: Path) -> None:
    words = f"train {TINY} --size 32x28 --grey --data"
    assert seatbelt(words, folder, "--out", tmp_path / "run").code == 0
    run = RunFolder.open(tmp_path / "run")
    assert run.model().image_shape == (1, 32, 28)
    assert run.spec.data.size == "32x28"
    refused(seatbelt(f"train {TINY} --size 32x28x3 --data", folder), "data.size: Must be a side from 1 to 1024")
    refused(seatbelt(f"train {TINY} --size 32x16 --data", folder), "image side 16: the networks take 28 to 128")


def test_a_square_is_written_as_one_number(seatbelt: Run, folder: Path, tmp_path: Path) -> None:
    seatbelt(f"train {TINY} --size 28x28 --data", folder, "--out", tmp_path / "run")
    assert RunFolder.open(tmp_path / "run").spec.data.size == 28


def test_networks_of_squares_alone_are_refused_in_one_line() -> None:
    from seatbelt_vae.errors import InputError
    from seatbelt_vae.models import vae

    encoder = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 4, stride=4), torch.nn.Flatten(), torch.nn.Linear(196, 8))
    decoder = torch.nn.Sequential(torch.nn.Linear(2, 6 * 28 * 28), torch.nn.Unflatten(1, (6, 28, 28)))
    with pytest.raises(InputError, match=r"encoder: does not take an input of shape \(2, 3, 28, 36\)"):
        vae(SHAPE, latent_sizes=(2,), network=(encoder, decoder))
