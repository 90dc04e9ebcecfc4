"""Every Python block of the documentation runs, every command and TOML block parses, every link leads somewhere.

Blocks marked `py` are about models and files that the reader has; they do not run.
"""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest

from seatbelt_vae.cli.app import app
from seatbelt_vae.experiments import SweepSpec

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
RUN = [page for page in PAGES if page != README]  # README's models are trained for a minute
GENERATED = "api/"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


def blocks(page: Path, language: str) -> list[str]:
    return [code for name, code in BLOCK.findall(page.read_text()) if name == language]


def commands(page: Path) -> list[list[str]]:
    """The seatbelt commands of a page, as arguments."""
    found = []
    for block in blocks(page, "bash"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["seatbelt"] and "--install-completion" not in words:
                found.append(words[1:])
    return found


def test_there_are_pages() -> None:
    assert len(PAGES) > 8


@pytest.mark.parametrize("page", [page for page in RUN if blocks(page, "python")], ids=lambda page: page.name)
def test_every_python_block_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for number, code in enumerate(blocks(page, "python")):
        exec(compile(code, f"{page.name}, block {number}", "exec"), names)


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=lambda page: page.name)
def test_every_command_parses(page: Path) -> None:
    for words in commands(page):
        app.parse_args(words, exit_on_error=False, print_error=False)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "toml")], ids=lambda page: page.name)
def test_every_toml_block_is_a_run_or_a_sweep(page: Path) -> None:
    for text in blocks(page, "toml"):
        SweepSpec.of(tomllib.loads(text))


def test_the_sweep_that_is_shown_is_the_example() -> None:
    (shown,) = blocks(ROOT / "docs" / "sweeps.md", "toml")
    assert tomllib.loads(shown) == tomllib.loads((ROOT / "examples" / "sweep.toml").read_text())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        if "://" in link or link.startswith(GENERATED):
            continue
        assert (page.parent / link).exists(), link
