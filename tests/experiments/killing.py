"""A process of its own that runs sweeps in forked children, and kills these with SIGKILL at chosen moments.

One import of torch serves them all, and a fork of a process with one thread is safe. A moment is a number of calls, of
Python and of C, or a number of calls that write, sync and rename files: the same seed kills at the same place. Prints
one JSON document: how many calls of either kind an undisturbed sweep makes, and what there was after each kill.
"""

import json
import os
import random
import signal
import sys
import tomllib
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

KILLS = 20
FILES = ("open", "write", "fsync", "chmod", "replace", "flock", "close")

SPEC = """
[data]
name = "{images}"
test = 0.4
[model]
name = "seatbelt"
latent_sizes = [[4], [4, 2]]
network = "tiny"
hidden_sizes = [8]
[objective]
beta = [1, 4]
[training]
steps = 6
batch_size = 16
seed = [0, 1, 2]
[evaluate]
measures = ["elbo"]
[attack]
pairs = 1
lambdas = [1.0]
max_iterations = 2
"""


def do_sweep(store: Path, images: str) -> None:
    from seatbelt_vae.experiments import Sweep, SweepSpec, run_sweep
    from seatbelt_vae.experiments.engines import InProcess

    spec = SweepSpec.of(tomllib.loads(SPEC.format(images=images)))
    run_sweep(Sweep.plan(spec, store, device="cpu", checkpoint_every=2, log_every=1), InProcess())


def child(work: Callable[[], None], die: dict[str, int] | None = None, say: int | None = None) -> int:
    """Fork, do the work, and die at the given call; tell the numbers of calls through a pipe."""
    process = os.fork()
    if process:
        return process
    calls = {"any": 0, "file": 0}

    def count(frame: object, event: str, argument: object) -> None:
        calls["any"] += 1
        if event.startswith("c_") and getattr(argument, "__name__", "") in FILES:
            calls["file"] += 1
        if die and any(calls[kind] == number for kind, number in die.items()):
            os.kill(os.getpid(), signal.SIGKILL)

    code = 1
    try:
        sys.setprofile(count)
        work()
        sys.setprofile(None)
        if say is not None:
            os.write(say, json.dumps(calls).encode())
        code = 0
    except BaseException:
        sys.setprofile(None)
        traceback.print_exc()
    finally:
        os._exit(code)


def end(process: int) -> int:
    """Wait for a child: its exit code, negative the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def count_calls(store: Path, images: str) -> dict[str, int]:
    reading, writing = os.pipe()
    assert end(child(lambda: do_sweep(store, images), say=writing)) == 0
    os.close(writing)
    return json.loads(os.read(reading, 999))


def wrong(store: Path) -> list[str]:
    """What the manifests say against the files: nothing, whenever it was."""
    from seatbelt_vae.experiments import verify

    if not list(store.glob("*/manifest.jsonl")):
        return []
    return [line for check in verify(store, rows=0) for line in check.wrong]


def kill_again_and_again(store: Path, images: str, calls: dict[str, int]) -> list[dict[str, Any]]:
    """Kill a sweep KILLS times, each time somewhere in the next tenth of it, then let it end."""
    drawn, found = random.Random(0), []
    for place in range(KILLS):
        kind = ("any", "file")[place % 2]
        die = {kind: 1 + drawn.randrange(calls[kind] // 10)}
        assert end(child(lambda: do_sweep(store, images), die)) == -signal.SIGKILL
        found.append(
            {
                "planned": len(list(store.glob("*/spec.json"))),
                "trained": len(list(store.glob("*/training.safetensors"))),
                "attacked": len(list(store.glob("*/attacks/*.assessment.safetensors"))),
                "torn": len(list(store.rglob(".*.*.*"))),
                "wrong": wrong(store),
            }
        )
    assert end(child(lambda: do_sweep(store, images))) == 0
    return found


def two_at_once(store: Path, images: str, log: Path) -> None:
    """Two sweeps on one store; every step of either is noted in the log."""
    from seatbelt_vae.training.update import Update

    update, file = Update.__call__, os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    def noted(this: Update, step: int, advice: str = "") -> object:
        objective = f"{this.settings.seed} {getattr(this.objective, 'beta', 1)} {len(this.model.latent_sizes)}"
        os.write(file, f"{os.getpid()} {objective} {step}\n".encode())
        return update(this, step, advice)

    Update.__call__ = noted  # type: ignore[method-assign, assignment]
    closed, gate = os.pipe()

    def start() -> None:
        os.close(gate)
        os.read(closed, 1)  # until the gate is closed here too: both start at once
        do_sweep(store, images)

    both = [child(start) for _ in range(2)]
    os.close(gate)
    assert [end(process) for process in both] == [0, 0]


def main(root: Path, images: str) -> None:
    import torch

    torch.set_num_threads(1)
    do_sweep(root / "undisturbed", images)  # here, so that what is imported on first use is not imported in every child
    calls = count_calls(root / "counted", images)
    kills = kill_again_and_again(root / "killed", images, calls)
    two_at_once(root / "both", images, root / "steps.log")
    print(json.dumps({"calls": calls, "kills": kills}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
