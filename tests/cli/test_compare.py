"""``seatbelt compare`` as a CI would call it: better, worse, equal, and what cannot be compared."""

import json
import shutil
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from seatbelt_vae.attacks import Assessment, AttackResult
from seatbelt_vae.experiments import AttackSpec, RunFolder, run_attack
from seatbelt_vae.measures import Attacked
from seatbelt_vae.storage import write_json
from tests.commands import Run, refused
from tests.report.test_audit import made

Copy = Callable[..., Path]

ATTACK = {"pairs": 6, "lambdas": (0.1, 1.0, 10.0), "solver": "cold", "max_iterations": 2}


@pytest.fixture
def copy(run_path: Path, tmp_path: Path) -> Copy:
    """A copy of the run, attacked, its success and AUDDC set to known values moved by `success`."""

    def make(name: str, success: float = 0.0, **attack: object) -> Path:
        path = tmp_path / name
        shutil.copytree(run_path, path, ignore=shutil.ignore_patterns("attacks"))
        folder = RunFolder.open(path)
        made = run_attack(folder, AttackSpec.of(**{**ATTACK, **attack}), device="cpu")
        attacked = folder.attack(made)
        assert attacked.result.targeted
        result, assessment = known(attacked, success)
        result.save(folder.attacks_path, made)
        assessment.save(folder.attacks_path, made)
        return path

    return make


def known(attacked: Attacked, moved: float) -> tuple[AttackResult, Assessment]:
    """A perfect autoencoder of which the attack gains 0.3, 0.35 … within half the way, plus what it is moved by."""
    source, target = attacked.result.source, attacked.result.target
    gained = 0.3 + 0.05 * torch.arange(6.0) + moved * torch.linspace(0.9, 1.1, 6)
    success = gained[:, None] * torch.tensor([1.0, 0.5, 0.0])
    way = (target - source)[:, None]
    distance = torch.linalg.vector_norm(way, dim=(2, 3, 4))
    assessment = replace(
        attacked.assessment,
        source_reconstruction=source,
        target_reconstruction=target,
        adversarial_reconstruction=source[:, None] + success[:, :, None, None, None] * way,
    )
    return replace(attacked.result, distortion=torch.tensor([0.4, 0.2, 0.0]) * distance), assessment


def verdicts(out: str) -> dict[str, str]:
    return {difference["measure"]: difference["verdict"] for difference in json.loads(out)["differences"]}


def test_worse(seatbelt: Run, copy: Copy) -> None:
    a, b = copy("a"), copy("b", success=0.2)
    compared = seatbelt("compare --json", a, b)
    assert compared.code == 0, "without a condition it only tells"
    found = verdicts(compared.out)
    assert (found["success_at_0.5"], found["auddc"]) == ("worse", "worse")
    failed = seatbelt("compare --json --fail-if success>+0.05", a, b)
    assert failed.code == 1
    assert json.loads(failed.out)["failed"] == [{"condition": "success>+0.05", "attack": "Latent attack (KL)"}]
    assert failed.err == (
        f"seatbelt: {b}: is worse than {a} beyond its interval: success>+0.05 under Latent attack (KL)\n"
    )
    assert seatbelt("compare --fail-if success>+0.3", a, b).code == 0, "worse, but not by that much"
    assert seatbelt("compare --fail-if success>+0.3 --fail-if auddc<-0.02", a, b).code == 1


def test_better(seatbelt: Run, copy: Copy) -> None:
    a, b = copy("a"), copy("b", success=-0.2)
    compared = seatbelt("compare --json --fail-if success>+0 --fail-if auddc<-0", a, b)
    assert compared.code == 0
    found = verdicts(compared.out)
    assert (found["success_at_0.5"], found["auddc"]) == ("better", "better")
    assert json.loads(compared.out)["failed"] == []


def test_equal(seatbelt: Run, copy: Copy) -> None:
    a, b = copy("a"), copy("b")
    compared = seatbelt("compare --json --fail-if success>+0 --fail-if auddc<-0", a, b)
    assert compared.code == 0
    assert set(verdicts(compared.out).values()) == {"no difference", "not comparable"}


def test_for_people(seatbelt: Run, copy: Copy) -> None:
    shown = seatbelt("compare", copy("a"), copy("b", success=0.2)).out
    assert " ".join(shown.splitlines()[0].split()) == "B − A, or × A 95 % interval p pairs B is"
    line = next(line for line in shown.splitlines() if line.startswith("Latent attack (KL): AUDDC"))
    assert line.endswith("worse")
    assert "0.03125  6" in line, "the smallest p that six pairs can give"


