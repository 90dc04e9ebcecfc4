"""``python supply/licences.py``: a table of the direct dependencies, with the licence that each says it has.

``--write`` puts it into docs/licences.md.
"""

import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "licences.md"
HEAD = """# Licences of what Seatbelt depends on

Seatbelt itself is under Apache-2.0. Written by `python supply/licences.py --write`, from what each package says of
itself. What is optional comes with an extra.

| package | needed for | licence |
|---|---|---|
"""


def needed() -> dict[str, str]:
    """What is depended on, and what for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = {Requirement(each).name: "everything" for each in project["dependencies"]}
    for extra, requirements in project["optional-dependencies"].items():
        for each in requirements:
            found.setdefault(Requirement(each).name, f"`{extra}`")
    found.pop("seatbelt-vae", None)
    return found


def licence(package: str) -> str:
    """What a package says: an expression, else a classifier, else the first line of its own words."""
    try:
        about = metadata.metadata(package)
    except metadata.PackageNotFoundError:
        return "not installed here"
    classified = [each.rpartition(" :: ")[2] for each in about.get_all("Classifier", []) if each.startswith("License")]
    said = about.get("License-Expression") or ", ".join(classified) or about.get("License") or "says nothing"
    return said.strip().splitlines()[0]


def page() -> str:
    """The whole page."""
    rows = [f"| {package} | {use} | {licence(package)} |\n" for package, use in sorted(needed().items())]
    return HEAD + "".join(rows)


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
    print(page(), end="")
