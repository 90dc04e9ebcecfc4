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
from torch import nn

from seatbelt_vae.attacks import prepare
from seatbelt_vae.models import HierarchicalVAE, vae
from seatbelt_vae.optim.problem import value_and_gradient
from seatbelt_vae.storage import write_bytes

IMAGES, CHUNKS = 256, (8, 16, 32, 64, 128, 256)
SHAPES = ((1, 32, 32), (1, 64, 64), (3, 64, 64), (1, 128, 128))


class ChannelsLast(nn.Module):
    """A model whose convolutions store the channel innermost."""

    def __init__(self, model: HierarchicalVAE) -> None:
        super().__init__()
        self.model = model.to(memory_format=torch.channels_last)

    def encode(self, x, noise=None):
        return self.model.encode(x.contiguous(memory_format=torch.channels_last), noise)

    def decode(self, z):
        return self.model.decode(z)


class Compiled(ChannelsLast):
    """A model whose encoder is compiled, for any number of images."""

    def __init__(self, model: HierarchicalVAE) -> None:
        nn.Module.__init__(self)
        self.model, self.compiled = model, torch.compile(self.parameters_of, dynamic=True)

    def parameters_of(self, x):
        q = self.model.encode(x)[0]
        return q.loc, q.scale

    def encode(self, x, noise=None):
        return (torch.distributions.Normal(*self.compiled(x), validate_args=False),)


def cpu_seconds() -> float:
    """Of this process and of those it has waited for, the compiler's among them."""
    return time.process_time() + sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


def objective(shape: tuple[int, int, int], wrap: type[nn.Module] | None):
    torch.manual_seed(0)
    model = vae(shape, latent_sizes=(32,)).eval()
    source, target = torch.rand(2, IMAGES, *shape, generator=torch.Generator().manual_seed(0))
    return prepare(model if wrap is None else wrap(model), source, target)


def measure(shape: tuple[int, int, int], layouts: dict[str, type[nn.Module] | None], repeats: int) -> list[str]:
    rows, setups, first = torch.arange(IMAGES), {}, dict.fromkeys(layouts, 0.0)
    for name, wrap in layouts.items():
        started = cpu_seconds()
        setups[name] = objective(shape, wrap)
        value_and_gradient(setups[name].objective, setups[name].start, rows, 64)
        first[name] = cpu_seconds() - started
    least = {(name, chunk): float("inf") for name in layouts for chunk in CHUNKS}
    for _ in range(repeats):
        for name, chunk in least:
            started = time.process_time()
            value_and_gradient(setups[name].objective, setups[name].start, rows, chunk)
            least[name, chunk] = min(least[name, chunk], 1e3 * (time.process_time() - started) / IMAGES)
    return [
        f"| {'×'.join(map(str, shape))} | {name}{f' ({first[name]:.0f} s)' if name == 'compiled' else ''} | "
        + " | ".join(f"{least[name, chunk]:.3f}" for chunk in CHUNKS)
        + " |\n"
        for name in layouts
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compile", action="store_true", help="compile the encoder too, at 64×64 alone")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
    layouts: dict[str, type[nn.Module] | None] = {"as it is": None, "channels last": ChannelsLast}
    text = f"| image | encoder | {' | '.join(f'chunk {c}' for c in CHUNKS)} |\n" + "|---" * (2 + len(CHUNKS)) + "|\n"
    for shape in SHAPES:
        extra = {"compiled": Compiled} if options.compile and shape[1] == 64 else {}
        text += "".join(measure(shape, layouts | extra, options.repeats))
    print(text)
    if options.markdown:
        write_bytes(options.markdown, text.encode())


if __name__ == "__main__":
    main()
