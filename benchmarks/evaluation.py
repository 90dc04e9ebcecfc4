"""What an evaluation costs, by how many images one call takes, by memory layout, and compiled.

    python benchmarks/evaluation.py [--compile] [--markdown FILE]
    python benchmarks/evaluation.py --attack [--beside CHECKOUT]

CPU milliseconds an image of a value and gradient of the latent attack's KL on untrained models, one thread: the least
of REPEATS interleaved measurements of 256 images each, as other processes share the caches. In brackets what the first
call took where the encoder is compiled, seconds.

With ``--attack``: CPU seconds of a continuation, 8 pairs and 17 λ, beside the floor, the same number of evaluations in
batches of the same sizes and nothing else; also that of another checkout of the project, in processes that take turns.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import torch

from seatbelt_vae.attacks.protocol import as_normal
from seatbelt_vae.attacks.setup import prepare
from seatbelt_vae.models import HierarchicalVAE, vae
from seatbelt_vae.optim import PathSettings, Problem, follow_path
from seatbelt_vae.optim.penalty import Family
from seatbelt_vae.optim.problem import value_and_gradient
from seatbelt_vae.storage import write_bytes

IMAGES, CHUNKS = 256, (8, 16, 32, 64, 128, 256)
SHAPES = ((1, 32, 32), (1, 64, 64), (3, 64, 64), (1, 128, 128))


class Compiled:
    """A model whose encoder is compiled, for any number of images."""

    def __init__(self, model: HierarchicalVAE) -> None:
        self.model, self.parameters_of = model, torch.compile(self.uncompiled, dynamic=True)

    def uncompiled(self, x):
        q = as_normal(self.model.encode(x)[0])
        return q.loc, q.scale

    def encode(self, x, noise=None):
        return (torch.distributions.Normal(*self.parameters_of(x), validate_args=False),)


VARIANTS = {
    "as attacks have it, channels last": lambda model: model,
    "channels first": lambda model: model.to(memory_format=torch.contiguous_format),
    "compiled": Compiled,
}


def cpu_seconds() -> float:
    """Of this process and of those it has waited for, the compiler's among them."""
    return time.process_time() + sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


def problem_of(shape: tuple[int, int, int], variant: str) -> Problem:
    torch.manual_seed(0)
    model = vae(shape, latent_sizes=(32,)).eval()
    problem = prepare(model, *torch.rand(2, IMAGES, *shape, generator=torch.Generator().manual_seed(0))).problem
    problem.fun.model = VARIANTS[variant](problem.fun.model)
    return problem


def measure(shape: tuple[int, int, int], variants: list[str], repeats: int) -> str:
    rows, problems, first = torch.arange(IMAGES), {}, {}
    for name in variants:
        problems[name] = problem_of(shape, name)
        started = cpu_seconds()
        value_and_gradient(problems[name].fun, problems[name].x0, rows, 64)
        first[name] = cpu_seconds() - started
    least = {(name, chunk): float("inf") for name in variants for chunk in CHUNKS}
    for _ in range(repeats):
        for name, chunk in least:
            started = time.process_time()
            value_and_gradient(problems[name].fun, problems[name].x0, rows, chunk)
            least[name, chunk] = min(least[name, chunk], 1e3 * (time.process_time() - started) / IMAGES)
    return "".join(
        f"| {'×'.join(map(str, shape))} | {name}{f' ({first[name]:.0f} s)' if name == 'compiled' else ''} | "
        + " | ".join(f"{least[name, chunk]:.3f}" for chunk in CHUNKS)
        + " |\n"
        for name in variants
    )


def floor_of(family: Family, calls: Counter[tuple[int, bool]]) -> float:
    """CPU seconds of so many calls of so many rows, with smoothed kinks or without: the least of three for each."""
    rows, grid = family.shape
    total = 0.0
    for (size, smoothed), count in calls.items():
        row = torch.arange(size) % rows
        index = row * grid + smoothed * family.count
        least = float("inf")
        for _ in range(3):
            started = time.process_time()
            family.evaluate(family.x0[row], index)
            least = min(least, time.process_time() - started)
        total += count * least
    return total


