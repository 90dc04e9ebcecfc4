"""``seatbelt export``: a trained model's encoder and decoder for other programs."""

from pathlib import Path
from typing import Literal

from seatbelt_vae.cli.console import show
from seatbelt_vae.cli.options import Json
from seatbelt_vae.experiments import RunFolder


def command(run: Path, /, *, out: Path, kind: Literal["onnx", "torch"] = "onnx", json: Json = False) -> None:
    """Write encoder and decoder as ONNX or as graphs of torch.export, and check their numbers.

    Args:
        run: A run folder.
        out: Folder for the two files.
        kind: onnx or torch.
    """
    from seatbelt_vae.models import export

    folder = export(RunFolder.open(run).model(), out, kind)
    files = sorted(str(path) for path in folder.iterdir())
    show({"files": files}, json, files)
