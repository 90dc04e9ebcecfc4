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
    parser.add_argument("--iterations", type=int, default=1)
    parser.add_argument("--memory", type=float, default=1024, help="MiB that a call may take")
    parser.add_argument("--one", action="store_true", help="measure the first side and objective in this process")
    chosen = parser.parse_args()
    if chosen.one:
        print(measured(chosen.sides[0], chosen.objectives[0], chosen.iterations, chosen.memory * MIB))
        return
    print("| side | objective | a row, estimated | peak of a gradient | peak of the attack | s a gradient | s in all |")
    print("|---|---|---|---|---|---|---|")
    for side in chosen.sides:
        for objective in chosen.objectives:
            words = ["--one", "--sides", str(side), "--objectives", objective]
            words += ["--iterations", str(chosen.iterations), "--memory", str(chosen.memory)]
            environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"}  # what is freed is given back, and seen
            call = [sys.executable, __file__, *words]
            done = subprocess.run(call, stdout=subprocess.PIPE, text=True, check=True, env=environment)
            print(done.stdout.strip(), flush=True)


def measured(side: int, objective: str, iterations: int, memory: float) -> str:
    """A row of the table: MiB beside what the process had with the model loaded."""
    import torch

    import seatbelt_vae as sb
    from seatbelt_vae.attacks.evaluation.memory import bytes_per_row
    from seatbelt_vae.attacks.setup import prepare
    from seatbelt_vae.optim.problem import value_and_gradient

    torch.manual_seed(0)
    model = autoencoder()
    generator = torch.Generator().manual_seed(0)
    source, target = torch.rand(2, 1, 3, side, side, generator=generator)
    aim = {"latent": sb.Latent(), "output": sb.Output("l2")}[objective]

    start = time.perf_counter()
    problem = prepare(model, source, target, aim).problem
    row = bytes_per_row(problem.fun, problem.x0)
    before = reset_peak()
    began = time.perf_counter()
    value_and_gradient(problem.fun, problem.x0, torch.arange(1))
    gradient = time.perf_counter() - began
    of_gradient = peak() - before
    del problem

    before = reset_peak()
    sb.attack(model, source, target, aim, sb.Penalty([1.0]), sb.Cold(iterations), memory=memory)
    of_attack = peak() - before
    total = time.perf_counter() - start
    sizes = " | ".join(f"{size / MIB:,.0f} MiB" for size in (row, of_gradient, of_attack))
    return f"| {side}² | {objective} | {sizes} | {gradient:.1f} | {total:.0f} |"


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
