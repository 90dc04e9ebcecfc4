"""The tables of the attack benchmark, on measurements made up by hand."""

import importlib.util
from pathlib import Path

import pytest

from seatbelt_vae.storage import write_json

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "attack_tables.py"


@pytest.fixture
def tables():
    spec = importlib.util.spec_from_file_location("attack_tables", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def result(method, values, seconds=1.0, evaluations=100, trace=None):
    """The problems 0 … of one pair whose r(0) is 10."""
    return {
        "method": method, "index": list(range(len(values))), "value": values, "problems": len(values),
        "cpu_seconds": seconds * len(values),
        "evaluations": evaluations * len(values), "at_zero": [10.0], "trace": trace,
    }  # fmt: skip


def test_ratios_are_to_the_best_that_anyone_found(tables):
    scores = tables.score([result("path", [1.0, 2.0, 10.0]), result("cold", [0.5, 4.0, 10.0], seconds=7.0)])
    assert scores["path"]["over_best"].tolist() == [2.0, 1.0, 1.0]
    assert scores["cold"]["over_best"].tolist() == [1.0, 2.0, 1.0]
    assert scores["cold"]["ours_over_it"].tolist() == [2.0, 0.5, 1.0]
    assert scores["cold"]["to_gain"].tolist() == [True, True, False]  # the third is best left alone
    assert scores["cold"]["cpu_seconds"] == 7.0


def test_values_below_the_rounding_of_float32_are_all_zero(tables):
    scores = tables.score([result("path", [1e-8]), result("cold", [1e-12])])
    assert scores["path"]["over_best"].tolist() == [1.0]


def test_negative_values_are_compared_by_their_difference(tables):
    scores = tables.score([result("path", [-4.0, -1.0]), result("cold", [-2.0, -2.0])])
    assert scores["path"]["over_best"].tolist() == [1.0, 1.5]
    assert scores["cold"]["over_best"].tolist() == [1.5, 1.0]
    assert scores["cold"]["ours_over_it"].tolist() == [0.0, 1.5]


def test_our_two_settings_are_compared_where_a_baseline_was_run_and_nowhere_else(tables, tmp_path):
    ours, thorough, cold = result("path", [2.0, 9.0]), result("thorough", [1.0, 1.0]), result("cold", [4.0])
    scores = tables.score([ours, thorough, cold])
    assert scores["path"]["over_best"].tolist() == [2.0]
    assert scores["thorough"]["ours_over_it"].tolist() == [2.0]
    for r in (ours, thorough):
        write_json(tmp_path / f"a-latent-{r['method']}.json", r)
    assert "yet" in tables.tables([["a-latent"]], tmp_path)


def test_equal_evaluations_are_read_off_the_trace(tables):
    trace = {"every": 25, "best": [[8.0, 6.0], [4.0, 6.0], [2.0, 5.0]]}
    adam = result("adam", [2.0, 5.0], seconds=3.0, evaluations=75, trace=trace)
    ours = result("path", [3.0, 3.0], evaluations=40)
    scores = tables.score([ours, adam])
    assert scores["adam-equal"]["over_best"].tolist() == pytest.approx([(8 - 0.6 * 4) / 2, 6 / 3])
    assert scores["adam-equal"]["cpu_seconds"] == pytest.approx(3.0 * 40 / 75)
    assert scores["adam-equal"]["evaluations"] == 40


def test_pooled_rows_count_all_models_and_their_costs_are_geometric_means(tables, tmp_path):
    for run, factor in (("a", 2.0), ("b", 8.0)):
        for r in (result("path", [1.0, 1.0]), result("cold", [1.0005, 2.0], seconds=factor)):
            write_json(tmp_path / f"{run}-latent-{r['method']}.json", r)
    write_json(tmp_path / "c-latent-cold.json", result("cold", [1.0]))  # ours has not run: no table
    text = tables.tables([["a-latent", "b-latent", "c-latent"]], tmp_path)
    pooled = next(line for line in text.splitlines() if "each λ by itself" in line)
    assert pooled.split(" | ")[1:] == ["5.00", "4.0", "100", "4", "50%", "50%", "0.7069", "100%", "50%", "0% |"]
    assert "### a, latent" in text
    assert "### c, latent" not in text
