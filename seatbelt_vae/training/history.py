"""metrics.jsonl: one JSON object a line, appended while training, cut back to the checkpoint on resuming."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seatbelt_vae.errors import RunError
from seatbelt_vae.storage import read_bytes, settle, write_bytes

FILE = "metrics.jsonl"
Record = dict[str, Any]
Hook = Callable[[Record], object]


def read_history(folder: str | Path) -> list[Record]:
    r"""Read the records of a run; what follows the first line that is torn, no record or of no later step is left out.

    A resumed run writes that again.

    Returns:
        The records in the order of their steps; none where the file is missing.

    Raises:
        InputError: there is a file, and it cannot be read, or what a checkpoint knows of it was changed.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / FILE).write_text('{"step": 10, "loss": 2.5}\n{"step": 20, "lo')
        >>> read_history(folder)
        [{'step': 10, 'loss': 2.5}]
    """
    path = Path(folder) / FILE
    records: list[Record] = []
    if not path.exists():
        return records
    text = read_bytes(path, grows=True).decode(errors="replace")
    for line in text.splitlines():
        record = parsed(line)
        if record is None or (records and record["step"] <= records[-1]["step"]):
            break
        records.append(record)
    return records


def parsed(line: str) -> Record | None:
    """One record: a table of plain values with the number of a step; None for anything else.

    Example:
        >>> parsed('{"step": 10, "loss": NaN}') is None
        True
    """
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or type(record.get("step")) is not int or record["step"] < 0:
        return None
    if all(is_plain(value) for value in record.values()):
        return record
    return None


def is_plain(value: Any) -> bool:
    """Whether a value is null, a text or a finite number.

    Example:
        >>> is_plain(None), is_plain(10**400), is_plain([1])
        (True, False, False)
    """
    if isinstance(value, int | float):
        try:
            return math.isfinite(value)
        except OverflowError:
            return False
    return value is None or isinstance(value, str)


class History:
    """The records of a run, in memory and, if there is a folder, in its ``metrics.jsonl``.

    Args:
        folder: the run's folder; None keeps them in memory only.
        step: records of later steps are dropped, for the run goes on from there.
        on_record: called with each further record.
    """

    def __init__(self, folder: Path | None, step: int, on_record: Hook | None = None) -> None:
        self.records: list[Record] = []
        self.on_record = on_record
        self.path: Path | None = None
        if folder is None:
            return
        self.path = folder / FILE
        self.records = [record for record in read_history(folder) if record["step"] <= step]
        write_bytes(self.path, "".join(map(as_line, self.records)).encode())

    def append(self, record: Record) -> None:
        """Add a record, then tell of it; numbers that JSON cannot hold become null.

        Raises:
            RunError: the file cannot be written.
        """
        kept: Record = {}
        for name, value in record.items():
            kept[name] = None
            if is_plain(value):
                kept[name] = value
        self.records.append(kept)
        if self.path is not None:
            self._write(kept, self.path)
        if self.on_record is not None:
            self.on_record(dict(kept))

    def _write(self, record: Record, path: Path) -> None:
        try:
            with path.open("a") as file:
                file.write(as_line(record))
        except OSError as error:
            raise RunError(f"{path}: could not be written ({error.strerror or error})") from error

    def settle(self) -> None:
        """Vouch for the records so far: what is changed in them later is refused.

        Raises:
            RunError: the folder cannot be written.
        """
        if self.path is not None:
            settle(self.path)


def as_line(record: Record) -> str:
    """A record as a line of the file.

    Example:
        >>> print(as_line({"step": 1}), end="")
        {"step": 1}
    """
    return json.dumps(record, allow_nan=False) + "\n"
