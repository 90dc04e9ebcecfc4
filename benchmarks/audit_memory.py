"""Time and memory of attacks on a large autoencoder of others: an AutoencoderKL with Stable Diffusion's 84 million
parameters, random weights. A process for each size and objective, so that a peak is its own.

    pip install '.[adapters]' && python benchmarks/audit_memory.py --sides 64 256 512
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

BLOCKS = (128, 256, 512, 512)
MIB = 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sides", type=int, nargs="+", default=[64, 256, 512])
    parser.add_argument("--objectives", nargs="+", default=["latent", "output"], choices=["latent", "output"])
    parser.add_argument("--iterations", type=int, default=0, help="of an attack on one pair, too; 0 for none")
    parser.add_argument("--memory", type=float, default=1024, help="MiB that a call may take")
    parser.add_argument("--one", action="store_true", help="measure the first side and objective in this process")
    chosen = parser.parse_args()
    if chosen.one:
        print(measured(chosen.sides[0], chosen.objectives[0], chosen.iterations, chosen.memory * MIB))
        return
    heading = ["side", "objective", "estimated, MiB", "peak of a gradient, MiB", "CPU seconds"]
    if chosen.iterations:
        heading += ["peak of an attack, MiB", "CPU seconds"]
    print(f"| {' | '.join(heading)} |\n|{'---|' * len(heading)}")
    for side in chosen.sides:
        for objective in chosen.objectives:
            words = ["--one", "--sides", str(side), "--objectives", objective]
            words += ["--iterations", str(chosen.iterations), "--memory", str(chosen.memory)]
            environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "1048576"}  # what is freed is given back, and seen
            call = [sys.executable, __file__, *words]
            done = subprocess.run(call, stdout=subprocess.PIPE, text=True, check=True, env=environment)
            print(done.stdout.strip(), flush=True)


def measured(side: int, objective: str, iterations: int, memory: float) -> str:
    """A row of the table: memory beside what the process had with the model loaded."""
    import torch

    import seatbelt_vae as sb
    from seatbelt_vae.attacks.evaluation.copies import plain_copy
    from seatbelt_vae.attacks.evaluation.memory import bytes_per_row
    from seatbelt_vae.attacks.noise import Noise
    from seatbelt_vae.optim.problem import value_and_gradient

    torch.manual_seed(0)
    model = autoencoder()
    generator = torch.Generator().manual_seed(0)
    source, target = torch.rand(2, 1, 3, side, side, generator=generator)
    aim = {"latent": sb.Latent(), "output": sb.Output("l2")}[objective]
    copied = plain_copy(model)
    fun = aim.resolved(1, "all").pose(copied, source, target, Noise())
    start = torch.zeros(1, source.numel())
    row = bytes_per_row(fun, start)
    before = reset_peak()
    began = time.process_time()
    value_and_gradient(fun, start, torch.arange(1))
    seconds = time.process_time() - began
    cells = [f"{side}²", objective, mib(row), mib(peak() - before), f"{seconds:.1f}"]
    if iterations:
        del copied, fun
        before = reset_peak()
        began = time.process_time()
        sb.attack(model, source, target, aim, sb.Penalty([1.0]), sb.Cold(iterations), memory=memory)
        cells += [mib(peak() - before), f"{time.process_time() - began:.0f}"]
    return f"| {' | '.join(cells)} |"


def mib(size: float) -> str:
    return f"{size / MIB:,.0f}"


def autoencoder():
    """Stable Diffusion's autoencoder, untrained, wrapped."""
    from diffusers import AutoencoderKL

    from seatbelt_vae.adapters.diffusers import autoencoder_kl

    model = AutoencoderKL(
        block_out_channels=BLOCKS,
        down_block_types=("DownEncoderBlock2D",) * len(BLOCKS),
        up_block_types=("UpDecoderBlock2D",) * len(BLOCKS),
        layers_per_block=2,
    )
    return autoencoder_kl(model.eval())


def reset_peak() -> int:
    """Forget the highest resident memory so far (Linux); what is resident now, in bytes."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def peak() -> int:
    """The highest resident memory since, in bytes."""
    return _status("VmHWM")


def _status(name: str) -> int:
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name)]
    return 1024 * int(line.split()[1])


if __name__ == "__main__":
    main()