def attacked(size: int, iterations: int) -> dict[str, Any]:
    """An attack on an untrained model in this process."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = vae((1, size, size), latent_sizes=(32,)).eval()
    problem = prepare(model, *torch.rand(2, 8, 1, size, size)).problem
    lambdas = 2.0 ** torch.arange(-30, 3, 2).double()  # an untrained model says little of an image
    family = Family.of(problem, lambdas, squared=False)
    family.evaluate(family.x0, torch.arange(8))  # the first call is slow
    calls: Counter[tuple[int, bool]] = Counter()
    evaluate = Family.evaluate

    def counted(this: Family, d: torch.Tensor, index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        calls[len(d), bool((index >= this.count).any())] += 1
        return evaluate(this, d, index)

    Family.evaluate = counted
    started = time.process_time()
    found = follow_path(problem, lambdas, PathSettings(max_iterations=iterations))
    seconds = time.process_time() - started
    Family.evaluate = evaluate
    return {
        "seconds": seconds,
        "floor": floor_of(family, calls),
        "turns": calls.total(),
        "rows": int(found.evaluations.sum()) / calls.total(),
        "sum": float(found.objective.log().sum()),
    }


def beside(checkouts: list[Path], sizes: list[int], iterations: int, repeats: int) -> str:
    """A table of attacks by the code of some folders, in processes that take turns: medians."""
    columns = ("code", "image", "CPU s", "floor", "÷ floor", "turns", "rows a turn", "sum of log Δ")
    text = f"| {' | '.join(columns)} |\n" + "|---" * len(columns) + "|\n"
    for size in sizes:
        found: dict[Path, list[dict[str, Any]]] = {folder: [] for folder in checkouts}
        for _ in range(repeats):
            for folder in checkouts:
                command = [sys.executable, __file__, "--one", str(size), str(iterations)]
                environment = {**os.environ, "PYTHONPATH": str(folder)}
                run = subprocess.run(command, env=environment, capture_output=True, check=True, text=True)
                found[folder].append(json.loads(run.stdout))
        for folder, runs in found.items():
            middle = {key: sorted(run[key] for run in runs)[repeats // 2] for key in runs[0]}
            ratio = sorted(run["seconds"] / run["floor"] for run in runs)[repeats // 2]
            text += f"| {folder.name} | {size} | {middle['seconds']:.2f} | {middle['floor']:.2f} | {ratio:.2f} | "
            text += f"{middle['turns']} | {middle['rows']:.1f} | {middle['sum']:.10f} |\n"
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compile", action="store_true", help="compile the encoder too, for 1×64×64")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--attack", action="store_true", help="an attack beside its floor")
    parser.add_argument("--sizes", type=int, nargs="+", default=[32, 64], help="of the images that are attacked")
    parser.add_argument("--iterations", type=int, default=40, help="of a solve")
    parser.add_argument("--beside", type=Path, nargs="*", default=[], help="other checkouts")
    parser.add_argument("--one", type=int, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(attacked(*options.one)))
        return
    if options.attack:
        here = Path(__file__).resolve().parents[1]
        print(beside([here, *options.beside], options.sizes, options.iterations, options.repeats))
        return
    torch.set_num_threads(1)
    os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
    text = f"| image | encoder | {' | '.join(f'chunk {c}' for c in CHUNKS)} |\n" + "|---" * (2 + len(CHUNKS)) + "|\n"
    for shape in SHAPES:
        text += measure(shape, list(VARIANTS)[: 3 if options.compile and shape == (1, 64, 64) else 2], options.repeats)
    print(text)
    if options.markdown:
        write_bytes(options.markdown, text.encode())


if __name__ == "__main__":
    main()
