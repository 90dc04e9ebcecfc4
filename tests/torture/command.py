"""The command line inside of a worker: what a command printed, to which code it came, and how well it behaved."""

import os
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

LONGEST = 1000
"""Characters of a message."""


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        code: of its exit; None where an exception came out of it.
        out: what it printed.
        err: what it said.
    """

    code: int | None
    out: str
    err: str

    @property
    def fault(self) -> str:
        """What is wrong with how it ended, empty if nothing is."""
        if self.code is None or "Traceback (most recent call last)" in self.err:
            return f"a traceback: {self.err[-1500:]}"
        if self.code not in (0, 1, 2, 130, 143):
            return f"exit code {self.code}: {self.err[-500:]}"
        lines = self.err.replace("\r", "\n").splitlines()
        if self.code and not any(line.startswith("seatbelt: ") for line in lines[-1:]):
            return f"exit code {self.code} without one line that says why: {self.err[-500:]!r}"
        longest = max(map(len, lines), default=0)
        if self.code and longest > LONGEST:
            return f"a message of {longest} characters: {max(lines, key=len)[:300]}…"
        return ""


def seatbelt(*words: str, to: Path = Path(".")) -> Ended:
    """Run a command in this process, its output in two files, as a shell does it."""
    from seatbelt_vae.cli import main

    kept = [os.dup(1), os.dup(2)]
    files = [to / "stdout", to / "stderr"]
    for number, file in enumerate(files, start=1):
        handle = os.open(file, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
        os.dup2(handle, number)
        os.close(handle)
    code: int | None = None
    try:
        code = main(words)
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, handle in enumerate(kept, start=1):
            os.dup2(handle, number)
            os.close(handle)
    out, err = (file.read_text(errors="replace") for file in files)
    return Ended(code, out, err)
