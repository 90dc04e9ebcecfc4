"""How the cost of an attack grows with pairs, image size and depth.

    python benchmarks/growth.py [--repeats 3] [--markdown benchmarks/growth.md]

Untrained convolutional models and ten iterations, so that every row spends its whole budget: CPU time of an attack and
of an evaluation, one thread, and by how much the most memory the process held rose, each measured in a process of its
own and the median of REPEATS. The memory holds a copy of the model, the images, and those that are returned (pairs × λ
× pixels × 4 bytes, given beside it), besides what `memory` limits: evaluations and the solver's own.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

LAMBDAS, ITERATIONS, MIB = [0.0, 2.0], 10, 2**20
ONE = {"pairs": 16, "size": 64, "layers": 1, "budget": 1024}
CASES = [
    *({**ONE, "pairs": p, "size": 32} for p in (1, 10, 100, 1000)),
    *({**ONE, "size": size} for size in (32, 64, 128)),
    *({**ONE, "layers": depth} for depth in (1, 2, 3, 4, 5)),
    *({**ONE, "pairs": 100, "budget": budget} for budget in (16, 64, 256)),
]
"""How many pairs, how large, how deep, and how many MiB the solver may take."""


def measure(pairs: int, size: int, layers: int, budget: int) -> dict[str, Any]:
    """One attack in this process."""
    import torch

    from seatbelt_vae.attacks import Continuation, Penalty, attack
    from seatbelt_vae.models import seatbelt_vae

    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = seatbelt_vae((1, size, size), latent_sizes=(96, 48, 24, 12, 6)[:layers])
    images = torch.rand(2, pairs, 1, size, size)
    settings: dict[str, Any] = {
        "budget": Penalty(LAMBDAS),
        "solver": Continuation(ITERATIONS),
        "memory": budget * MIB,
    }
    attack(model, images[0, :1], images[1, :1], **settings)  # the first call is slow
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    found = attack(model, images[0], images[1], **settings)
    seconds = time.process_time() - started
    evaluations = int(found.evaluations.sum())
    return {
        "attack_ms": 1e3 * seconds / found.objective.numel(),
        "evaluation_ms": 1e3 * seconds / evaluations,
        "evaluations": evaluations / found.objective.numel(),
        "memory_mib": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / MIB,
        "answer_mib": found.adversarial.numel() * 4 / MIB,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--one", type=json.loads, help=argparse.SUPPRESS)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(**options.one)))
        return
    text = (
        "| pairs | size | L | budget, MiB | CPU ms an attack | CPU ms an evaluation | evaluations an attack | "
        "memory, MiB | of it the answer |\n|---|---|---|---|---|---|---|---|---|\n"
    )
    results: dict[str, list[dict[str, float]]] = {json.dumps(case): [] for case in CASES}
    for _ in range(options.repeats):  # interleaved, so that a busy minute of the machine does not fall on one case
        for case, found in results.items():
            command = [sys.executable, __file__, "--one", case]
            found.append(json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout))
    for case, found in results.items():
        middle = {key: sorted(r[key] for r in found)[len(found) // 2] for key in found[0]}
        text += f"| {' | '.join(str(v) for v in json.loads(case).values())} | {middle['attack_ms']:.1f} | "
        text += f"{middle['evaluation_ms']:.2f} | {middle['evaluations']:.0f} | {middle['memory_mib']:.0f} | "
        text += f"{middle['answer_mib']:.0f} |\n"
    print(text)
    if options.markdown:
        options.markdown.write_text(text)


if __name__ == "__main__":
    main()
