"""``seatbelt reproduce`` as a user meets it, at a scale below smoke."""

import csv
import dataclasses
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from seatbelt_vae.reproduction import SCALES
from tests.commands import Run, refused

pytest.importorskip("vl_convert")

TINY = {
    "count": 60,
    "hidden_sizes": (8,),
    "steps": 2,
    "batch_size": 8,
    "tc_samples": 16,
    "iterations": 2,
    "warm_iterations": 2,
}


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SCALES, "tiny", dataclasses.replace(SCALES["smoke"], name="tiny", **TINY))


def test_two_recipes(seatbelt: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = seatbelt("reproduce fig5 table1 --scale tiny --device cpu --json --out", out)
    assert done.code == 0, done.err
    assert "8 models" in done.err
    document = json.loads(done.out)
    assert set(document["verdicts"]) == {"fig5", "table1"}
    assert document["failed"] == {}

    text = (out / "reproduction.md").read_text()
    assert "seatbelt reproduce fig5 table1 --scale tiny" in text
    linked = {out / link.partition(")")[0] for link in text.split("](")[1:]}
    assert linked == {out / "recipes" / "fig5.md", out / "recipes" / "table1.md"}
    page = (out / "recipes" / "fig5.md").read_text()
    assert "seatbelt reproduce fig5 --scale tiny" in page
    assert "![" in page
    for name in page.split("](")[1:]:
        svg = out / "recipes" / name.partition(")")[0]
        assert ElementTree.parse(svg).getroot().tag.endswith("svg")
        assert svg.with_suffix(".png").stat().st_size > 1000

    found = json.loads((out / "reproduction.json").read_text())
    fig5, table1 = found["recipes"]
    assert {row["attack"] for row in fig5["rows"]} == {
        f"{mode}, {solver}" for mode in ("latent", "output") for solver in ("cold", "continuation")
    }
    assert {row["label"] for row in table1["rows"]} == {
        "VAE (β=1)", "β-TCVAE β=10", "Seatbelt-VAE L=2 β=1", "Seatbelt-VAE L=2 β=10",
    }  # fmt: skip
    assert all(row["low"] <= row["value"] <= row["high"] for row in table1["rows"])
    with (out / "tables" / "table1-sprites.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    norms = {row["label"]: row["value"] for row in table1["rows"] if row["measure"] == "weight_norms@encoder"}
    assert {row["model"]: float(row["weight_norms_encoder"]) for row in rows} == norms

    looked = seatbelt("reproduce fig5 fig8 --scale tiny --device cpu --so-far --json --out", out)
    assert looked.code == 0, looked.err
    assert len(json.loads(looked.out)["failed"]) == 8  # fig8 asks all of them for noise
    assert "8 of 8 runs are not complete, go on with: seatbelt reproduce fig5 fig8" in looked.err
    assert "Not measured" in (out / "recipes" / "fig8.md").read_text()
    known = json.loads((out / "reproduction.json").read_text())["recipes"][0]
    assert known["rows"] == fig5["rows"]

    before = {path: path.stat().st_mtime_ns for path in (out / "runs").rglob("*.safetensors")}
    again = seatbelt("reproduce table1 fig5 --scale tiny --device cpu --out", out)
    assert again.code == 0
    assert f"document: {out / 'reproduction.md'}" in again.out
    assert {path: path.stat().st_mtime_ns for path in (out / "runs").rglob("*.safetensors")} == before


def test_pictures_of_two_sets_of_data(seatbelt: Run, tmp_path: Path) -> None:
    blobs = tmp_path / "chairs.npz"
    np.savez(blobs, images=np.random.default_rng(0).integers(0, 256, (60, 32, 32), dtype=np.uint8))
    out = tmp_path / "out"
    done = seatbelt(
        "reproduce fig3 fig4 fig8 rotated-heart --scale tiny --device cpu --data sprites --data", blobs, "--out", out
    )
    assert done.code == 0, done.err
    drawn = {path.stem for path in (out / "figures").glob("*.png")}
    assert {"fig4-sprites-reconstructions", "fig4-chairs-reconstructions"} <= drawn
    assert "rotated-heart-sprites-panels-latent" in drawn
    assert not any(name.startswith("rotated-heart-chairs") for name in drawn)
    hidden = tmp_path / "hidden"
    (tmp_path / "hidden").mkdir()
    (hidden / "runs").symlink_to(out / "runs")
    done = seatbelt(
        "reproduce fig4 fig8 --scale tiny --device cpu --data sprites --hide chairs --data", blobs, "--out", hidden
    )
    assert done.code == 0, done.err
    drawn = {path.stem for path in (hidden / "figures").glob("*.png")}
    assert {"fig4-sprites-reconstructions", "fig4-lines-chairs-mse", "fig8-lines-chairs-noise-drop-0.5"} <= drawn
    assert "fig4-chairs-reconstructions" not in drawn
    chairs = (out / "tables" / "fig3-chairs.md").read_text()
    assert "the paper’s ELBO" in chairs
    assert "−2160" in next(line for line in chairs.splitlines() if line.startswith("| β-TCVAE β=10"))
    assert "the paper’s" not in (out / "tables" / "fig3-sprites.md").read_text()


def test_refused(seatbelt: Run, tmp_path: Path) -> None:
    refused(seatbelt("reproduce fig55"), "'fig55'", "did you mean fig5?")
    refused(seatbelt("reproduce --scale tiny"), "nothing was named")
    refused(seatbelt("reproduce all --scale papre"), "--scale", "did you mean paper?")
    refused(seatbelt("reproduce all --scale tiny --hide faces"), "--hide", "'faces'", "use some of sprites")
    refused(seatbelt("reproduce all --scale tiny --engine lokal"), "--engine")
    refused(seatbelt("reproduce all --scale tiny --data", tmp_path / "missing.npz"), "missing.npz")


def test_a_run_that_failed_is_named_and_the_rest_is_shown(
    seatbelt: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from seatbelt_vae.experiments import tasks

    def fail(folder: object, spec: object, **_: object) -> str:
        raise RuntimeError("no such luck")

    monkeypatch.setattr(tasks, "run_attack", fail)
    done = seatbelt("reproduce fig3 fig5 --scale tiny --device cpu --out", tmp_path / "out")
    assert done.code == 1
    assert "no such luck" in done.last
    text = (tmp_path / "out" / "reproduction.md").read_text()
    assert "Runs that failed" in text
    assert "Seatbelt-VAE L=2" in (tmp_path / "out" / "recipes" / "fig3.md").read_text()
