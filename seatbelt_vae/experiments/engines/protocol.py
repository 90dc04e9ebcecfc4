"""What a sweep asks of whatever does its runs."""

from typing import NamedTuple, Protocol


class Job(NamedTuple):
    """One run to be worked on: two paths, the arguments of `seatbelt_vae.experiments.tasks.perform`.

    Attributes:
        run: the run's folder.
        task: the file that says what is to be done to it.
    """

    run: str
    task: str


class Engine(Protocol):
    """Does jobs somewhere: each is `perform` of its paths, in a process that sees the store.

    An engine needs to tell only that a job has ended, not how: that is read from the run's folder.
    """

    @property
    def slots(self) -> int:
        """Number of jobs that it is worth giving at a time."""

    def submit(self, job: Job) -> None:
        """Take a job on.

        Raises:
            RunError: it cannot be taken on.
        """

    def ended(self, timeout: float) -> list[tuple[Job, str]]:
        """Give the jobs that have ended since the last call, waiting for one up to `timeout` seconds.

        Returns:
            Each job with what may help to find out why, if it ended early.
        """

    def close(self) -> None:
        """Stop the jobs that are at work, and let go of everything."""
