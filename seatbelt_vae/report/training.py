"""Training curves: the ELBO and its parts, whichever the runs have recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from seatbelt_vae.report.charts import training_chart
from seatbelt_vae.report.curves import training_rows
from seatbelt_vae.report.runs import ReportRun

RECORDED = (
    ("elbo", "ELBO of the batch, no β (nats)"),
    ("log_likelihood", "log p(x|z) of the batch (nats)"),
    ("kl", "KL of all layers together (nats)"),
)


def training_charts(runs: Sequence[ReportRun]) -> list[tuple[str, Callable[..., Any]]]:
    """A key for file names and what draws the runs, for each recorded quantity.

    The loss is not among them: models with different objectives have losses that say nothing beside each other.
    """
    return [
        (key, partial(training_chart, key=key, title=title))
        for key, title in RECORDED
        if any(training_rows(run, key) for run in runs)
    ]
