"""What does the runs of a command: options that are made from the resources of an engine."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seatbelt_vae.experiments.engines import Engine, Resources, check_resources, make_engine, threads


@dataclass(frozen=True)
class Workers(Resources):
    """An engine and its resources.

    Attributes:
        engine: in-process (one run after the other), local (several processes), slurm, or ray.
    """

    engine: str = "in-process"

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Workers":
        """Check what was given.

        Raises:
            InputError: an engine that there is not, or a resource that it does not take.
        """
        workers = cls(**given)
        check_resources(workers.engine, workers.resources)
        return workers

    @property
    def resources(self) -> Resources:
        """The resources alone."""
        settings = dict(vars(self))
        del settings["engine"]
        return Resources(**settings)

    def start(self, logs: Path) -> Engine:
        """Make the engine; its files go to `logs`."""
        return make_engine(self.engine, logs, self.resources)

    @property
    def threads(self) -> int | None:
        """Threads of torch for each worker; None for torch's own choice."""
        return threads(self.engine, self.resources)
