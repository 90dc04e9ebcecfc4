"""Two tiny runs, trained once."""

from pathlib import Path

import pytest

from seatbelt_vae.experiments import ExperimentSpec, run_training

MODELS = {
    "vae": {"name": "vae", "latent_sizes": [3]},
    "seatbelt": {"name": "seatbelt", "latent_sizes": [3, 2]},
}


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A VAE and a hierarchy of two layers on the same sprites."""
    root = tmp_path_factory.mktemp("explorer")
    made = []
    for name, model in MODELS.items():
        tables = {
            "data": {"name": "sprites", "size": 32, "count": 60},
            "model": {**model, "network": "tiny"},
            "training": {"steps": 3, "batch_size": 8},
        }
        made.append(run_training(ExperimentSpec.of(tables), root / name, device="cpu").path)
    return made
