"""``seatbelt upgrade``: attacks of an earlier version in today's form."""

from pathlib import Path

from seatbelt_vae.cli.console import note, show
from seatbelt_vae.cli.options import Json
from seatbelt_vae.experiments import upgrade


def command(path: Path, /, *, json: Json = False) -> None:
    """Move attacks to today's form. One that was interrupted goes on.

    Args:
        path: A run folder, or a store of them.
    """
    moved = upgrade(path, say=note)
    show({"path": str(path), "attacks": moved}, json, [f"{path}: {moved} attacks moved"])
