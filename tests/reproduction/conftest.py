"""Images without factors."""

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def images_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An .npz of 60 images of noise, 28×28."""
    path = tmp_path_factory.mktemp("data") / "noise.npz"
    np.savez(path, images=np.random.default_rng(0).integers(0, 256, (60, 28, 28), dtype=np.uint8))
    return path
