"""``python supply/oldest.py``: the oldest version of each core dependency that pyproject.toml allows, a pin a line.

torch is not among them: the oldest one that is allowed has wheels for CUDA alone on the public index for Linux.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).parents[1] / "pyproject.toml"


def oldest() -> Iterator[str]:
    """Pins such as ``numpy==1.26``."""
    dependencies = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["dependencies"]
    for dependency in dependencies:
        found = re.match(r"([\w.-]+)>=([\w.]+)", dependency)
        assert found, f"{dependency}: has no lower bound"
        if found[1] != "torch":
            yield "==".join(found.groups())


if __name__ == "__main__":
    print("\n".join(oldest()))
