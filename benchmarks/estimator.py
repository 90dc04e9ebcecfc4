"""What log q̂ costs, value and gradient, beside the usual code that makes a (B, B, D) tensor.

    python benchmarks/estimator.py [--repeats 3] [--markdown benchmarks/estimator.md]

CPU seconds of one thread, and by how much the most memory the process held rose. Every measurement has a process of its
own; ours and the usual code take turns, and the table has medians. "gradients" is the relative difference of the two
codes' gradients in float32, in the norm. The usual code is left out where it takes more than MOST of memory.
"""

import argparse
import multiprocessing
import resource
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch.distributions import Normal

from seatbelt_vae.objectives import total_correlation
from seatbelt_vae.objectives.aggregate import aggregate

CASES = [(128, 10), (128, 32), (1024, 10), (1024, 128), (4096, 10), (4096, 32), (4096, 128), (16384, 10)]
DATA_SIZE, MIB, MOST = 100_000, 2**20, 14 * 2**30
TENSORS = 6
"""(B, B, D) tensors that the usual code holds at once, about."""


def ours(z, loc, scale):
    joint, _, marginals = aggregate(z, Normal(loc, scale, validate_args=False), DATA_SIZE, "mss")
    return (joint - marginals.sum(-1)).mean()


def usual(z, loc, scale):
    log_q = Normal(loc, scale, validate_args=False).log_prob(z[:, None])
    return total_correlation(log_q, DATA_SIZE, "mss").mean()


CODES = {"ours": ours, "usual": usual}


def problem(batch: int, size: int) -> list[torch.Tensor]:
    """Samples, means and deviations."""
    generator = torch.Generator().manual_seed(0)
    loc, noise, spread = torch.randn(3, batch, size, generator=generator)
    scale = 0.2 + spread.abs()
    return [tensor.requires_grad_() for tensor in (loc + scale * noise, loc, scale)]


def gradients(code, tensors: list[torch.Tensor]) -> torch.Tensor:
    return torch.cat(torch.autograd.grad(code(*tensors), tensors))


def measure(code: str, batch: int, size: int) -> dict[str, float]:
    """One value and gradient of the total correlation in this process."""
    gradients(CODES[code], problem(8, size))  # the first call is slow
    tensors = problem(batch, size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    found = gradients(CODES[code], tensors)
    seconds = time.process_time() - started
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / MIB
    difference = 0.0
    if code == "usual":
        difference = float((found - gradients(ours, tensors)).norm() / found.norm())
    return {"seconds": seconds, "memory": memory, "difference": difference}


def run(*case: Any) -> dict[str, float]:
    """One measurement in a process of its own."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        found = pool.apply(measure, case)
    print(*case, found, file=sys.stderr, flush=True)
    return found


def row(batch: int, size: int, repeats: int) -> str:
    codes = ["ours"]
    if TENSORS * 4 * batch**2 * size < MOST:
        codes.append("usual")
    runs = {code: [] for code in codes}
    for _ in range(repeats):
        for code in codes:
            runs[code].append(run(code, batch, size))
    middle = {}
    for code, found in runs.items():
        middle[code] = {key: median(each[key] for each in found) for key in found[0]}
    ours, usual = middle["ours"], middle.get("usual")
    cells = [f"{batch}", f"{size}", f"{ours['seconds']:.3g}", f"{ours['memory']:.0f}"]
    if usual is None:
        cells += ["", f"> {4 * batch**2 * size / MIB:.0f} a tensor", "", "", ""]
    else:
        cells += [f"{usual['seconds']:.3g}", f"{usual['memory']:.0f}", f"{usual['seconds'] / ours['seconds']:.1f}"]
        cells += [f"{usual['memory'] / max(ours['memory'], 1):.0f}", f"{usual['difference']:.0e}"]
    return f"| {' | '.join(cells)} |\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    text = (
        "| B | D | ours, CPU s | ours, MiB | usual, CPU s | usual, MiB | time ÷ | memory ÷ | gradients |\n"
        "|---|---|---|---|---|---|---|---|---|\n"
    )
    for case in CASES:
        text += row(*case, options.repeats)
    print(text)
    if options.markdown:
        options.markdown.write_text(text)


if __name__ == "__main__":
    main()
