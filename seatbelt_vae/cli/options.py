"""Options that several commands share."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from seatbelt_vae.experiments.engines import Resources

Json = Annotated[bool, Parameter(name="--json")]
"""One JSON document on stdout and nothing else there."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class EngineOptions:
    """What does the runs of a command.

    Attributes:
        engine: in-process (one run after the other), local (several processes), slurm, or ray.
        workers: Runs at a time: local: as many as there are cores; slurm: 64; ray: as many as the cluster takes.
        gpus: GPUs of each worker; local: one, as far as there are any.
        cpus: Cores of each worker (slurm, ray).
        memory: Memory of each worker in GB (slurm).
        time: Time limit of a job in minutes (slurm: 240); a job that reaches it is queued again and goes on.
        partition: Partition of the cluster (slurm).
        address: Address of the cluster (ray), such as auto; a cluster on this machine by default.
    """

    engine: str = "in-process"
    workers: int | None = None
    gpus: int | None = None
    cpus: int | None = None
    memory: float | None = None
    time: int | None = None
    partition: str | None = None
    address: str | None = None

    def resources(self) -> Resources:
        """What its workers need.

        Raises:
            InputError: an engine that there is not, or an option that it does not take.
        """
        from seatbelt_vae.experiments.engines import Resources, check_resources

        found = Resources(**{field.name: getattr(self, field.name) for field in fields(Resources)})
        check_resources(self.engine, found)
        return found


def numbers(text: str, option: str) -> list[float]:
    """Read numbers separated by commas.

    Raises:
        InputError: one of them is no number.

    Example:
        >>> numbers("0,1,2.5", "--lambdas")
        [0.0, 1.0, 2.5]
    """
    from seatbelt_vae.errors import InputError

    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise InputError(f"{option}: {text!r} is not a list of numbers, write them as 0,1,2.5") from error
