"""A run so small that it is trained in a second."""

from pathlib import Path

import numpy as np
import pytest

from seatbelt_vae.experiments import ExperimentSpec, RunFolder, run_training


@pytest.fixture(scope="session")
def images_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An .npz of 60 blobs, 28×28, each at its own place."""
    path = tmp_path_factory.mktemp("data") / "blobs.npz"
    rng = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(np.arange(28), np.arange(28), indexing="ij"))
    centres = rng.uniform(6, 22, (60, 2))
    squared = ((grid[None] - centres[:, :, None, None]) ** 2).sum(1)
    np.savez(path, images=(255 * np.exp(-squared / 20)).astype(np.uint8))
    return path


@pytest.fixture(scope="session")
def tiny(images_file: Path) -> ExperimentSpec:
    model = {"name": "seatbelt", "latent_sizes": (4, 2), "network": "tiny", "hidden_sizes": (8,)}
    training = {"steps": 6, "batch_size": 16}
    return ExperimentSpec.of({"data": {"name": str(images_file), "test": 0.4}, "model": model, "training": training})


@pytest.fixture(scope="session")
def trained(tiny: ExperimentSpec, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Shared: read it, measure it, attack it, but do not train it."""
    return run_training(tiny, tmp_path_factory.mktemp("runs") / "tiny", device="cpu", log_every=2)
