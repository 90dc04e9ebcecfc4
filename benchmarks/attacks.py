"""The attack engine beside what else there is, on the same objective.

    python -m venv .venv-bench && . .venv-bench/bin/activate
    pip install torch==2.13.0 && pip install -r benchmarks/requirements.txt -e . -c constraints.txt
    python benchmarks/attacks.py --runs runs/chairs-vae runs/celeba-vae … --out runs/bench --docs benchmarks/attacks.md

Every run is a folder that `seatbelt train` wrote. `path`, our continuation, attacks the paper's 10 pairs over the
paper's grid of 51 λ, as `seatbelt attack` does; the continuation of scipy goes over the grid for the first pair. The
solvers that take every λ by itself solve every tenth λ of the grid, which covers it evenly, for the first two pairs.
All get the same function with the same fast evaluation, so what differs is the solver and how many problems it can
evaluate at once. One thread, and CPU seconds, since other processes of the machine share its cores. Each measurement
is a file in OUT that is never made twice: `--methods` takes the baselines in one pass and ours, when it has changed,
in another.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from attack_tables import tables
from torch import Tensor

from seatbelt_vae.attacks import Latent, Output, paper_lambdas
from seatbelt_vae.attacks.setup import prepare
from seatbelt_vae.data import pairs
from seatbelt_vae.experiments import RunFolder
from seatbelt_vae.optim import PathSettings, follow_path, minimise_adam, minimise_scipy
from seatbelt_vae.optim.penalty import Family
from seatbelt_vae.optim.problem import value_and_gradient
from seatbelt_vae.progress import progress_bar
from seatbelt_vae.storage import write_bytes, write_json

OBJECTIVES = {"latent": Latent(), "output": Output(samples=1)}
PAIRS, SAMPLED, FIRST_ORDER_STEPS, SCIPY_ITERATIONS = 10, 2, 3000, 1000
STRIDE = 10
TRACED = 25


@dataclass
class Answer:
    """What a method found for the problems `index`: values, what it cost, and the best after every 25 evaluations."""

    index: Tensor
    value: Tensor
    evaluations: int
    trace: list[list[float]] | None = None


class Best:
    """The best value so far of some rows that are always evaluated together, noted every 25 evaluations."""

    def __init__(self, rows: int) -> None:
        self.value, self.trace, self.count = torch.full((rows,), torch.inf, dtype=torch.float64), [], 0

    def note(self, value: Tensor) -> Tensor:
        assert len(value) == len(self.value)
        self.value, self.count = torch.minimum(self.value, value.detach().double()), self.count + 1
        if self.count % TRACED == 0:
            self.trace.append(self.value.tolist())
        return value


def path(problems: Family, index: Tensor, passes: int = 2) -> Answer:
    """Ours, over the whole grid."""
    found = follow_path(problems.problem, problems.lambdas, PathSettings(passes=passes))
    index = torch.arange(found.objective.numel())
    return Answer(index, found.objective.flatten(), int(found.evaluations.sum()))


def cold(problems: Family, index: Tensor) -> Answer:
    """scipy, every problem of the sample by itself."""
    box, start = problems.box(index), problems.x0[index // problems.shape[1]]
    fun = lambda x, i: problems.penalised(x, index[i])  # noqa: E731
    found = minimise_scipy(fun, start, box.lower, box.upper, max_iterations=SCIPY_ITERATIONS)
    return Answer(index, found.value, int(found.evaluations.sum()))


def adam(problems: Family, index: Tensor) -> Answer:
    """Projected Adam on the sample."""
    box, start, best = problems.box(index), problems.x0[index // problems.shape[1]], Best(len(index))
    fun = lambda x, i: best.note(problems.penalised(x, index[i]))  # noqa: E731
    found = minimise_adam(fun, start, box.lower, box.upper, max_iterations=FIRST_ORDER_STEPS)
    return Answer(index, found.value, int(found.evaluations.sum()), best.trace)


def continuation(problems: Family, index: Tensor) -> Answer:
    """scipy on one pair, from the largest λ to the smallest, each from the last one's answer."""
    x, values, count = problems.x0[:1], [], 0
    order = problems.lambdas.argsort(descending=True)
    for k in order:
        box = problems.box(k[None])
        fun = lambda d, i, k=k: problems.penalised(d, k.expand(len(d)))  # noqa: E731
        found = minimise_scipy(fun, x, box.lower, box.upper, max_iterations=SCIPY_ITERATIONS)
        x, count = found.x, count + int(found.evaluations)
        values.append(found.value)
    return Answer(order, torch.cat(values), count)


