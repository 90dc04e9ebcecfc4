"""One run after the other, in this process."""

from seatbelt_vae.experiments.engines.protocol import Job
from seatbelt_vae.experiments.tasks import perform


class InProcess:
    """An engine that does a job as soon as it gets it."""

    slots = 1

    def __init__(self) -> None:
        self._ended: list[tuple[Job, str]] = []

    def submit(self, job: Job) -> None:
        """Do a job."""
        perform(*job)
        self._ended.append((job, ""))

    def ended(self, timeout: float) -> list[tuple[Job, str]]:
        """Give the jobs done since the last call."""
        ended, self._ended = self._ended, []
        return ended

    def close(self) -> None:
        """Nothing is left to stop."""
