"""How dense the package is, in figures: lines, characters a line of code, comprehensions, conditionals, parameters.

    python benchmarks/style.py [PATH ...]

A line of code is one that holds a token which is neither a comment nor part of a docstring. Shorter by golf does not
count: the figures are a thermometer and no aim.
"""

import ast
import io
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "seatbelt_vae"
COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
MANY = 8
"""Parameters from which a function has many."""


@dataclass(frozen=True)
class Style:
    """The counts of one file, or of several added up."""

    files: int = 0
    lines: int = 0
    code: int = 0
    characters: int = 0
    comprehensions: int = 0
    conditionals: int = 0
    crowded: tuple[str, ...] = ()

    def __add__(self, other: "Style") -> "Style":
        return Style(
            self.files + other.files,
            self.lines + other.lines,
            self.code + other.code,
            self.characters + other.characters,
            self.comprehensions + other.comprehensions,
            self.conditionals + other.conditionals,
            self.crowded + other.crowded,
        )


def style_of(path: Path) -> Style:
    """Count one file."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    nodes = list(ast.walk(tree))
    code = _code_lines(text, _docstring_lines(nodes))
    lines = text.splitlines()
    return Style(
        files=1,
        lines=len(lines),
        code=len(code),
        characters=sum(len(lines[number - 1].strip()) for number in code),
        comprehensions=sum(isinstance(node, COMPREHENSIONS) for node in nodes),
        conditionals=sum(isinstance(node, ast.IfExp) for node in nodes),
        crowded=tuple(_crowded(path, nodes)),
    )


def _docstring_lines(nodes: list[ast.AST]) -> set[int]:
    found: set[int] = set()
    for node in nodes:
        body = getattr(node, "body", None)
        if isinstance(body, list):
            for statement in body:
                is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
                if is_text and isinstance(statement.value.value, str):
                    found |= set(range(statement.lineno, (statement.end_lineno or statement.lineno) + 1))
    return found


def _code_lines(text: str, docstrings: set[int]) -> list[int]:
    found: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in LAYOUT:
            found |= set(range(token.start[0], token.end[0] + 1))
    return sorted(found - docstrings)


def _crowded(path: Path, nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = node.args
            names = [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
            count = len([name for name in names if name not in ("self", "cls")])
            if count >= MANY:
                yield f"{path.name}:{node.name} ({count})"


def report(style: Style) -> str:
    """The figures in words."""
    thousand = 1000 / max(1, style.code)
    return (
        f"files {style.files}\nlines {style.lines}\nlines of code {style.code}\n"
        f"characters a line of code {style.characters / max(1, style.code):.1f}\n"
        f"comprehensions a 1000 lines of code {style.comprehensions * thousand:.1f}\n"
        f"conditional expressions a 1000 lines of code {style.conditionals * thousand:.1f}\n"
        f"functions with {MANY} parameters or more {len(style.crowded)}: {', '.join(style.crowded)}"
    )


def main() -> None:
    """Print the figures of the package, or of the paths given."""
    roots = [Path(word) for word in sys.argv[1:]] or [PACKAGE]
    files = [path for root in roots for path in (sorted(root.rglob("*.py")) if root.is_dir() else [root])]
    print(report(sum((style_of(path) for path in files), Style())))


if __name__ == "__main__":
    main()
