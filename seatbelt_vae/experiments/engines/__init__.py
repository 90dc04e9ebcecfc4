"""Engines: where the runs of a sweep are done. Existing schedulers behind one small interface."""

import os
from dataclasses import dataclass, fields
from pathlib import Path

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.engines.in_process import InProcess
from seatbelt_vae.experiments.engines.protocol import Engine, Job

__all__ = ["ENGINES", "Engine", "InProcess", "Job", "Resources", "check_resources", "make_engine", "threads"]

ENGINES = {
    "in-process": (),
    "local": ("workers", "gpus"),
    "slurm": ("workers", "gpus", "cpus", "memory", "time", "partition"),
    "ray": ("workers", "gpus", "cpus", "address"),
}
"""Engines by name, and which of `Resources` each takes."""

_MANY = 64  # jobs in Slurm's queue at a time
_MINUTES = 240  # its time limit for each


@dataclass(frozen=True)
class Resources:
    """What jobs may use; None for the engine's own choice.

    Attributes:
        workers: number of jobs at a time.
        gpus: GPUs of each.
        cpus: cores of each.
        memory: of each, in GB.
        time: limit of each, in minutes.
        partition: of the cluster.
        address: of the cluster.
    """

    workers: int | None = None
    gpus: int | None = None
    cpus: int | None = None
    memory: float | None = None
    time: int | None = None
    partition: str | None = None
    address: str | None = None

    @property
    def megabytes(self) -> str | None:
        """The memory as Slurm takes it."""
        if self.memory is None:
            return None
        return f"{max(1, round(self.memory * 1024))}M"


def make_engine(name: str, logs: Path, resources: Resources) -> Engine:
    """Make an engine by its name.

    Args:
        name: one of `ENGINES`.
        logs: folder for its files.
        resources: what its jobs may use.

    Raises:
        InputError: the name is unknown, a resource means nothing to it or is out of range, or its library is missing.
        RunError: its cluster does not answer.

    Example:
        >>> make_engine("in-process", Path("logs"), Resources()).slots
        1
    """
    check_resources(name, resources)
    workers = resources.workers
    if name == "local":
        from seatbelt_vae.experiments.engines.submitit import local

        return local(logs, workers or _cores(), resources.gpus)
    if name == "slurm":
        from seatbelt_vae.experiments.engines.submitit import slurm

        return slurm(
            logs,
            workers or _MANY,
            minutes=resources.time or _MINUTES,
            partition=resources.partition,
            gpus_per_node=resources.gpus,
            cpus_per_task=resources.cpus,
            mem=resources.megabytes,
        )
    if name == "ray":
        from seatbelt_vae.experiments.engines.ray import Ray

        return Ray(resources.address, workers, resources.cpus or 1, resources.gpus or 0)
    return InProcess()


def threads(name: str, resources: Resources) -> int | None:
    """Give the threads of torch for each worker of an engine; None for torch's own choice.

    Workers of one machine share its cores; a cluster's scheduler has its own say.
    """
    if name != "local" or "OMP_NUM_THREADS" in os.environ:
        return None
    return max(1, _cores() // (resources.workers or _cores()))


def _cores() -> int:
    return os.cpu_count() or 1


def check_resources(name: str, resources: Resources) -> None:
    """Refuse what `make_engine` would refuse without a look at libraries and clusters.

    Raises:
        InputError: the name is unknown, or a resource means nothing to it or is out of range.
    """
    if name not in ENGINES:
        raise InputError(f"--engine: {name!r} is unknown, use one of {', '.join(ENGINES)}")
    for field in fields(resources):
        value = getattr(resources, field.name)
        if value is None:
            continue
        if field.name not in ENGINES[name]:
            takers = [engine for engine, taken in ENGINES.items() if field.name in taken]
            raise InputError(f"--{field.name}: means nothing to the engine {name}, only to {', '.join(takers)}")
        if not isinstance(value, str) and (value < 0 or (value == 0 and field.name != "gpus")):
            raise InputError(f"--{field.name}: {value} is out of range, use a number above 0")
