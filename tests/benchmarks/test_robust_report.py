"""The report of the robustness benchmark, on measures made up by hand."""

import math
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from seatbelt_vae.metrics import Interval
from seatbelt_vae.storage import write_json

SCRIPTS = Path(__file__).parents[2] / "benchmarks"
RADII = 4


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return import_module("robust_report")


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return import_module("robust_tables")


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return import_module("robust_runs")


def write(folder: Path, kind: str, seed: int, damage: float, f50: float, settings: list[str], **record: Any) -> None:
    """A run of two pairs, and the strongest attacks on it."""
    name = f"{kind}-s{seed}"
    each = [[damage] * RADII, [2 * damage] * RADII]
    found = {"mse": 0.01, "elbo": -100.0, "kl": 10.0, "damage_each": each, "f50_latent_each": [f50, f50]}
    method = {"method": "held" if settings else "plain", "model": "vae", "set": settings}
    write_json(folder / name / "robust.json", {"apart": 8.0, "cpu_seconds": 10.0, **method, **found, **record})
    strong = {key: found[key] for key in ("mse", "elbo", "kl", "f50_latent_each")} | record
    for line in ("blend", "pca"):
        strong[f"f50_{line}_each"] = [0.5, 0.5]
    strong |= {"auddc_latent_each": [f50, f50], "noise_each": each}
    strong |= {f"damage_{attack}_each": each for attack in ("restarts", "transfer", "all")}
    write_json(folder / "strong" / f"{name}.all.json", strong)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two seeds: damage falls to 0.4, 0.45 of it, and f50 goes half of the way from .3 to .5."""
    held = ["radius=0.4", "mse=0.0098"]
    for seed, factor in ((0, 0.4), (1, 0.45)):
        write(tmp_path, "chairs-vae-plain", seed, 1.0, 0.3, [])
        write(tmp_path, "chairs-vae-held", seed, factor, 0.4, held, mse=0.0106, elbo=-103.0)
    return tmp_path


def test_runs_are_read_with_their_strongest_attacks(runs: ModuleType, folder: Path) -> None:
    ((data, plain, robust),) = runs.Runs.read(folder).strong()
    assert data == "chairs"
    assert [run.name for run in plain + robust] == [
        "chairs-vae-plain-s0", "chairs-vae-plain-s1", "chairs-vae-held-s0", "chairs-vae-held-s1",
    ]  # fmt: skip
    assert robust[0].label == "vae adversarial, radius 0.4, MSE held at 0.0098"
    assert robust[0].damage("all").tolist() == [[0.4] * RADII, [0.8] * RADII]


def test_a_control_is_no_adversarial_training(runs: ModuleType, folder: Path) -> None:
    write(folder, "chairs-vae-heldplain", 0, 0.9, 0.3, ["radius=0.0", "mse=0.009"])
    control = runs.Run.read(folder / "chairs-vae-heldplain-s0")
    assert control.control
    assert control.label == "vae plain, MSE held at 0.009"


def test_the_error_can_be_held_around_another_method(runs: ModuleType, folder: Path) -> None:
    write(folder, "chairs-vae-heldsmooth", 0, 0.5, 0.3, ["radius=0.3", "inner=smooth", "mse=0.009"])
    held = runs.Run.read(folder / "chairs-vae-heldsmooth-s0")
    assert held.label == "vae smooth, radius 0.3, MSE held at 0.009"


def test_the_way_is_a_share_of_what_lies_between_a_vae_and_its_blend(runs: ModuleType, folder: Path) -> None:
    ((_, plain, robust),) = runs.Runs.read(folder).strong()
    assert runs.way(plain, robust, "latent").value == pytest.approx(0.5)


def test_what_is_missed_is_said(report: ModuleType, runs: ModuleType, folder: Path) -> None:
    text = report.done(runs.Runs.read(folder))
    assert "| chairs | MSE ≤ 1.05 × | 1.06 ×, worst seed 1.06 × | **missed** by 0.01 |" in text
    assert "| chairs | damage at 2.5 % ≤ ½ | 0.42 [" in text
    assert "| **missed** by 0.09 |" in text  # the third
    assert "½ of the way to the blend | 0.50 [0.50, 0.50] (2 × 2) | met |" in text
    assert "−3.0" in text


def test_the_sweep_compares_with_the_plain_model_of_the_same_seed(
    report: ModuleType, runs: ModuleType, folder: Path
) -> None:
    lines = report.sweep(runs.Runs.read(folder)).splitlines()
    (line,) = [line for line in lines if "0.0098" in line and "| 1 |" in line]
    assert line.split(" | ")[5:9] == ["× 0.45"] * RADII


def test_controls_stand_beside_the_default_attack(tables: ModuleType, runs: ModuleType, folder: Path) -> None:
    blind = [[0.5] * RADII]
    write_json(folder / "strong" / "chairs-vae-plain-s0.blind.json", {"damage_blind_each": blind})
    write_json(folder / "strong" / "chairs-vae-plain-s0.scipy.json", {"f50_scipy_each": [0.29]})
    (line,) = tables.controls(runs.Runs.read(folder)).splitlines()[2:]
    assert line == "| chairs | vae plain | 0.300 | 0.290 | 0.50 | 0.50 | 0.50 | 0.50 |"


def test_the_hierarchy_stands_beside_the_plain_vae(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    ladder, runs = import_module("robust_ladder"), import_module("robust_runs")
    write(folder, "chairs-btcvae4-plain", 0, 0.8, 0.35, [])
    lines = ladder.hierarchy(runs.Runs.read(folder)).splitlines()
    (line,) = [line for line in lines if "β-TCVAE" in line]
    assert "| plain | 1 | 10.00 | −100.0 | × 0.80 [0.80, 0.80] |" in line
    assert line.endswith("| 0.050 [0.050, 0.050] |  |")


def test_a_long_training_is_compared_at_the_same_steps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    ladder, runs = import_module("robust_ladder"), import_module("robust_runs")

    def point(step: int, damage: float, f50: float) -> dict[str, Any]:
        each = [[damage] * RADII, [2 * damage] * RADII]
        return {
            "step": step,
            "mse": 0.02 * damage,
            "elbo": -100 * damage,
            "damage_each": each,
            "f50_latent_each": [f50, f50],
        }

    plain = [point(500, 1.0, 0.2), point(1000, 1.0, 0.2), point(2000, 1.0, 0.1)]
    write_json(tmp_path / "chairs64-burgess-plain-s0" / "curve.json", plain)
    write_json(
        tmp_path / "chairs64-burgess-adversarial-s0" / "curve.json", [point(500, 0.9, 0.2), point(1000, 0.6, 0.32)]
    )
    found = runs.Runs.read(tmp_path)
    last = ladder.large(found).splitlines()[-1]
    assert last.startswith("| chairs64 | 1000 | × 0.60 | +40.0 | × 0.60 [0.60, 0.60] |")
    assert last.endswith("| 0.200 | 0.320 | 1.60 [1.60, 1.60] |")


def test_the_aims_of_a_long_training(tables: ModuleType, runs: ModuleType, tmp_path: Path) -> None:
    write(tmp_path, "chairs64-burgess-plain", 0, 1.0, 0.2, [], steps=500)
    write(tmp_path, "chairs64-burgess-adversarial", 0, 0.6, 0.32, ["radius=0.33"], steps=500)
    found = runs.Runs.read(tmp_path)
    lines = tables.done(found).splitlines()[2:]
    assert [line.split(" | ")[-1].removesuffix(" |") for line in lines] == ["met", "**missed** by 0.10", "met"]
    swept = runs.Runs([run.by_the_sweep for run in found.all])
    assert tables.done(swept) == tables.done(found)


def test_fresh_pairs_are_read_from_their_own_folder(tables: ModuleType, runs: ModuleType, folder: Path) -> None:
    for seed in (0, 1):
        for kind, damage, f50 in (("plain", 1.0, 0.3), ("held", 0.25, 0.45)):
            each = [[damage] * RADII, [2 * damage] * RADII]
            found = {"damage_all_each": each, "f50_latent_each": [f50, f50], "f50_blend_each": [0.5, 0.5]}
            write_json(folder / "fresh" / f"chairs-vae-{kind}-s{seed}.all.json", found)
    (line,) = tables.fresh(runs.Runs.read(folder, "fresh")).splitlines()[2:]
    assert line.startswith("| chairs | 2 × 2 | × 0.25 [0.25, 0.25] |")
    assert line.endswith("| 0.300 | 0.450 | 0.500 | 0.75 [0.75, 0.75] |")


def test_a_table_replaces_what_is_between_its_marks(report: ModuleType) -> None:
    text = "a <!-- one -->x<!-- end --> b <!-- two -->y<!-- end -->"
    assert report.filled(text, "two", "z") == "a <!-- one -->x<!-- end --> b <!-- two -->z<!-- end -->"


def test_negative_numbers_have_a_minus_sign(tables: ModuleType) -> None:
    assert tables.shown(Interval(-1.0, -2.0, 0.5), 1) == "−1.0 [−2.0, 0.5]"


def test_one_seed_has_no_interval(tables: ModuleType) -> None:
    assert tables.shown(Interval(-1.0, math.nan, math.nan), 1) == "−1.0"


def test_the_report_is_written(
    report: ModuleType, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "docs" / "robust"
    out.mkdir(parents=True)
    out.with_suffix(".md").write_text("# Robust\n<!-- headline-chairs -->\n<!-- end -->\n", encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["robust_report.py", str(folder), "--out", str(out)])
    report.main()
    assert "damage at 2.5 %" in out.with_suffix(".md").read_text(encoding="utf-8")
    figure = (out / "pareto-chairs.svg").read_text()
    assert "adversarial, MSE held" in figure
    assert "identity" in figure


def test_the_document_holds_the_tables_that_were_written(report: ModuleType) -> None:
    docs = SCRIPTS.parent / "docs"
    text = (docs / "robust.md").read_text(encoding="utf-8")
    tables = list((docs / "robust").glob("*.md"))
    assert len(tables) == 10
    for path in tables:
        table = path.read_text(encoding="utf-8")
        assert report.filled(text, path.stem, f"\n\n{table}\n") == text
        assert table in text