def test_other_pairs_cannot_be_compared(seatbelt: Run, copy: Copy) -> None:
    refused(
        seatbelt("compare --fail-if success>+0", copy("a"), copy("b", pair_seed=1)),
        "no attack on the same pairs in both runs",
        "attack both with the same settings",
    )


def test_other_data_cannot_be_compared(seatbelt: Run, copy: Copy) -> None:
    a, b = copy("a"), copy("b")
    spec = json.loads((b / "spec.json").read_text())
    spec["data"]["digest"] = "0" * 64
    write_json(b / "spec.json", spec)
    refused(seatbelt("compare", a, b), "were trained on different data")


def test_another_attack_cannot_be_compared(seatbelt: Run, copy: Copy) -> None:
    a = copy("a")
    refused(seatbelt("compare", a, copy("b", max_iterations=3)), "made in another way", "max_iterations 3")
    refused(seatbelt("compare", a, copy("c", lambdas=(0.1, 2.0, 10.0))), "λ 2⁻³·³, 2¹, 2³·³")
    refused(seatbelt("compare", a, copy("d", objective="output")), "no attack on the same pairs")


def test_what_is_not_a_run_or_not_a_condition(seatbelt: Run, copy: Copy, run_path: Path, tmp_path: Path) -> None:
    a = copy("a")
    refused(seatbelt("compare", a, tmp_path / "none"), "is not a run folder")
    refused(seatbelt("compare --fail-if success", a, a), "--fail-if 'success'", "success>+0.05")
    refused(seatbelt("compare --fail-if sucess>0.1", a, copy("b")), "no measure sucess; there are success_at_0.3")
    refused(seatbelt("compare", a), "B")


def test_an_absolute_gate(seatbelt: Run, copy: Copy) -> None:
    a, b = copy("a"), copy("b", success=0.2)
    assert seatbelt("compare --require success@0.5<=0.8 --require auddc>=0", a, b).code == 0
    failed = seatbelt("compare --json --require success<=0.5 --fail-if success>+0.05", a, b)
    assert failed.code == 1
    attack = "Latent attack (KL)"
    conditions = [{"condition": text, "attack": attack} for text in ("success>+0.05", "success<=0.5")]
    assert json.loads(failed.out)["failed"] == conditions
    assert failed.err.endswith(f"does not meet success<=0.5 under {attack}\n")
    assert failed.err.count("\n") == 1
    refused(seatbelt("compare --require success", a, b), "--require 'success'")
    refused(seatbelt("compare --require sucess<0.1", a, b), "--require", "no measure sucess")


def test_one_run_alone_and_files_for_ci(seatbelt: Run, copy: Copy, tmp_path: Path) -> None:
    run = copy("b", success=0.2)
    sarif, junit = tmp_path / "gate.sarif", tmp_path / "gate.xml"
    done = seatbelt("compare --require success<=0.5 --require auddc>=0", run, "--sarif", sarif, "--junit", junit)
    assert done.code == 1
    assert done.err == f"seatbelt: {run}: does not meet success<=0.5 under Latent attack (KL)\n"
    met = [(line.split()[0], line.split()[-1]) for line in done.out.splitlines()]
    assert met == [("success<=0.5", "failed"), ("auddc>=0", "passed")]
    (result,) = json.loads(sarif.read_text())["runs"][0]["results"]
    assert result["ruleId"] == "success<=0.5"
    assert ElementTree.parse(junit).getroot()[0].get("failures") == "1"
    assert seatbelt("compare --require auddc>=0", run).code == 0
    refused(seatbelt("compare --fail-if success>0", run), "B is missing")


def test_audits_are_compared_and_reported_like_runs(seatbelt: Run, run_path: Path, tmp_path: Path) -> None:
    for name, moved in (("a", 0.0), ("b", -0.1)):
        made(name, moved=moved).save(tmp_path / name)
    done = seatbelt("compare --json --fail-if f50<-0.05", tmp_path / "a", tmp_path / "b")
    assert done.code == 1
    assert verdicts(done.out)["f50"] == "worse"
    assert json.loads(done.out)["failed"] == [{"condition": "f50<-0.05", "attack": "worst of all attacks"}]
    assert seatbelt("compare --require f50>=0.1", tmp_path / "a").code == 0
    made("c", raised=True).save(tmp_path / "c")
    told = seatbelt("compare --require f50>=0.1", tmp_path / "c")
    assert told.err.startswith(f"seatbelt: warning: {tmp_path / 'c'}: Brittle"), "its flags are not passed over"
    refused(seatbelt("compare", tmp_path / "a", run_path), "is an audit", "is a run")
    reported = seatbelt("report --json --out", tmp_path / "report", tmp_path / "a", run_path)
    assert reported.code == 0, reported.err
    page = (tmp_path / "report" / "report.html").read_text()
    assert "a: Brittle: half of an attack" in page
