"""Trained models as files to publish: an archive for each, and the SHA-256 of all."""

import hashlib
import io
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from seatbelt_vae.experiments import RunFolder
from seatbelt_vae.report.card import measured
from seatbelt_vae.storage import write_bytes

SUMS = "SHA256SUMS"


def write_weights(folders: Sequence[RunFolder], out: str | Path) -> list[Path]:
    """Write ``NAME.zip`` for each run: a folder that `from_pretrained` takes, with the model's card; and the sums.

    Same runs, same bytes: the archives hold no times.

    Args:
        folders: finished runs, of different names.
        out: where to write.

    Returns:
        The archives, and ``SHA256SUMS``, which ``sha256sum --check`` reads.

    Raises:
        InputError: a run is not finished.
        RunError: the folder cannot be written.
    """
    written = []
    lines = []
    for folder in folders:
        content = _archive(folder)
        written.append(write_bytes(Path(out) / f"{folder.name}.zip", content))
        lines.append(f"{hashlib.sha256(content).hexdigest()}  {folder.name}.zip\n")
    return [*written, write_bytes(Path(out) / SUMS, "".join(lines).encode())]


def _archive(folder: RunFolder) -> bytes:
    """The bytes of an archive of a model: its recipe, weights and card."""
    model = folder.model()
    card = model.card(folder.name, measured(folder.record()))
    content = io.BytesIO()
    with tempfile.TemporaryDirectory() as place, zipfile.ZipFile(content, "w") as archive:
        saved = model.save_pretrained(place, model_card_kwargs=card)
        for file in sorted(saved.iterdir()):
            archive.writestr(zipfile.ZipInfo(f"{folder.name}/{file.name}"), file.read_bytes())
    return content.getvalue()
