"""A small trained VAE and its images, and one audit of it, shared by the tests."""

import pytest
from torch import Tensor

from seatbelt_vae.audits import Audit, audit
from tests.audits.base import Small, blobs, trained


@pytest.fixture(scope="session")
def training_images() -> Tensor:
    return blobs(1024, seed=0)


@pytest.fixture(scope="session")
def images() -> Tensor:
    return blobs(64, seed=1)


@pytest.fixture(scope="session")
def base(training_images: Tensor) -> Small:
    return trained(Small(), training_images)


@pytest.fixture(scope="session")
def honest(base: Small, images: Tensor, training_images: Tensor) -> Audit:
    """An audit of the small VAE, with itself as a sibling."""
    return audit(base, images, suite="smoke", pairs=2, siblings=[base], train_images=training_images)
