"""The solver on bounded problems whose minima are known, beside scipy's L-BFGS-B on the same rows.

    python benchmarks/solver.py [--rows 1000] [--sizes 2 32 1024 12288] [--markdown FILE]

For every problem and size: the largest relative error of any of ROWS random rows in float64, how many rows scipy ends
better on (by more than 1e-9 relative; scipy solves the first SCIPY_ROWS of them), evaluations a row, and CPU seconds a
row of both, in one process of one thread. The problems are those of the tests.
"""

import argparse
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from seatbelt_vae.optim import Solution, minimise, minimise_scipy
from seatbelt_vae.progress import progress_bar
from seatbelt_vae.storage import write_bytes
from tests.optim.problems import PROBLEMS, Problem

SCIPY_ROWS = {2: 1000, 32: 100, 1024: 20, 12288: 5}
OURS = {"max_iterations": 10_000, "memory": 12, "gradient_tolerance": 1e-9}


def timed(solver, problem: Problem, rows: int, **options: object) -> tuple[Solution, float]:
    """The first `rows` rows solved, and CPU seconds a row."""
    started = time.process_time()
    bounds = (b[:rows] if torch.is_tensor(b) and b.ndim == 2 else b for b in (problem.lower, problem.upper))
    found = solver(problem.fun, problem.x0[:rows], *bounds, **options)
    return found, (time.process_time() - started) / rows


def measure(name: str, n: int, rows: int) -> str:
    problem = PROBLEMS[name](rows, n)
    ours, seconds = timed(minimise, problem, rows, **OURS)
    some = min(rows, SCIPY_ROWS.get(n, 10))
    peer, peer_seconds = timed(minimise_scipy, problem, some, gradient_tolerance=1e-9)
    error = ((ours.value - problem.minimum) / problem.minimum.abs().clamp_min(1)).abs()
    worse = (ours.value[:some] > peer.value + 1e-9 * (1 + peer.value.abs())).sum()
    peer_error = ((peer.value - problem.minimum[:some]) / problem.minimum[:some].abs().clamp_min(1)).abs()
    return (
        f"| {name.replace('_', ' ')} | {n} | {rows} | {float(error.max()):.1e} | {int((error > 1e-6).sum())} | "
        f"{float(peer_error.max()):.1e} | {int(worse)} of {some} | {float(ours.evaluations.double().mean()):.0f} | "
        f"{float(peer.evaluations.double().mean()):.0f} | {peer_seconds / seconds:.1f} |\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SCIPY_ROWS))
    parser.add_argument("--problems", nargs="+", default=list(PROBLEMS), choices=list(PROBLEMS))
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    text = (
        "| problem | n | rows | largest error | rows off by > 1e-6 | scipy's largest error | "
        "rows where scipy is better | evaluations | scipy's | CPU s of scipy ÷ ours |\n"
        "|---|---|---|---|---|---|---|---|---|---|\n"
    )
    with progress_bar("Solving", total=len(options.sizes) * len(options.problems)) as advance:
        for n in options.sizes:
            for name in options.problems:
                text += measure(name, n, options.rows)
                advance(note=f"{name} {n}")
                if options.markdown:
                    write_bytes(options.markdown, text.encode())
    print(text)


if __name__ == "__main__":
    main()
