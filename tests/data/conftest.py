import os
from pathlib import Path

import numpy as np
import pytest
import torch

from seatbelt_vae.data import ImageDataset

REAL_DATA = Path(os.environ.get("SEATBELT_DATA", Path(__file__).parents[3] / "shared" / "data"))


@pytest.fixture(autouse=True)
def _own_data_folder(tmp_path, monkeypatch):
    """What somebody has prepared on this machine is not seen, and not touched."""
    monkeypatch.setenv("SEATBELT_DATA", str(tmp_path / "data"))


@pytest.fixture
def real_file():
    """Give the path of a real data file, or skip and say how to get it."""

    def find(name: str, original: str) -> Path:
        path = REAL_DATA / name
        if not path.exists():
            pytest.skip(f"{path} is absent; make it from {original}, and set SEATBELT_DATA to its folder")
        return path

    return find


@pytest.fixture
def npz(tmp_path):
    """Write arrays to an .npz and give its path."""

    def write(**arrays) -> Path:
        path = tmp_path / "images.npz"
        np.savez_compressed(path, **arrays)
        return path

    return write


@pytest.fixture
def numbered() -> ImageDataset:
    """60 images of 8×8 whose every pixel is the image's number; 6 people, 2 sides, 5 poses."""
    images = torch.arange(60, dtype=torch.uint8).view(60, 1, 1, 1).repeat(1, 1, 8, 8)
    factors = torch.cartesian_prod(torch.arange(6), torch.arange(2), torch.arange(5))
    names = ("person", "side", "pose")
    return ImageDataset(images, factors=factors, factor_names=names, name="numbered", hold_out="person")
