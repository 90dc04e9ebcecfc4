"""The attack engine beside what else there is, on the same objective, in one run.

    python -m venv .venv-bench && . .venv-bench/bin/activate
    pip install torch==2.13.0 && pip install -r benchmarks/requirements.txt -e . -c constraints.txt
    python benchmarks/attacks.py --runs runs/chairs-vae runs/celeba-vae … --out runs/bench --docs benchmarks/attacks.md

Every run is a folder that `seatbelt train` wrote. `path` attacks the paper's 10 pairs over the paper's grid of 51 λ, as
`seatbelt attack` does; the continuation of scipy goes over the grid for the first pair. The solvers that take every λ
by itself solve every fifth λ of the grid, which covers it evenly, for the first two pairs. All get the same function
with the same fast evaluation, so what differs is the solver and how many problems it can evaluate at once. One thread.
CPU seconds, since other processes of the machine share its cores. It goes on where it was stopped.
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
from torch import Tensor

from seatbelt_vae.attacks import prepare
from seatbelt_vae.attacks.ingredients import paper_lambdas
from seatbelt_vae.data import pairs
from seatbelt_vae.experiments import RunFolder
from seatbelt_vae.optim import follow_path
from seatbelt_vae.optim.penalty import Family, family
from seatbelt_vae.optim.problem import value_and_gradient
from seatbelt_vae.optim.reference import minimise_adam, minimise_scipy
from seatbelt_vae.progress import progress_bar
from seatbelt_vae.storage import read_json, write_bytes, write_json

PAIRS, SAMPLED, EVERY, FIRST_ORDER_STEPS, SCIPY_ITERATIONS = 10, 2, 5, 3000, 1000
METHODS = {
    "path": "ours",
    "cold": "scipy L-BFGS-B, each λ by itself (a)",
    "continuation": "scipy L-BFGS-B, λ falling, warm starts (b)",
    "botorch": "BoTorch fmin_l_bfgs_b_batched (c)",
    "adam": f"Adam, {FIRST_ORDER_STEPS} steps, batched (d)",
    "pgd": f"projected gradient, {FIRST_ORDER_STEPS} steps, batched (e)",
}


@dataclass
class Answer:
    """What a method found for the problems `index`: values, and what it cost."""

    index: Tensor
    value: Tensor
    evaluations: int


def sample(problems: Family) -> Tensor:
    """The problems of every fifth λ of the grid, for the first pairs."""
    grid = problems.shape[1]
    return (torch.arange(SAMPLED)[:, None] * grid + torch.arange(3, grid, EVERY)).flatten()


def path(problems: Family) -> Answer:
    """Ours, over the whole grid."""
    box = problems.bounds
    found = follow_path(problems.smooth, problems.x0, problems.lambdas, box.lower, box.upper, chunk=64)
    index = torch.arange(found.objective.numel())
    return Answer(index, found.objective.flatten(), int(found.evaluations.sum()))


def by_itself(solver: Callable[..., Any], problems: Family) -> Answer:
    """Any solver of ours or scipy's, on the sample."""
    index, grid = sample(problems), problems.shape[1]
    box = problems.box(index)
    fun = lambda x, i: problems.penalised(x, index[i])  # noqa: E731
    found = solver(fun, problems.x0[index // grid], box.lower, box.upper, chunk=64)
    return Answer(index, found.value, int(found.evaluations.sum()))


def continuation(problems: Family) -> Answer:
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


def botorch(problems: Family) -> Answer:
    """BoTorch's: scipy's routine for every row, the evaluations of all rows in one call."""
    from botorch.optim.batched_lbfgs_b import fmin_l_bfgs_b_batched

    index, grid = sample(problems), problems.shape[1]
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


def pgd(problems: Family) -> Answer:
    """Steps along the normalised gradient, their length falling from 1 to 0.001 pixels, projected; the best is kept."""
    index, grid = sample(problems), problems.shape[1]
    box = problems.box(index)
    x, best = problems.x0[index // grid].clone(), torch.full((len(index),), torch.inf, dtype=torch.float64)
    for length in torch.logspace(0, -3, FIRST_ORDER_STEPS):
        f, g = problems.evaluate(x, index)
        best = torch.minimum(best, f)
        x = box.clamp(x - length * g / g.norm(dim=1, keepdim=True).clamp_min(1e-12))
    return Answer(index, best, FIRST_ORDER_STEPS * len(index))


RUN: dict[str, Callable[[Family], Answer]] = {
    "path": path,
    "cold": partial(by_itself, partial(minimise_scipy, max_iterations=SCIPY_ITERATIONS)),
    "continuation": continuation,
    "botorch": botorch,
    "adam": partial(by_itself, partial(minimise_adam, max_iterations=FIRST_ORDER_STEPS)),
    "pgd": pgd,
}


def problems_of(folder: RunFolder, mode: str) -> Family:
    """The attack of a run's test pairs, as `seatbelt attack` sets it up."""
    drawn = pairs(folder.split.test, PAIRS, 0)
    setup = prepare(folder.model(), drawn.source, drawn.target, mode=mode, samples=None if mode == "latent" else 1)
    return family(setup.objective, setup.start, paper_lambdas().double(), setup.lower, setup.upper, "norm", 64)


def measure(folder: RunFolder, mode: str, method: str, out: Path) -> None:
    """Run one method on one model, and write what it found."""
    target = out / f"{folder.name}-{mode}-{method}.json"
    if target.exists():
        return
    problems = problems_of(folder, mode)
    value_and_gradient(problems.smooth, problems.x0, torch.arange(PAIRS))  # the first call of a model is slow
    wall, cpu = time.perf_counter(), time.process_time()
    answer = RUN[method](problems)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    write_json(
        target,
        {
            "run": folder.name, "mode": mode, "method": method, "cpu_seconds": cpu, "wall_seconds": wall,
            "problems": len(answer.index), "evaluations": answer.evaluations, "index": answer.index.tolist(),
            "value": answer.value.tolist(),
            "at_zero": problems.discrepancy(0 * problems.x0, torch.arange(PAIRS)).tolist(),
        },
    )  # fmt: skip


def scored(results: list[dict[str, Any]], grid: int) -> list[dict[str, Any]]:
    """One row of the table for each method on one model and mode."""
    found = {r["method"]: dict(zip(r["index"], r["value"], strict=True)) for r in results}
    at_zero = results[0]["at_zero"]
    best = {i: min(f[i] for f in found.values() if i in f) for f in found.values() for i in f}
    ours = next(r for r in results if r["method"] == "path")
    each = ours["cpu_seconds"] / ours["problems"]
    rows = []
    for r in results:
        both = [i for i in found[r["method"]] if sum(i in f for f in found.values()) > 1]
        # Values below the rounding of r(0) in float32 are all the same zero.
        floor = {i: 1.2e-7 * at_zero[i // grid] for i in both}
        ratio = np.array([max(found[r["method"]][i], floor[i]) / max(best[i], floor[i]) for i in both])
        mine = np.array([max(found["path"][i], floor[i]) / max(found[r["method"]][i], floor[i]) for i in both])
        rows.append(
            {
                "method": r["method"], "cpu_each": r["cpu_seconds"] / r["problems"],
                "ratio": r["cpu_seconds"] / r["problems"] / each, "evaluations": r["evaluations"] / r["problems"],
                "rows": len(both), "within_1.001": float((ratio <= 1.001).mean()),
                "within_1.01": float((ratio <= 1.01).mean()), "ours_over_it": float(np.exp(np.log(mine).mean())),
                "ours_no_worse": float((mine <= 1.001).mean()),
            }
        )  # fmt: skip
    return rows


def table(title: str, rows: list[dict[str, Any]]) -> str:
    head = (
        f"\n### {title}\n\n"
        "| solver | CPU s an attack | ÷ ours | evaluations an attack | ≤ 1.001 × best | ≤ 1.01 × best | "
        "ours ÷ it, geometric mean | ours ≤ 1.001 × it |\n|---|---|---|---|---|---|---|---|\n"
    )
    return head + "".join(
        f"| {METHODS[r['method']]} | {r['cpu_each']:.2f} | {r['ratio']:.1f} | {r['evaluations']:.0f} | "
        f"{r['within_1.001']:.0%} | {r['within_1.01']:.0%} | {r['ours_over_it']:.4f} | {r['ours_no_worse']:.0%} |\n"
        for r in rows
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", nargs="+", type=Path, required=True)
    parser.add_argument("--modes", nargs="+", default=["latent", "output"])
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
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
    text = ""
    for mode in options.modes:
        for folder in folders:
            files = [options.out / f"{folder.name}-{mode}-{method}.json" for method in METHODS]
            results = [read_json(file) for file in files if file.exists()]
            text += table(f"{folder.name}, {mode}", scored(results, len(paper_lambdas())))
    print(text)
    if options.docs:
        write_bytes(options.docs, text.lstrip().encode())


if __name__ == "__main__":
    main()
