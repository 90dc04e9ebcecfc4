"""The README as a package index shows it: links into the repository become whole addresses.

The maintainer names the repository, in pyproject.toml:

    [project.urls]
    Repository = "https://github.com/owner/name"

Until then links stay as they are.
"""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!\w+:|#)([^)\s]+)\)")


class ReadmeHook(MetadataHookInterface):  # type: ignore[misc]
    """What hatchling calls when it builds."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the README to the metadata of the package."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        repository = metadata.get("urls", {}).get("Repository")
        if repository:
            text = whole(text, repository)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def whole(text: str, repository: str) -> str:
    """Lead links to pages, and pictures to their bytes."""

    def led(link: re.Match[str]) -> str:
        picture, words, path = link.groups()
        kind = "raw" if picture else "blob"
        return f"{picture}[{words}]({repository}/{kind}/HEAD/{path})"

    return LINK.sub(led, text)
