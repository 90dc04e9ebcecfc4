"""Attacks of smallest norm on the page: pairs that reach no level have an infinite distortion, and x* = x."""

import csv
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from seatbelt_vae.attacks import Grid
from seatbelt_vae.experiments import Cell, Record, Table
from seatbelt_vae.metrics import f50
from seatbelt_vae.optim import Status
from seatbelt_vae.report import write_report
from seatbelt_vae.report.compare import groups
from seatbelt_vae.report.gate import compare

from .synthetic import changed, norm, synthetic_runs

LEVELS = torch.tensor([0.3, 0.6])


def as_smallest(run: Record, reached: torch.Tensor) -> Record:
    """The run's attack as one of smallest norm, with the pairs (P, K) that reached a level."""
    made = run.attacks["latent"]
    source = made.result.source
    way = (made.result.target - source)[:, None]
    share = (LEVELS * reached)[:, :, None, None, None]
    adversarial = source[:, None] + share * way
    distortion = torch.where(reached, norm(adversarial - source[:, None]), torch.inf).double()
    clean, best = made.assessment.source_reconstruction, made.assessment.target_reconstruction
    budget = {"name": "minimum-norm", "level": "success", "values": LEVELS.tolist()}
    attacked = changed(
        made,
        assessment={"adversarial_reconstruction": clean[:, None] + share * (best - clean)[:, None]},
        settings={"budget": budget},
        budget=Grid(LEVELS, "success"),
        adversarial=adversarial,
        distortion=distortion,
        objective=distortion,
        status=torch.where(reached, int(Status.CONVERGED), int(Status.UNREACHED)).to(torch.int8),
    )
    return replace(run, attacks={"latent": attacked})


def runs(reached: list[list[bool]]) -> list[Record]:
    made = synthetic_runs(models=2, pairs=2, count=2, modes=("latent",))
    return [as_smallest(run, torch.tensor(reached)) for run in made]


@pytest.mark.parametrize("reached", [[[True, True], [True, False]], [[False, False], [False, False]]])
def test_a_page_is_written_whether_pairs_reach_the_level_or_not(reached: list[list[bool]], tmp_path: Path) -> None:
    page = write_report(runs(reached), tmp_path)
    assert "smallest norm for a level of success" in page.read_text()


def test_a_pair_that_is_not_reached_is_never_fooled(tmp_path: Path) -> None:
    first, second = runs([[True, True], [False, False]])
    attacked = first.attacks["latent"]
    reached, never = f50(attacked.relative_distortion, attacked.success).tolist()
    assert math.isinf(never)
    table = Table([first])
    assert table.interval([Cell(first, "latent")], "f50").value == pytest.approx(reached)  # a note says how many never
    table.write(tmp_path / "numbers.csv")
    rows = [row for row in csv.DictReader((tmp_path / "numbers.csv").open()) if row["measure"] == "success"]
    assert {float(row["value"]) for row in rows if row["pair"] == "1"} == {0.0}
    found = compare(first, second)
    assert any(each.key == "success_at_0.5" and math.isfinite(each.interval.value) for each in found)
    assert groups([first, second])[0].title == "Latent attack (KL), smallest norm for a level of success"
