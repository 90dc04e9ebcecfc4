import pytest

from seatbelt_vae.experiments import Record
from seatbelt_vae.report.compare import groups
from seatbelt_vae.report.group import Group

from .synthetic import synthetic_runs, with_extras


@pytest.fixture(scope="session")
def runs() -> list[Record]:
    return synthetic_runs()


@pytest.fixture(scope="session")
def latent(runs: list[Record]) -> Group:
    return groups(runs)[0]


@pytest.fixture(scope="session")
def full(runs: list[Record]) -> list[Record]:
    """The runs with everything that can be measured."""
    return with_extras(runs)
