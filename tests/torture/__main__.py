"""``python -m tests.torture``: kills, damaged files, wrong arguments, hostile input, faults and clients, as one table.

The same seed does the same; it is printed, and so is every hole with the command that does that case alone. A kind is a
file with a `Kind`, and a name in `KINDS`.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.torture import arguments, clients, faults, files, hostile, kills
from tests.torture.outcome import Row, table
from tests.torture.runner import run

KINDS = {"kills": kills.KIND, "files": files.KIND, "arguments": arguments.KIND, "hostile": hostile.KIND}
KINDS |= {"faults": faults.KIND, "clients": clients.KIND}


def main() -> int:
    """Torture; 1 where a hole was found."""
    asked = words()
    root = Path(tempfile.mkdtemp(prefix="torture-"))
    root.chmod(0o755)  # some cases are another user's
    names = asked.kind or list(KINDS)
    print(f"torture: seed {asked.seed}, share {asked.share:g}, {asked.workers} workers", flush=True)
    rows = []
    for name in names:
        kind = KINDS[name]
        numbers = asked.case or kind.numbers(asked.share, asked.seed)
        row = run(kind, numbers, asked.seed, root / name, asked.workers)
        rows.append(row)
        tell(name, row, asked.seed)
    shutil.rmtree(root, ignore_errors=True)
    print(table(rows))
    return int(any(row.holes for row in rows))


def words() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=main.__doc__)
    parser.add_argument("--seed", type=int, default=int(time.strftime("%Y%m%d")), help="by default, today's date")
    parser.add_argument("--share", type=float, default=1.0, help="of all cases; CI does 0.1")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kind", action="append", choices=list(KINDS))
    parser.add_argument("--case", action="append", type=int, help="do this case alone; needs one --kind")
    return parser.parse_args()


def tell(name: str, row: Row, seed: int) -> None:
    """Say what went wrong, and how to see it again."""
    for case, words in row.holes.items():
        print(f"HOLE: python -m tests.torture --seed {seed} --kind {name} --case {case}\n  {words}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
