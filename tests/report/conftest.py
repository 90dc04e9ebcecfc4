import pytest

from seatbelt_vae.report import Comparison, ReportRun, comparisons

from .synthetic import synthetic_runs


@pytest.fixture(scope="session")
def runs() -> list[ReportRun]:
    return synthetic_runs()


@pytest.fixture(scope="session")
def latent(runs: list[ReportRun]) -> Comparison:
    return comparisons(runs)[0]
