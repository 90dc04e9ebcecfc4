"""How often a training by two processes aborts: started again and again, and ended in the midst now and then.

    python benchmarks/launches.py [--launches 50]

A launch is two processes that run ``seatbelt train`` of a tiny model, with what ``torchrun`` tells its processes; they
are forks of this one, which has imported for all, and end as any interpreter does. In every fifth launch SIGTERM
comes to one of them, and they go on in a second pair. Every process has to end with 0 (or 143 after SIGTERM), and the
weights have to be those of the first launch, to the bit. Prints how many launches did otherwise.
"""

import argparse
import os
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path

import torch

from seatbelt_vae.cli import main as seatbelt
from seatbelt_vae.storage import read_tensors

TRAIN = """train --model seatbelt --latent-sizes 4,2 --network tiny --data sprites --size 32 --count 64 --steps 5
--batch-size 16 --device cpu --checkpoint-every 1"""
TERMINATED_EVERY = 5
DONE, ENDED_BY_SIGTERM = 0, 143


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start(words: list[str], rank: int, port: int) -> int:
    """Fork a process; the child leaves through the interpreter's own exit, where aborts have been seen."""
    child = os.fork()
    if child:
        return child
    settings = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in settings.items()})
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(seatbelt(words))


def launch(words: list[str], end_when: Path | None = None) -> list[int]:
    """The exit codes of two processes; SIGTERM comes to the second as soon as a file is there."""
    port = free_port()
    children = [start(words, rank, port) for rank in range(2)]
    if end_when is not None:
        while not end_when.exists():
            time.sleep(0.1)
        os.kill(children[1], signal.SIGTERM)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def fault(number: int, root: Path) -> str:
    """What went wrong with a launch; nothing where all is well."""
    folder = root / str(number)
    words = [*TRAIN.split(), "--out", str(folder)]
    if number % TERMINATED_EVERY == TERMINATED_EVERY - 1:
        codes = launch(words, folder / "training.safetensors")
        if not set(codes) <= {DONE, ENDED_BY_SIGTERM}:  # it may come too late
            return f"codes {codes} after SIGTERM"
    codes = launch(words)
    if codes != [0, 0]:
        return f"codes {codes}"
    first, found = (read_tensors(root / name / "model.safetensors") for name in ("0", str(number)))
    if not all(torch.equal(first[name], found[name]) for name in first):
        return "other weights than the first launch"
    return ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--launches", type=int, default=50)
    launches = parser.parse_args().launches
    root = Path(tempfile.mkdtemp())  # no context manager: a child would delete it
    seatbelt([*TRAIN.split(), "--out", str(root / "alone")])  # imports for all what a command needs
    faults = 0
    for number in range(launches):
        found = fault(number, root)
        faults += bool(found)
        if found:
            print(f"launch {number}: {found}", flush=True)
    print(f"{launches} launches, {faults} faults; files in {root}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
