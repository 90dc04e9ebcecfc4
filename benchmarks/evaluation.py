"""What an evaluation costs, by how many images one call takes, by memory layout, and compiled.

    python benchmarks/evaluation.py [--compile] [--markdown FILE]

CPU milliseconds an image of a value and gradient of the latent attack's KL on untrained models, one thread: the least
of REPEATS interleaved measurements of 256 images each, as other processes share the caches. In brackets what the first
call took where the encoder is compiled, seconds.
"""

import argparse
import os
import resource
import time
from pathlib import Path

import torch

from seatbelt_vae.attacks.protocol import as_normal
from seatbelt_vae.attacks.setup import prepare
from seatbelt_vae.models import HierarchicalVAE, vae
from seatbelt_vae.optim import Problem
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compile", action="store_true", help="compile the encoder too, for 1×64×64")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
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
