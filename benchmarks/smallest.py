"""Smallest norms on VAEs that other people trained: ours beside DDN, FMN, PGD, Adam, scipy and the path.

    python benchmarks/smallest.py --models MODELS --data DATA --out runs/smallest --docs benchmarks/smallest.md

MODELS holds the weights of github.com/YannDubs/disentangling-vae (MIT) as safetensors, DATA its images as npz.
Every solver looks for the smallest ‖d‖ with success 1/2 through the decoder, on the same pairs, and may spend 1000
evaluations of a function and its gradient on a pair. PGD, Adam and scipy have no smallest norm of their own: as in
AttackBench, ten of their runs of 100 evaluations close in on it by bisection, of the radius of a ball or of the
price of the distortion. Whatever point a solver evaluates counts if it reaches the level. `path` is the continuation
over few λ; `path-long` is it over 15 λ with as many evaluations as it wants, and serves as the f50 to be beaten.
One thread. A measurement is a file in OUT that is never made twice.
"""

import argparse
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from burgess import load
from smallest_tables import tables
from torch import Tensor, nn

from seatbelt_vae.attacks import DDN, FMN, Latent, MinimumNorm, Penalty, Shrinking, attack, reconstruct
from seatbelt_vae.attacks.evaluation.memory import within
from seatbelt_vae.attacks.setup import prepare
from seatbelt_vae.attacks.smallest import MARGIN
from seatbelt_vae.attacks.solvers import Continuation
from seatbelt_vae.attacks.success import Missing
from seatbelt_vae.metrics import attack_success, f50
from seatbelt_vae.optim import minimise_scipy
from seatbelt_vae.optim.ball import shrink
from seatbelt_vae.optim.levels import Levels, Search, directions
from seatbelt_vae.progress import progress_bar
from seatbelt_vae.storage import write_bytes, write_json

MODELS = {"VAE_chairs": "chairs_aubry_real100", "btcvae_celeba": "celeba64", "VAE_dsprites": "disvae_dsprites100"}
PAIRS, SEED, LEVEL = 10, 1, 0.5
ROUNDS, STEPS = 10, 100
FEW = tuple(2.0**k for k in (0, 3, 6, 9))
MANY = tuple(2.0**k for k in range(-4, 11))


class Counted:
    """A problem of all pairs whose every evaluated point is noted, 1000 a pair at most."""

    def __init__(self, model: nn.Module, source: Tensor, target: Tensor) -> None:
        problem, _ = within(prepare(model, source, target, Missing()).problem, 2**30)
        limits = torch.full((len(source), 1), 1 - LEVEL - MARGIN, dtype=torch.float64)
        self.levels = Levels.of(problem, limits)
        self.search = Search(self.levels, self.levels.everything)
        self.far = (target - source).flatten(1).norm(dim=1)


def pgd(problem: Counted) -> None:
    """Ten balls, each descended by 100 steps of falling length from the last end; bisection of the radius."""
    search, d = problem.search, problem.search.start
    low, high = torch.zeros_like(problem.far), problem.far
    for _ in range(ROUNDS):
        radius = (low + high) / 2
        reached = torch.zeros_like(radius, dtype=torch.bool)
        d = shrink(d, radius)
        for k in range(STEPS):
            excess, gradient = search.look(d)
            reached |= excess <= 0
            stride = radius * 10 ** (-2.0 * k / STEPS)
            d = search.box.clamp(shrink(d - stride[:, None] * directions(gradient), radius))
        low, high = torch.where(reached, low, radius), torch.where(reached, radius, high)


def penalised(problem: Counted, descend: Callable[[Tensor, Tensor], None]) -> None:
    """Ten prices of ‖d‖/‖x − x_t‖, the price bisected on a logarithmic scale, as Carlini & Wagner do."""
    low, high = torch.full_like(problem.far, -10.0), torch.full_like(problem.far, 6.0)
    for _ in range(ROUNDS):
        before = problem.search.norm.clone()
        reached = torch.zeros_like(problem.far, dtype=torch.bool)
        price = (low + high) / 2
        descend(2.0**price, reached)
        reached |= problem.search.norm < before
        low, high = torch.where(reached, price, low), torch.where(reached, high, price)


def adam(problem: Counted) -> None:
    """Projected Adam on 1 − s + price · ‖d‖/‖x − x_t‖."""

    def descend(price: Tensor, reached: Tensor) -> None:
        search, d = problem.search, problem.search.start
        m, v = torch.zeros_like(d), torch.zeros_like(d)
        for k in range(1, STEPS + 1):
            excess, gradient = search.look(d)
            reached |= excess <= 0
            g = gradient + (price / problem.far)[:, None] * directions(d)
            m, v = m.lerp(g, 0.1), v.lerp(g**2, 0.001)
            d = search.box.clamp(d - 0.01 * (m / (1 - 0.9**k)) / ((v / (1 - 0.999**k)).sqrt() + 1e-8))

    penalised(problem, descend)


