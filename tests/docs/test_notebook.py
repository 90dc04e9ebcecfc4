"""The notebook runs from top to bottom, shows what it promises, and is stored without outputs."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "examples" / "seatbelt.ipynb"
CELLS = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
CODE = ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "code"]


def run(code: str, names: dict[str, Any]) -> Any:
    """Run a cell; the value of its last line, if that is an expression."""
    cell = ast.parse(code)
    last = cell.body[-1]
    if not isinstance(last, ast.Expr):
        exec(compile(cell, NOTEBOOK.name, "exec"), names)
        return None
    exec(compile(ast.Module(cell.body[:-1], []), NOTEBOOK.name, "exec"), names)
    return eval(compile(ast.Expression(last.value), NOTEBOOK.name, "eval"), names)  # noqa: S307  # our own file


def test_it_is_stored_without_outputs() -> None:
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in CELLS if "outputs" in cell)
    assert NOTEBOOK.stat().st_size < 10_000


def test_it_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    shown = [run(code, names) for code in CODE]
    pages = [value._repr_html_() for value in shown if hasattr(value, "_repr_html_")]
    assert len(pages) == 3  # both attacks and the audit
    assert all("data:image/png;base64," in page for page in pages)
    damage = {name: attacked.damage.mean(0) for name, attacked in names["found"].items()}
    assert (damage["robust"] < damage["plain"]).all()
    assert list(tmp_path.iterdir()) == []
