"""How long it takes to begin: `import seatbelt_vae` beside `import torch`, and `seatbelt --help`.

python benchmarks/startup.py [ROUNDS]

Each command runs in a process of its own, in turn; medians over the rounds, of seconds on the clock and of CPU time.
"""

import resource
import subprocess
import sys
import time
from statistics import median

DOOR = "import seatbelt_vae as sb; sb.load_dataset, sb.models, sb.train, sb.attack, sb.audit"
CODES = {
    "python": "pass",
    "import torch": "import torch",
    "import seatbelt_vae": "import seatbelt_vae",
    "import seatbelt_vae, and ask it for load_dataset, train, attack, audit": DOOR,
    "seatbelt --help": "from seatbelt_vae.cli import main; main(['--help'])",
}


def spent(code: str) -> tuple[float, float]:
    """Seconds on the clock, and of CPU time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    clock = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(rounds: int) -> None:
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in CODES}
    for _ in range(rounds):
        for name, code in CODES.items():
            found[name].append(spent(code))
    print("| what | clock, s | CPU, s |\n|---|---|---|")
    for name, times in found.items():
        clock, cpu = (median(each) for each in zip(*times, strict=True))
        print(f"| `{name}` | {clock:.2f} | {cpu:.2f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
