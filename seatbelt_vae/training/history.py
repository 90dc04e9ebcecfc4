"""metrics.jsonl: one JSON object a line, appended while training, cut back to the checkpoint on resuming."""

import json
import math
from pathlib import Path
from typing import Any

from seatbelt_vae.errors import RunError
from seatbelt_vae.storage import write_bytes

FILE = "metrics.jsonl"


def read_history(folder: str | Path) -> list[dict[str, Any]]:
    r"""Read the records of a run; a last line torn by a crash is left out.

    Returns:
        The records in the order of their steps; none where the file is missing.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / FILE).write_text('{"step": 10, "loss": 2.5}\n{"step": 20, "lo')
        >>> read_history(folder)
        [{'step': 10, 'loss': 2.5}]
    """
    path = Path(folder) / FILE
    records: list[dict[str, Any]] = []
    if not path.exists():
        return records
    for line in path.read_text(errors="replace").splitlines():
        try:
            records.append(json.loads(line))
        except ValueError:
            break  # what follows a torn line is no longer trusted; a resumed run writes it again
    return records


class History:
    """The records of a run, in memory and, if there is a folder, in its ``metrics.jsonl``.

    Args:
        folder: the run's folder; None keeps them in memory only.
        step: records of later steps are dropped, for the run goes on from there.
    """

    def __init__(self, folder: Path | None, step: int) -> None:
        self.path = None if folder is None else folder / FILE
        self.records = [] if folder is None else [r for r in read_history(folder) if r["step"] <= step]
        if self.path is not None:
            write_bytes(self.path, "".join(map(_line, self.records)).encode())

    def append(self, record: dict[str, Any]) -> None:
        """Add a record; numbers that JSON cannot hold become null.

        Raises:
            RunError: the file cannot be written.
        """
        record = {name: _finite(value) for name, value in record.items()}
        self.records.append(record)
        if self.path is None:
            return
        try:
            with self.path.open("a") as file:
                file.write(_line(record))
        except OSError as error:
            raise RunError(f"{self.path}: could not be written ({error.strerror or error})") from error


def _line(record: dict[str, Any]) -> str:
    return json.dumps(record, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
