"""How often a training by two processes aborts: started again and again, with Ctrl-C now and then.

    python benchmarks/launches.py [--launches 50]

Every launch is ``torchrun --nproc-per-node 2 -m seatbelt_vae train`` of a tiny model. Every fifth is ended by SIGTERM in
the midst and resumed. It has to end with 0 (with its signal, where it was ended), with nothing on stderr that speaks of
an abort, and with the weights of the first launch, to the bit. Prints how many did not.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from seatbelt_vae.progress import progress_bar
from seatbelt_vae.storage import read_tensors

TRAIN = """train --model seatbelt --latent-sizes 4,2 --network conv --data sprites --size 32 --count 64 --steps 40
--batch-size 16 --device cpu --checkpoint-every 1"""
ABORTS = ("Aborted", "terminate called", "Segmentation", "core dumped", "Traceback", "Signal 6", "Signal 11")
PATIENCE = 600
TERMINATED_EVERY = 5


def launch(words: list[str], end_early: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Start two processes, and end them as soon as a file is there, if one is given."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "seatbelt_vae", *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    if end_early is not None:
        while not end_early.exists() and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=PATIENCE)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def fault(number: int, root: Path) -> str:
    """What went wrong with a launch; nothing where all is well."""
    folder = root / str(number)
    words = [*TRAIN.split(), "--out", str(folder)]
    if number % TERMINATED_EVERY == TERMINATED_EVERY - 1:
        ended = launch(words, folder / "training.safetensors")
        if "stopped at step" not in ended.stderr:
            return f"lost by SIGTERM: {ended.stderr[-500:]}"
    done = launch(words)
    seen = [word for word in ABORTS if word in done.stderr]
    if done.returncode or seen:
        return f"code {done.returncode}, {seen}: {done.stderr[-500:]}"
    whole, found = (read_tensors(root / name / "model.safetensors") for name in ("0", str(number)))
    if any(not bool((whole[name] == found[name]).all()) for name in whole):
        return "other weights"
    return ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--launches", type=int, default=50)
    launches = parser.parse_args().launches
    faults = 0
    with tempfile.TemporaryDirectory() as root, progress_bar("Launching", launches) as advance:
        for number in range(launches):
            found = fault(number, Path(root))
            faults += bool(found)
            if found:
                print(f"launch {number}: {found}", file=sys.stderr)
            advance(note=f"{faults} faults")
    print(f"{launches} launches, {faults} faults")
    sys.exit(faults > 0)


if __name__ == "__main__":
    main()
