"""What an accelerator does in at most ten minutes: training, a model at the paper's scale, attacks on it. One JSON.

    python benchmarks/gpu.py [--data chairs --path rendered_chairs] [--out gpu.json] [--tiny] [--device auto]

Runs as it is wherever there is a GPU, and on a CPU with --tiny. Seconds of the clock, the device waited for; medians.

- training: images a second of ours and of the floor, a bare loop on one batch that lies on the device.
- model: a Seatbelt-VAE of four layers, 50 epochs of 11 000 images (chairs where given, sprites else), fewer only if
  they would take longer than TRAINING seconds; its held-out ELBO.
- attacks on it: the paper's grid, 10 pairs × 51 λ; many pairs × six λ; scipy from cold starts on some problems of the
  grid. Their floor is the same evaluations again, in calls of the same size, with nothing in between.

What fails is noted in the JSON, and the rest goes on; the exit code is then 1.
"""

import argparse
import statistics
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from attacks import OBJECTIVES, cold, path
from torch import Tensor
from training import bare_steps, our_steps

from seatbelt_vae.attacks import paper_lambdas
from seatbelt_vae.attacks.setup import prepare
from seatbelt_vae.data import ImageDataset, load_dataset, pairs
from seatbelt_vae.experiments.environment import environment
from seatbelt_vae.models import HierarchicalVAE, seatbelt_vae, vae
from seatbelt_vae.objectives import ELBO, BetaTC
from seatbelt_vae.optim import Problem
from seatbelt_vae.optim.penalty import Family
from seatbelt_vae.optim.problem import value_and_gradient
from seatbelt_vae.storage import write_json
from seatbelt_vae.training import choose_device, train

TRAINING = 240
"""Seconds that the model may take."""
LATENTS = (96, 48, 24, 12)
PILOT = 5
"""Steps from which the time of a training is foretold."""


@dataclass(frozen=True)
class Scale:
    """How much is measured."""

    side: int = 64
    network: str = "conv"
    images: int = 11_000
    epochs: int = 50
    batches: tuple[int, ...] = (128, 1024)
    steps: int = 20
    repeats: int = 3
    precisions: tuple[str, ...] = ("float32", "bfloat16")
    pairs: int = 10
    many: int = 1000
    every: int = 1
    """Of the 51 λ of the paper, for the few pairs; of many pairs every tenth."""
    scipy: int = 6
    """Problems that scipy solves."""


TINY = Scale(
    side=32, network="tiny", images=64, epochs=1, batches=(8,), steps=1, repeats=1, pairs=2, many=3, every=25, scipy=1
)


def timed(work: Callable[[], Any], device: torch.device) -> tuple[float, Any]:
    """Seconds until the device is done, and what came of it."""
    wait(device)
    started = time.perf_counter()
    result = work()
    wait(device)
    return time.perf_counter() - started, result


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    if device.type == "mps":
        torch.mps.synchronize()


def model_of(scale: Scale, device: torch.device, latent_sizes: tuple[int, ...]) -> HierarchicalVAE:
    torch.manual_seed(0)
    factory = vae if len(latent_sizes) == 1 else seatbelt_vae
    return factory((1, scale.side, scale.side), latent_sizes, network=scale.network).to(device).train()


def training_row(scale: Scale, device: torch.device, precision: str, batch: int) -> dict[str, Any]:
    """Images a second of ours and of the floor, which take turns."""
    images = torch.randint(0, 256, (2 * batch, 1, scale.side, scale.side), dtype=torch.uint8)
    codes = {
        "ours": our_steps(model_of(scale, device, (10,)), images, batch, precision),
        "floor": bare_steps(model_of(scale, device, (10,)), images, batch, precision, fast=True),
    }
    seconds: dict[str, list[float]] = {name: [] for name in codes}
    for steps in codes.values():
        steps(1)  # the first is slow
    for _ in range(scale.repeats):
        for name, steps in codes.items():
            seconds[name].append(timed(lambda steps=steps: steps(scale.steps), device)[0])
    row: dict[str, Any] = {"precision": precision, "batch": batch}
    for name, times in seconds.items():
        row[f"{name}_images_per_second"] = scale.steps * batch / statistics.median(times)
    row["ours_over_floor"] = row["floor_images_per_second"] / row["ours_images_per_second"]
    return row


def training_table(scale: Scale, device: torch.device) -> list[dict[str, Any]]:
    return [training_row(scale, device, precision, batch) for precision in scale.precisions for batch in scale.batches]


