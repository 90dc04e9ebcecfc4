from dataclasses import replace

import numpy as np
import pytest

from seatbelt_vae.experiments import Record
from seatbelt_vae.report.axes import BudgetAxis
from seatbelt_vae.report.export import chart_svg
from seatbelt_vae.report.noise import (
    OVERLAP,
    density,
    drop_rows,
    levels,
    noise_chart,
    noise_drop_chart,
    noisy,
    ridge_rows,
)


def test_the_density_is_the_sum_of_its_kernels() -> None:
    values = np.random.default_rng(0).normal(size=40)
    at = np.linspace(-3, 3, 7)
    width = values.std(ddof=1) * 40 ** (-1 / 5)
    kernels = np.exp(-((at[:, None] - values) ** 2) / (2 * width**2)) / (width * np.sqrt(2 * np.pi))
    assert density(values, at) == pytest.approx(kernels.mean(1))


def test_it_is_a_density_and_near_the_truth() -> None:
    values = np.random.default_rng(1).normal(5, 2, 4000)
    at = np.linspace(-5, 15, 2001)
    found = density(values, at)
    assert np.trapezoid(found, at) == pytest.approx(1, abs=1e-3)
    truth = np.exp(-((at - 5) ** 2) / 8) / np.sqrt(8 * np.pi)
    assert np.abs(found - truth).max() < 0.01


def test_no_spread_is_no_density() -> None:
    assert density(np.ones(5), np.zeros(3)).tolist() == [0, 0, 0]
    assert density(np.ones(1), np.zeros(3)).tolist() == [0, 0, 0]


def test_each_scale_has_a_row_and_in_it_each_model(full: list[Record]) -> None:
    rows = ridge_rows(full)
    assert {(row["row"], row["base"]) for row in rows} == {("0", 0.0), ("0.03", -1.0), ("0.3", -2.0), ("1", -3.0)}
    for base in (0.0, -1.0, -2.0, -3.0):
        heights = {
            label: max(row["y"] - base for row in rows if row["base"] == base and row["model"] == label)
            for label in (run.label for run in full)
        }
        assert max(heights.values()) == pytest.approx(OVERLAP)
        assert min(heights.values()) > 0


def test_curves_stand_where_their_images_are(full: list[Record]) -> None:
    rows = [row for row in ridge_rows(full[:1]) if row["row"] == "1"]
    peak = max(rows, key=lambda row: row["y"])["x"]
    assert peak == pytest.approx(float(np.median(levels(full[0])[1.0])), abs=12)


def test_what_noise_costs_is_that_of_the_evaluation(full: list[Record]) -> None:
    rows = drop_rows(full, BudgetAxis.of([0.03, 0.3, 1.0]))
    assert [row["y"] for row in rows[3:6]] == [2.0, 20.0, 90.0]
    assert rows[4]["high"] - rows[4]["low"] == pytest.approx(2 * 1.96)


def test_runs_without_it_are_left_out(full: list[Record], runs: list[Record]) -> None:
    mixed = [runs[0], full[1], replace(full[2], measured={})]
    assert list(noisy(mixed)) == [1]
    assert {row["model"] for row in ridge_rows(mixed)} == {full[1].label}
    assert noisy(runs) == {}


def test_charts_name_their_axes(full: list[Record]) -> None:
    svg = chart_svg(noise_chart(full))
    for words in ("log p(x | z*) of the clean x (nats)", "no noise", ">0.03<", "Scale of the noise"):
        assert words in svg
    svg = chart_svg(noise_drop_chart(full))
    assert "Cost of noise (nats)" in svg
    assert ">0.1<" in svg
