"""``seatbelt evaluate`` and attacks without a target, as a user meets them."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from tests.commands import Run, refused


@pytest.fixture
def run(run_path: Path, tmp_path: Path) -> Path:
    """A copy of the trained run, neither measured nor attacked."""
    shutil.copytree(run_path, tmp_path / "run", ignore=shutil.ignore_patterns("attacks", "evaluation*"))
    return tmp_path / "run"


def test_chosen_measurements(seatbelt: Run, run: Path) -> None:
    done = seatbelt("evaluate --measure weights,noise --scales 0.1,1 --device cpu --json", run)
    assert done.code == 0
    document = json.loads(done.out)
    assert set(document["measurements"]) == {"noise", "weights"}
    assert document["noise_scales"] == [0.1, 1.0]
    assert document["quantities"]["noise_drop"] == {"unit": "nats", "better": "lower"}
    assert "[1/2] noise" in done.err
    again = seatbelt("evaluate --measure weights,noise --scales 0.1,1 --device cpu --json", run)
    assert (again.out, again.err) == (done.out, "")


def test_for_people_each_number_has_its_error_unit_and_direction(seatbelt: Run, run: Path) -> None:
    rows = seatbelt("evaluate --measure elbo --device cpu", run).out.splitlines()
    elbo = next(row for row in rows if row.startswith("elbo"))
    assert " ± " in elbo
    assert elbo.split()[-2:] == ["nats", "higher"]


def test_all_leaves_out_what_the_data_do_not_allow(seatbelt: Run, run: Path) -> None:
    done = seatbelt("evaluate --measure all --iwae 2 --device cpu --json", run)
    assert done.code == 0
    assert "left out, as these data have no factors: mig, dci, sap, factor-vae-score, downstream" in done.err
    assert "iwae" in json.loads(done.out)
    refused(seatbelt("evaluate --measure dci --device cpu", run), "dci", "no factors")


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ("--measure nois", "did you mean noise?"),
        ("--measure elbo,", "measures: '' is unknown"),
        ("--scales 0.1,x", "--scales"),
        ("--scales -1", "scales"),
        ("--samples 0", "samples: 0 is too small"),
    ],
)
def test_what_is_mistyped(seatbelt: Run, run: Path, options: str, part: str) -> None:
    refused(seatbelt(f"evaluate --device cpu {options}", run), part)


def test_damage_from_the_command_line_to_the_page(seatbelt: Run, run: Path, tmp_path: Path) -> None:
    options = "--objective damage --radii 1,2 --pairs 3 --max-iterations 3 --device cpu"
    done = seatbelt(f"attack {options} --json", run)
    assert done.code == 0
    document = json.loads(done.out)
    assert document["radii"] == [1.0, 2.0]
    assert document["damage"][0]["low"] <= document["damage"][0]["value"] <= document["damage"][0]["high"]
    shown = seatbelt(f"attack {options}", run).out.splitlines()
    assert shown[0].endswith(f"attack {document['attack']}, 3 images")
    assert [line.split()[0] for line in shown[-3:]] == ["ε", "1", "2"]
    pytest.importorskip("vl_convert")
    pytest.importorskip("vl_convert")
    assert seatbelt("report --out", tmp_path / "report", run).code == 0
    page = (tmp_path / "report" / "report.html").read_text()
    assert "Maximum damage, L2 balls" in page
    assert f"<dt>trained with.torch</dt><dd>{torch.__version__}</dd>" in page
    refused(seatbelt("attack --objective damage --device cpu", run), "radii", "needs it")
