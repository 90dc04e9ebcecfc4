"""Write a page for each public room of the library from its docstrings: python tools/api_pages.py."""

import importlib
import inspect
import io
import re
import shutil
from pathlib import Path
from typing import Any

from rich.console import Console

from seatbelt_vae.cli.app import COMMANDS, app

ROOMS = (
    "attacks",
    "audits",
    "adapters",
    "models",
    "objectives",
    "training",
    "metrics",
    "measures",
    "data",
    "optim",
    "experiments",
    "report",
)
SECTIONS = ("Args", "Attributes", "Returns", "Raises", "References", "Example")
FOLDER = Path(__file__).parents[1] / "docs" / "api"
NOTEBOOK = Path(__file__).parents[1] / "examples" / "seatbelt.ipynb"


def main() -> None:
    """Write all pages and their index, and put the notebook beside them."""
    FOLDER.mkdir(exist_ok=True)
    shutil.copy(NOTEBOOK, FOLDER)
    lines = ["# The library", "", "Every page is made from the docstrings.", ""]
    for name in ROOMS:
        module = importlib.import_module(f"seatbelt_vae.{name}")
        (FOLDER / f"{name}.md").write_text(page(name, module))
        lines.append(f"- [{name}]({name}.md): {first_line(module)}")
    (FOLDER / "index.md").write_text("\n".join(lines) + "\n")
    (FOLDER / "commands.md").write_text(commands())


def commands() -> str:
    """Every command with its help."""
    parts = ["# The commands", "", "What `seatbelt COMMAND --help` prints.", ""]
    for name in COMMANDS:
        parts += [f"## {name}", "", "```text", helped(name), "```", ""]
    return "\n".join(parts)


def helped(name: str) -> str:
    """The help of a command, 100 columns wide, without colours."""
    written = io.StringIO()
    console = Console(file=written, width=100, force_terminal=False, color_system=None, legacy_windows=False)
    app.help_print([name], console=console)
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines()).strip()


def page(name: str, module: Any) -> str:
    """One room: its public functions and classes, in the order of the alphabet."""
    parts = [f"# {name}", "", inspect.getdoc(module) or "", ""]
    for public in sorted(module.__all__, key=str.lower):
        value = getattr(module, public)
        if inspect.isclass(value) or inspect.isfunction(value):
            parts += entry(public, value)
        if inspect.isclass(value):
            parts += methods(public, value)
    return "\n".join(parts) + "\n"


def methods(name: str, value: Any) -> list[str]:
    """What a class can do, by methods of this library."""
    parts = []
    for public, method in inspect.getmembers(value, inspect.isroutine):
        ours = str(getattr(method, "__module__", "")).startswith("seatbelt_vae")
        if ours and method.__doc__ and not public.startswith("_"):
            parts += entry(f"{name}.{public}", method, "###")
    return parts


def entry(name: str, value: Any, level: str = "##") -> list[str]:
    """A heading, the signature and the docstring."""
    kind = "class " if inspect.isclass(value) else ""
    try:
        signature = str(inspect.signature(value))
    except ValueError:
        signature = "(…)"
    signature = re.sub(r"seatbelt_vae(\.\w+)*\.", "", signature)
    return [
        f"{level} {name}",
        "",
        "```python",
        f"{kind}{name}{signature}",
        "```",
        "",
        body(inspect.getdoc(value) or ""),
        "",
    ]


def body(docstring: str) -> str:
    """Google's sections and Sphinx's roles as Markdown."""
    lines = []
    code = False
    for line in docstring.splitlines():
        title = line.strip().removesuffix(":")
        if line.endswith(":") and title in SECTIONS and not line.startswith(" "):
            if code:
                lines.append("```")
            code = title == "Example"
            lines += ["", f"**{title}**", ""]
            if code:
                lines.append("```python")
            continue
        if code:
            lines.append(line.removeprefix("    "))
        else:
            lines.append(plain(line))
    if code:
        lines.append("```")
    return "\n".join(lines)


def plain(line: str) -> str:
    """Roles as code, arguments as items of a list, formulas as code."""
    line = re.sub(r":(?:class|func|mod|data|meth):`~?(?:[\w.]*\.)?(\w+)`", r"`\1`", line)
    line = re.sub(r":math:`([^`]*)`", r"`\1`", line)
    line = line.replace("``", "`")
    if line.strip().startswith(".. math::"):
        return "    " + line.strip().removeprefix(".. math::").strip()
    argument = re.match(r"    (\*{0,2}\w+): (.*)", line)
    if argument:
        return f"- `{argument[1]}`: {argument[2]}"
    return re.sub("^    (?! )", "", line)


def first_line(module: Any) -> str:
    """What a room says of itself."""
    return (inspect.getdoc(module) or "").splitlines()[0]


if __name__ == "__main__":
    main()
