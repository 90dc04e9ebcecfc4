"""What is installed: the lock, the constraints and the page of licences say what pyproject.toml says."""

import re
import runpy
import subprocess
import sys
import tomllib
import types
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements() -> list[Requirement]:
    """Everything that is depended on, but for the project itself."""
    lines = list(PROJECT["dependencies"])
    for extra in PROJECT["optional-dependencies"].values():
        lines += extra
    return [each for each in map(Requirement, lines) if each.name != "seatbelt-vae"]


def pins(name: str) -> dict[str, str]:
    """The versions in a file of pins."""
    found = re.findall(r"^([\w.-]+)==([^ ;\n]+)", (ROOT / name).read_text(), flags=re.MULTILINE)
    return {normal(package): version for package, version in found}


def normal(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


@pytest.mark.parametrize("requirement", requirements(), ids=lambda each: each.name)
def test_the_lock_holds_what_is_needed(requirement: Requirement) -> None:
    name = normal(requirement.name)
    if name == "torch":  # comes first, from the index of one's choice
        assert pins("constraints.txt")[name] in requirement.specifier
        return
    assert name in pins("requirements.lock"), "run: make lock"
    assert pins("requirements.lock")[name] in requirement.specifier


def test_the_lock_and_the_constraints_agree() -> None:
    lock, constraints = pins("requirements.lock"), pins("constraints.txt")
    shared = set(lock) & set(constraints)
    assert len(shared) > 50
    assert {name: lock[name] for name in shared} == {name: constraints[name] for name in shared}


def test_everything_in_the_lock_has_a_hash() -> None:
    entries = re.split(r"\n(?=[\w.-]+==)", (ROOT / "requirements.lock").read_text())[1:]
    assert len(entries) > 50
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_page_of_licences_names_every_dependency() -> None:
    page = (ROOT / "docs" / "licences.md").read_text()
    assert [each.name for each in requirements() if f"| {each.name} |" not in page] == [], "run: make licences"


def test_the_oldest_versions_are_allowed() -> None:
    printed = subprocess.run(
        [sys.executable, ROOT / "supply" / "oldest.py"], capture_output=True, text=True, check=True
    )
    oldest = dict(line.split("==") for line in printed.stdout.splitlines())
    core = [each for each in map(Requirement, PROJECT["dependencies"]) if each.name != "torch"]
    assert len(oldest) == len(core)
    for requirement in core:
        assert oldest[requirement.name] in requirement.specifier


def test_links_of_the_readme_are_whole_on_an_index(monkeypatch: pytest.MonkeyPatch) -> None:
    interface = types.ModuleType("interface")
    interface.MetadataHookInterface = object  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "hatchling.metadata.plugin.interface", interface)
    hook = runpy.run_path(str(ROOT / "supply" / "readme.py"))["ReadmeHook"]()
    hook.root = ROOT
    metadata: dict[str, Any] = {"urls": {"Repository": "https://host/owner/name"}}
    hook.update(metadata)
    links = re.findall(r"\]\(([^)]+)\)", metadata["readme"]["text"])
    assert "https://host/owner/name/raw/HEAD/docs/figures/hero.svg" in links
    assert "https://host/owner/name/blob/HEAD/docs/attack.md" in links
    assert all(link.startswith("https://") for link in links)
    unnamed: dict[str, Any] = {}
    hook.update(unnamed)
    assert unnamed["readme"]["text"] == (ROOT / "README.md").read_text(encoding="utf-8")
