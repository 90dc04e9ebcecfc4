"""Runs cases in forked processes with limits of memory and time: a case that dies or hangs is a hole, not the end.

The process that calls this imports torch once; a fork costs 20 ms.
"""

import json
import os
import resource
import selectors
import shutil
import signal
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tests.torture.outcome import Kind, Outcome, Row, hole

MEMORY = 2**31
"""Bytes that a case may take beyond what the process has from the beginning."""


@dataclass
class Worker:
    """A forked process and the cases that it still has to do."""

    process: int
    pipe: int
    left: list[int]
    since: float
    text: bytes = b""


def run(kind: Kind, numbers: Sequence[int], seed: int, root: Path, workers: int) -> Row:
    """Do cases of a kind."""
    started = cpu()
    common = root / kind.name.replace(" ", "-")
    common.mkdir(parents=True)
    prepared = kind.prepare(common)
    outcomes: dict[int, Outcome] = {}
    queues = [list(numbers[place::workers]) for place in range(workers)]
    with selectors.DefaultSelector() as selector:
        for queue in filter(None, queues):
            start(selector, kind, prepared, queue, seed, root)
        while selector.get_map():
            for key, _ in selector.select(timeout=0.5):
                read(selector, key.data, outcomes)
            for each in list(selector.get_map().values()):
                worker: Worker = each.data
                if time.monotonic() - worker.since > kind.seconds:
                    os.killpg(worker.process, signal.SIGKILL)
            for each in list(selector.get_map().values()):
                if ended(selector, each.data, outcomes, kind, root) and each.data.left:
                    start(selector, kind, prepared, each.data.left, seed, root)
    shutil.rmtree(common, ignore_errors=True)
    return Row(kind, outcomes, cpu() - started)


def cpu() -> float:
    """Seconds of CPU that this process and the ended ones it started have had."""
    return sum(os.times()[:4])


def start(
    selector: selectors.BaseSelector, kind: Kind, prepared: Any, numbers: list[int], seed: int, root: Path
) -> None:
    """Fork a worker for some cases."""
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        try:
            work(kind, prepared, numbers, seed, root, writing)
        finally:
            os._exit(0)
    os.close(writing)
    os.set_blocking(reading, False)
    selector.register(reading, selectors.EVENT_READ, Worker(process, reading, numbers, time.monotonic()))


def work(kind: Kind, prepared: Any, numbers: list[int], seed: int, root: Path, pipe: int) -> None:
    """What a worker does: case after case, a line for each."""
    os.setsid()  # whatever it starts is ended with it
    home = home_of(os.getpid(), root)
    for number in numbers:
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        os.chdir(home)
        limit()
        try:
            outcome = kind.case(prepared, number, Random(f"{seed} {kind.name} {number}"), home)
        except BaseException:
            outcome = hole(traceback.format_exc())
        os.write(pipe, outcome.line)
    shutil.rmtree(home, ignore_errors=True)


def home_of(process: int, root: Path) -> Path:
    """The folder of a worker."""
    return root / f"worker-{process}"


def limit() -> None:
    """Limit memory: what the process has, and `MEMORY` more. `without_limit` lifts that."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEMORY
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def without_limit() -> None:
    """Lift the limit of memory for the rest of a case: V8, which draws charts, reserves more than it uses."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def read(selector: selectors.BaseSelector, worker: Worker, outcomes: dict[int, Outcome]) -> None:
    """Take the lines that a worker has written."""
    try:
        worker.text += os.read(worker.pipe, 1 << 20)
    except BlockingIOError:
        return
    *lines, worker.text = worker.text.split(b"\n")
    for line in lines:
        outcomes[worker.left.pop(0)] = Outcome(**json.loads(line))
        worker.since = time.monotonic()


def ended(
    selector: selectors.BaseSelector, worker: Worker, outcomes: dict[int, Outcome], kind: Kind, root: Path
) -> bool:
    """Whether a worker has ended; if it was in the midst of a case, that is a hole."""
    process, status = os.waitpid(worker.process, os.WNOHANG)
    if not process:
        return False
    read(selector, worker, outcomes)
    selector.unregister(worker.pipe)
    os.close(worker.pipe)
    shutil.rmtree(home_of(worker.process, root), ignore_errors=True)
    if worker.left:
        code = os.waitstatus_to_exitcode(status)
        reason = f"the process ended with {code}"
        if time.monotonic() - worker.since > kind.seconds:
            reason = f"not done after {kind.seconds:g} s"
        outcomes[worker.left.pop(0)] = hole(reason)
    return True
