"""Where a run stands, told from its folder alone."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.claim import claimed
from seatbelt_vae.experiments.store import RunFolder
from seatbelt_vae.experiments.work import Work, failure
from seatbelt_vae.training.history import FILE as HISTORY


class State(StrEnum):
    """How far a run has come."""

    DONE = "done"
    RUNNING = "running"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    WAITING = "waiting"


@dataclass(frozen=True)
class Standing:
    """Where a run stands.

    Attributes:
        state: see `State`.
        step: training steps done, by the last record of a run at work, by the last checkpoint of another.
        progress: share of the whole work that is done, from 0 to 1: the training and each further part count the same.
        error: why it failed, one line.
    """

    state: State
    step: int = 0
    progress: float = 0.0
    error: str = ""

    @property
    def settled(self) -> bool:
        """Whether nothing will be done to it without being asked for."""
        return self.state in (State.DONE, State.FAILED)


def standing(folder: RunFolder, work: Work) -> Standing:
    """Tell where a run stands.

    Args:
        folder: the run.
        work: what is to be done to it.
    """
    if found := failure(folder.path):
        return Standing(State.FAILED, error=str(found["message"]))
    try:
        left, step = work.left(folder), folder.step
    except InputError:  # a damaged file: whoever takes the run up will say so
        return Standing(State.RUNNING if claimed(folder.path) else State.WAITING)
    if not left:
        return Standing(State.DONE, step, 1.0)
    running = claimed(folder.path)
    if running and folder.history:
        step = max(step, int(folder.history[-1]["step"]))
    parts = 1 + (work.evaluate is not None) + len(work.attacks)
    trained = step / folder.spec.training.steps if "training" in left else 1.0
    progress = (trained + parts - 1 - len([part for part in left if part != "training"])) / parts
    if running:
        return Standing(State.RUNNING, step, progress)
    return Standing(State.INTERRUPTED if _begun(folder.path) else State.WAITING, step, progress)


def _begun(path: Path) -> bool:
    return (path / HISTORY).exists()
