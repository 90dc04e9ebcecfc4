"""Training curves: the ELBO and its parts, whichever the runs have recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from seatbelt_vae.report.charts import training_chart
from seatbelt_vae.report.runs import ReportRun

if TYPE_CHECKING:
    import altair

RECORDED = (
    ("elbo", "ELBO of the batch, no β (nats)"),
    ("log_likelihood", "log p(x|z) of the batch (nats)"),
    ("kl", "KL of all layers together (nats)"),
)


def training_charts(runs: Sequence[ReportRun], *, legend: bool = True) -> list[tuple[str, altair.LayerChart]]:
    """A chart for each recorded quantity, with its key for file names.

    The loss is not among them: models with different objectives have losses that say nothing beside each other.
    """
    charts = ((key, training_chart(runs, key, title, legend=legend)) for key, title in RECORDED)
    return [(key, chart) for key, chart in charts if chart is not None]
