import pytest

from seatbelt_vae.report import Comparison, ReportRun, comparisons

from .synthetic import synthetic_runs, with_extras


@pytest.fixture(scope="session")
def runs() -> list[ReportRun]:
    return synthetic_runs()


@pytest.fixture(scope="session")
def latent(runs: list[ReportRun]) -> Comparison:
    return comparisons(runs)[0]


@pytest.fixture(scope="session")
def full(runs: list[ReportRun]) -> list[ReportRun]:
    """The runs with everything that can be measured."""
    return with_extras(runs)
