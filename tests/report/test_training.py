from dataclasses import replace

import numpy as np

from seatbelt_vae.experiments import Record
from seatbelt_vae.report.charts import RECORDED, training_chart, training_rows
from seatbelt_vae.report.export import chart_svg

from .test_charts import words


def test_training_curves_are_thinned_without_losing_their_mean(runs: list[Record]) -> None:
    history = [{"step": step, "elbo": float(step % 7), "kl_1": 1.0, "kl_2": 2.0, "lr": None} for step in range(1000)]
    run = replace(runs[0], history=history)
    rows = training_rows(run, "elbo")
    assert len(rows) == 200
    assert np.isclose(np.mean([row["y"] for row in rows]), np.mean([row["elbo"] for row in history]))
    assert {row["y"] for row in training_rows(run, "kl")} == {3.0}
    assert training_rows(run, "lr") == []


def test_its_axes_are_named(runs: list[Record]) -> None:
    assert RECORDED["elbo"] in words(chart_svg(training_chart(runs, "elbo")))