def scipy(problem: Counted) -> None:
    """L-BFGS-B on the same function, a pair after the other."""
    search, levels = problem.search, problem.levels

    def descend(price: Tensor, reached: Tensor) -> None:
        def fun(d: Tensor, i: Tensor) -> Tensor:
            excess = levels.problem.fun(d, i) - levels.limits[i, 0].to(d)
            norm = torch.linalg.vector_norm(d, dim=1)
            kept = (excess <= 0).detach() & (norm.detach() < search.norm[i])
            search.norm[i] = torch.where(kept, norm.detach().double(), search.norm[i])
            reached[i] |= (excess <= 0).detach()
            search.evaluations[i] += 1
            return excess + price[i] * norm / problem.far[i]

        minimise_scipy(fun, search.start, search.box.lower, search.box.upper, max_iterations=STEPS // 2)

    penalised(problem, descend)


def ours(solver: Any) -> Callable[..., dict[str, Any]]:
    def measure(model: nn.Module, source: Tensor, target: Tensor) -> dict[str, Any]:
        found = attack(model, source, target, Latent(), MinimumNorm(LEVEL), solver)
        return {"norm": found.distortion[:, 0], "evaluations": found.evaluations[:, 0]}

    return measure


def written(solver: Callable[[Counted], None]) -> Callable[..., dict[str, Any]]:
    def measure(model: nn.Module, source: Tensor, target: Tensor) -> dict[str, Any]:
        problem = Counted(model, source, target)
        solver(problem)
        return {"norm": problem.search.norm, "evaluations": problem.search.evaluations}

    return measure


def path(lambdas: tuple[float, ...], iterations: int) -> Callable[..., dict[str, Any]]:
    def measure(model: nn.Module, source: Tensor, target: Tensor) -> dict[str, Any]:
        found = attack(model, source, target, Latent(), Penalty(lambdas), Continuation(max_iterations=iterations))
        images = reconstruct(model, found.adversarial.flatten(0, 1)).view_as(found.adversarial)
        success = attack_success(images, reconstruct(model, source), reconstruct(model, target), target)
        norm = found.distortion.masked_fill(success < LEVEL, torch.inf).amin(1)
        far = (target - source).flatten(1).norm(dim=1)
        halfway = f50(found.distortion / far[:, None], success.double())
        return {"norm": norm, "evaluations": found.evaluations.sum(1), "f50": halfway}

    return measure


SOLVERS = {
    "shrinking": ours(Shrinking()), "ddn": ours(DDN()), "fmn": ours(FMN()), "pgd": written(pgd),
    "adam": written(adam), "scipy": written(scipy), "path": path(FEW, 60), "path-long": path(MANY, 1000),
}  # fmt: skip


def pairs_of(data: Path) -> tuple[Tensor, Tensor]:
    """The pairs that every solver gets, (P, C, H, W) each."""
    images = np.load(data)["images"]
    chosen = np.random.default_rng(SEED).permutation(len(images))[: 2 * PAIRS]
    found = torch.tensor(images[chosen]).float() / (255 if images.dtype == np.uint8 else 1)
    if found.dim() == 3:
        found = found[:, None]
    if found.shape[1] not in (1, 3):
        found = found.movedim(-1, 1).contiguous()
    return found[:PAIRS], found[PAIRS:]


def measure(name: str, method: str, options: argparse.Namespace) -> None:
    """Run one solver on one model, and write what it found."""
    place = options.out / f"{name}-{method}.json"
    if place.exists():
        return
    model = load(options.models / f"{name}.safetensors")
    source, target = pairs_of(options.data / f"{MODELS[name]}.npz")
    far = (target - source).flatten(1).norm(dim=1)
    cpu = time.process_time()
    found = SOLVERS[method](model, source, target)
    cpu = time.process_time() - cpu
    document = {"model": name, "method": method, "cpu_seconds": cpu, "evaluations": found["evaluations"].tolist()}
    document["relative"] = numbers(found["norm"] / far)
    if "f50" in found:
        document["f50"] = numbers(found["f50"])
    write_json(place, document)


def numbers(values: Tensor) -> list[float | None]:
    """Numbers for JSON: nothing stands for infinity, where the level was not reached."""
    return [value if math.isfinite(value) else None for value in values.tolist()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, required=True, help="folder of weights")
    parser.add_argument("--data", type=Path, required=True, help="folder of images")
    parser.add_argument("--methods", nargs="*", default=list(SOLVERS), choices=list(SOLVERS), help="none: only print")
    parser.add_argument("--out", type=Path, required=True, help="folder of the results, one file a measurement")
    parser.add_argument("--docs", type=Path, help="Markdown file of the tables")
    options = parser.parse_args()
    torch.set_num_threads(1)
    jobs = [(name, method) for method in options.methods for name in MODELS]
    with progress_bar("Looking for small norms", total=len(jobs)) as advance:
        for name, method in jobs:
            measure(name, method, options)
            advance(note=f"{name} {method}")
    text = tables(list(MODELS), list(SOLVERS), options.out)
    print(text)
    if options.docs:
        write_bytes(options.docs, text.encode())


if __name__ == "__main__":
    main()