def trained(scale: Scale, device: torch.device, images: ImageDataset) -> tuple[HierarchicalVAE, dict[str, Any]]:
    """A model of the paper's depth, and what its training took."""
    batch = min(scale.batches[-1], len(images))
    wanted = max(1, scale.epochs * scale.images // batch)
    settings = {"batch_size": batch, "device": str(device), "precision": "auto"}

    def fit(steps: int) -> HierarchicalVAE:
        return train(model_of(scale, device, LATENTS), images, BetaTC(beta=6.0), steps=steps, **settings).model

    seconds, _ = timed(lambda: fit(PILOT), device)
    steps = min(wanted, max(1, int(TRAINING * PILOT / seconds)))
    seconds, model = timed(lambda: fit(steps), device)
    rate = steps * batch / seconds
    return model, {"steps": steps, "steps_wanted": wanted, "seconds": seconds, "images_per_second": rate}


@torch.no_grad()
def held_out(model: HierarchicalVAE, images: ImageDataset, device: torch.device) -> float:
    x = images[torch.arange(min(1000, len(images)))].to(device)
    return float(ELBO()(model(x), x, len(images)).elbo.mean())


class Recorder:
    """A function that notes how many rows each evaluation with a gradient has."""

    def __init__(self, function: Callable[..., Tensor]) -> None:
        self.function, self.calls = function, []

    def __call__(self, d: Tensor, *more: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            self.calls.append(len(d))
        return self.function(d, *more)


def recorded(problem: Problem) -> tuple[Problem, Recorder]:
    """The same problem, listened to: solvers take the smoothed function where there is one."""
    if problem.smoothed is None:
        recorder = Recorder(problem.fun)
        return replace(problem, fun=recorder), recorder
    recorder = Recorder(problem.smoothed)
    return replace(problem, smoothed=recorder), recorder


def repeated(problem: Problem, calls: list[int]) -> None:
    """The evaluations of an attack without the attack."""

    def plain(d: Tensor, rows: Tensor) -> Tensor:
        if problem.smoothed is None:
            return problem.fun(d, rows)
        return problem.smoothed(d, rows, torch.zeros(len(d), device=d.device))

    for count in calls:
        rows = torch.arange(count, device=problem.x0.device) % len(problem.x0)
        value_and_gradient(plain, problem.x0[rows], rows)


def attacked(problem: Problem, lambdas: Tensor, device: torch.device) -> dict[str, Any]:
    """Ours on all rows of a problem, and its floor."""
    heard, recorder = recorded(problem)
    repeated(problem, [1])  # the first is slow
    family = Family.of(heard, lambdas.double(), squared=False)
    seconds, answer = timed(lambda: path(family, torch.arange(0)), device)
    floor, _ = timed(lambda: repeated(problem, recorder.calls), device)
    return {
        "pairs": len(problem.x0),
        "lambdas": len(lambdas),
        "seconds": seconds,
        "floor_seconds": floor,
        "over_floor": seconds / floor,
        "evaluations": answer.evaluations,
        "calls": len(recorder.calls),
        "mean_value": float(answer.value.mean()),
    }


def by_scipy(problem: Problem, lambdas: Tensor, count: int, device: torch.device) -> dict[str, Any]:
    """Cold starts on a part of the grid."""
    family = Family.of(problem, lambdas.double(), squared=False)
    index = torch.linspace(0, family.count - 1, count).long().to(device)
    seconds, answer = timed(lambda: cold(family, index), device)
    return {"problems": count, "seconds": seconds, "evaluations": answer.evaluations}


def attack_table(scale: Scale, model: HierarchicalVAE, images: ImageDataset, device: torch.device) -> dict[str, Any]:
    """The paper's grid, many pairs, and scipy on a part of the grid."""
    grid = paper_lambdas()[:: scale.every]
    problems = []
    for count in (scale.pairs, scale.many):
        drawn = pairs(images, count, 0)
        problems.append(prepare(model, drawn.source, drawn.target, OBJECTIVES["latent"]).problem)
    few, many = problems
    ours = attacked(few, grid, device)
    scipy = by_scipy(few, grid, scale.scipy, device)
    each, our_each = scipy["seconds"] / scipy["problems"], ours["seconds"] / (ours["pairs"] * ours["lambdas"])
    return {
        "paper_grid": ours,
        "many_pairs": attacked(many, grid[::10], device),
        "scipy": scipy,
        "scipy_over_ours": each / our_each,
    }


def run(scale: Scale, device: torch.device, data: dict[str, Any], out: Path) -> int:
    """Measure section after section; 1 where one failed."""
    started = time.perf_counter()
    document: dict[str, Any] = {"environment": environment(device), "scale": vars(scale), "data": data["name"]}

    def section(name: str, work: Callable[[], Any]) -> None:
        try:
            document[name] = work()
        except Exception as error:
            traceback.print_exc()
            document[name] = {"failed": repr(error)}
            document["failed"] = True
        document["seconds"] = time.perf_counter() - started
        if device.type == "cuda":
            document["peak_gib"] = torch.cuda.max_memory_allocated(device) / 2**30
        write_json(out, document)
        print(f"{document['seconds']:6.1f} s  {name}: {document[name]}", flush=True)

    model = model_of(scale, device, LATENTS).eval()  # untrained, where its training fails

    def fit() -> dict[str, Any]:
        nonlocal model
        model, found = trained(scale, device, split.train)
        return {**found, "elbo": held_out(model, split.test, device)}

    options = {key: value for key, value in data.items() if key != "name" and value is not None}
    images = load_dataset(data["name"], size=scale.side, count=round(scale.images / 0.9), **options)
    split = images.split(test=0.1)
    section("training", lambda: training_table(scale, device))
    section("model", fit)
    section("attacks", lambda: attack_table(scale, model, split.test, device))
    return int(document.get("failed", False))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="sprites", help="name or path of the images")
    parser.add_argument("--path", help="where they lie, if an original's name is given")
    parser.add_argument("--out", type=Path, default=Path("gpu.json"))
    parser.add_argument("--device", default="auto")
    parser.add_argument("--tiny", action="store_true", help="seconds on a CPU: that the way works")
    options = parser.parse_args(arguments)
    scale = TINY if options.tiny else Scale()
    return run(scale, choose_device(options.device), {"name": options.data, "path": options.path}, options.out)


if __name__ == "__main__":
    sys.exit(main())
