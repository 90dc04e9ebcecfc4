"""Jobs through submitit: processes of this machine, or a Slurm cluster.

What submitit pickles is the name of `perform` and its two paths; what it would unpickle of a result is not read.

References:
    https://github.com/facebookincubator/submitit
"""

import contextlib
import getpass
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from seatbelt_vae.errors import InputError, RunError, missing
from seatbelt_vae.experiments.engines.protocol import Job
from seatbelt_vae.experiments.tasks import perform

_LONG = 60 * 24 * 365  # minutes: processes of this machine have no time limit
_TIMEOUTS = 20  # how often Slurm's time limit may put a job back into the queue
_POLL = 0.1  # seconds
_TAIL = 2000  # characters of a log
_LOOK = 5.0  # seconds between two looks at Slurm's queue
_GRACE = 5.0  # seconds for the jobs that are stopped to save their state


class Resumed:
    """`perform`, with what submitit calls before Slurm takes the machine away: the same job is queued again."""

    def __call__(self, run: str, task: str) -> None:
        """Do a job."""
        perform(run, task)

    def checkpoint(self, run: str, task: str) -> Any:
        """Say what to queue: the run goes on from its last checkpoint."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self, run, task)


class Submitit:
    """An engine over an executor of submitit.

    Args:
        executor: the executor.
        slots: number of jobs at a time.
        log: file for what submitit's own processes say on stderr.
        place: parameters of the executor for the job in a slot, 0 to `slots` - 1.
        is_over: whether a job of submitit has ended.
    """

    def __init__(
        self,
        executor: Any,
        slots: int,
        log: Path,
        *,
        place: Callable[[int], dict[str, Any]] = lambda slot: {},
        is_over: Callable[[Any], bool] = lambda task: bool(task.done()),
    ) -> None:
        self.slots = slots
        self._executor = executor
        self._place = place
        self._log = log
        self._is_over = is_over
        self._jobs: dict[int, tuple[Job, Any]] = {}  # by slot

    def submit(self, job: Job) -> None:
        """Submit a job.

        Raises:
            RunError: the cluster refuses it.
        """
        slot = min(set(range(self.slots)) - set(self._jobs))
        self._executor.update_parameters(**self._place(slot))
        try:
            with _stderr_in(self._log):
                self._jobs[slot] = job, self._executor.submit(Resumed(), *job)
        except Exception as error:  # submitit's own, which says what sbatch said
            raise RunError(f"{job.run}: could not be submitted ({' '.join(str(error).split())})") from error

    def ended(self, timeout: float) -> list[tuple[Job, str]]:
        """Give the jobs that have ended since the last call, waiting up to `timeout` seconds."""
        until = time.monotonic() + timeout
        while True:
            over = [slot for slot, (_, task) in self._jobs.items() if self._is_over(task)]
            if over or time.monotonic() >= until:
                break
            time.sleep(_POLL)
        ended = []
        for slot in over:
            job, task = self._jobs.pop(slot)
            ended.append((job, _end_of(task.paths.stderr)))
        return ended

    def close(self) -> None:
        """Cancel the jobs that are at work, and wait a moment for them to save their state."""
        for _, task in self._jobs.values():
            task.cancel(check=False)
        until = time.monotonic() + _GRACE
        while self._jobs and time.monotonic() < until:
            self.ended(_POLL)


def local(logs: Path, workers: int, gpus: int | None) -> Submitit:
    """Make an engine of several processes on this machine.

    Args:
        logs: folder for submitit's files.
        workers: number of processes at a time.
        gpus: GPUs that each process sees, its own as long as there are enough; None for one where there are any.

    Raises:
        InputError: submitit is not installed, or there are fewer GPUs than that.
    """
    import torch

    there = torch.cuda.device_count()
    each = gpus
    if each is None:
        each = min(1, there)
    if each > there:
        raise InputError(f"--gpus: {each} for each worker are asked for, this machine has {there}")

    def place(slot: int) -> dict[str, Any]:
        first = slot * each
        mine = tuple(gpu % there for gpu in range(first, first + each))
        return {"gpus_per_node": each, "visible_gpus": mine}

    executor = _submitit().LocalExecutor(logs)
    executor.update_parameters(timeout_min=_LONG)
    return Submitit(executor, workers, logs / "submitit.log", place=place)


def slurm(logs: Path, workers: int, *, minutes: int, **resources: Any) -> Submitit:
    """Make an engine that gives each run to Slurm as a job of its own.

    A job that is preempted or out of time is queued again, and goes on from its last checkpoint. Store and package must
    be on a file system that all nodes share.

    Args:
        logs: folder for submitit's files, in the store.
        workers: number of jobs in the queue at a time.
        minutes: time limit of a job.
        resources: ``partition``, ``gpus_per_node``, ``cpus_per_task`` and ``mem`` of a job; None for the cluster's own.

    Raises:
        InputError: submitit is not installed, or this machine has no Slurm.
    """
    submitit = _submitit()
    if not submitit.SlurmExecutor.affinity() > 0:
        raise InputError("--engine slurm: there is no srun on this machine, start the sweep where sbatch works")
    executor = submitit.SlurmExecutor(logs, max_num_timeout=_TIMEOUTS)
    given = {name: value for name, value in resources.items() if value is not None}
    executor.update_parameters(job_name="seatbelt", time=minutes, **given)
    return Submitit(executor, workers, logs / "submitit.log", is_over=Queue().is_over)


class Queue:
    """Slurm's queue, looked at now and then.

    Submitit asks ``sacct``, which clusters without accounting lack, and there takes a job that was killed for one that
    still runs.
    """

    def __init__(self) -> None:
        self._ids: set[str] | None = None
        self._looked = -math.inf
        self._seen: dict[str, float] = {}

    def is_over(self, task: Any) -> bool:
        """Say whether a job has left its result, or has left the queue without one."""
        now = time.monotonic()
        asked = self._seen.setdefault(task.job_id, now)
        if task.paths.result_pickle.exists():
            return True
        if now - self._looked > _LOOK:
            self._ids, self._looked = _queued(), now
        return self._ids is not None and self._looked > asked + _LOOK and task.job_id not in self._ids


def _queued() -> set[str] | None:
    """The ids of this user's jobs that wait or run; None where Slurm does not answer."""
    words = ["squeue", "--noheader", "--format=%A", f"--user={getpass.getuser()}"]
    try:
        return set(subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout.split())
    except (OSError, subprocess.SubprocessError):
        return None


def _end_of(log: Path) -> str:
    """A log's name and its last lines."""
    try:
        return f"{log}: {log.read_text(errors='replace')[-_TAIL:]}"
    except OSError:
        return f"{log}: was not written"


def _submitit() -> Any:
    try:
        import submitit
    except ImportError as error:
        raise missing("--engine local or slurm", "submitit", "slurm") from error
    return submitit


@contextlib.contextmanager
def _stderr_in(log: Path) -> Iterator[None]:
    """Give processes that are started in the block a file as stderr: Ctrl-C reaches them too, and they would say so."""
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.flush()
    terminal = os.dup(2)
    try:
        with log.open("ab") as file:
            os.dup2(file.fileno(), 2)
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