def botorch(problems: Family, index: Tensor) -> Answer:
    """BoTorch's: scipy's routine for every row, the evaluations of all rows in one call."""
    from botorch.optim.batched_lbfgs_b import fmin_l_bfgs_b_batched

    grid = problems.shape[1]
    low = problems.box(index).lower.double()
    count = 0

    def fun(
        x: Any, batch_indices: list[int]
    ) -> Any:  # of x* = x + d, whose bounds [0, 1] all rows share: it needs that
        nonlocal count
        count += len(batch_indices)
        d = torch.as_tensor(x) + low[batch_indices]
        f, g = problems.evaluate(d.to(problems.x0), index[batch_indices])
        return f.numpy(), g.double().numpy()

    start = (problems.x0[index // grid] - low).numpy()
    options = {"maxcor": 25, "factr": 10, "pgtol": 1e-5, "maxiter": SCIPY_ITERATIONS}
    found = fmin_l_bfgs_b_batched(fun, start, bounds=[(0.0, 1.0)] * low.shape[1], pass_batch_indices=True, **options)
    return Answer(index, torch.as_tensor(np.asarray(found[1])), count)


def pgd(problems: Family, index: Tensor) -> Answer:
    """Steps along the normalised gradient, their length falling from 1 to 0.001 pixels, projected; the best is kept."""
    box, x, best = problems.box(index), problems.x0[index // problems.shape[1]].clone(), Best(len(index))
    for length in torch.logspace(0, -3, FIRST_ORDER_STEPS):
        f, g = problems.evaluate(x, index)
        best.note(f)
        x = box.clamp(x - length * g / g.norm(dim=1, keepdim=True).clamp_min(1e-12))
    return Answer(index, best.value, FIRST_ORDER_STEPS * len(index), best.trace)


RUN: dict[str, Callable[[Family, Tensor], Answer]] = {
    "path": path, "thorough": partial(path, passes=3), "cold": cold, "continuation": continuation,
    "botorch": botorch, "adam": adam, "pgd": pgd,
}  # fmt: skip


def problems_of(folder: RunFolder, mode: str) -> Family:
    """The attack of a run's test pairs, as `seatbelt attack` sets it up."""
    drawn = pairs(folder.split.test, PAIRS, 0)
    setup = prepare(folder.model(), drawn.source, drawn.target, OBJECTIVES[mode])
    return Family.of(setup.problem, paper_lambdas().double(), squared=False)


def measure(folder: RunFolder, mode: str, method: str, out: Path) -> None:
    """Run one method on one model, and write what it found."""
    target = out / f"{folder.name}-{mode}-{method}.json"
    if target.exists():
        return
    problems = problems_of(folder, mode)
    grid = problems.shape[1]
    index = (torch.arange(SAMPLED)[:, None] * grid + torch.arange(3, grid, STRIDE)).flatten()
    value_and_gradient(problems.problem.fun, problems.x0, torch.arange(PAIRS))  # the first call of a model is slow
    cpu = time.process_time()
    answer = RUN[method](problems, index)
    cpu = time.process_time() - cpu
    write_json(
        target,
        {
            "run": folder.name, "mode": mode, "method": method, "cpu_seconds": cpu,
            "problems": len(answer.index), "evaluations": answer.evaluations, "index": answer.index.tolist(),
            "value": answer.value.tolist(), "trace": answer.trace and {"every": TRACED, "best": answer.trace},
            "at_zero": problems.discrepancy(0 * problems.x0, torch.arange(PAIRS)).tolist(),
        },
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", nargs="+", type=Path, required=True)
    parser.add_argument("--modes", nargs="+", default=["latent", "output"])
    parser.add_argument("--methods", nargs="*", default=list(RUN), choices=list(RUN), help="none: only print")
    parser.add_argument("--out", type=Path, required=True, help="folder of the results, one file a measurement")
    parser.add_argument("--docs", type=Path, help="Markdown file of the tables")
    options = parser.parse_args()
    torch.set_num_threads(1)
    folders = [RunFolder.open(path) for path in options.runs]
    jobs = [(f, mode, method) for mode in options.modes for f in folders for method in options.methods]
    with progress_bar("Attacking", total=len(jobs)) as advance:
        for folder, mode, method in jobs:
            measure(folder, mode, method, options.out)
            advance(note=f"{folder.name} {mode} {method}")
    text = tables([[f"{f.name}-{mode}" for f in folders] for mode in options.modes], options.out)
    print(text)
    if options.docs:
        write_bytes(options.docs, text.encode())


if __name__ == "__main__":
    main()
