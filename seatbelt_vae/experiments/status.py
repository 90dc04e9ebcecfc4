"""How far a run has come, told from its folder alone."""

from dataclasses import dataclass
from enum import StrEnum

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.lock import locked
from seatbelt_vae.experiments.store import RunFolder
from seatbelt_vae.experiments.tasks import Task, failure
from seatbelt_vae.training.history import FILE as HISTORY


class State(StrEnum):
    """What is happening to a run."""

    DONE = "done"
    RUNNING = "running"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    WAITING = "waiting"


@dataclass(frozen=True)
class Status:
    """How far a run has come.

    Attributes:
        state: see `State`.
        step: training steps done, by the last record of a run at work, by the last checkpoint of another.
        progress: share of the whole task that is done, from 0 to 1: training and each further part count the same.
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


def status(folder: RunFolder, task: Task) -> Status:
    """Tell how far a run has come.

    Args:
        folder: the run.
        task: what is to be done to it.
    """
    if found := failure(folder.path):
        return Status(State.FAILED, error=str(found["message"]))
    try:
        left = task.left(folder)
        step = folder.step
    except InputError:  # a damaged file: whoever takes the run up will say so
        return Status(_state(folder))
    if not left:
        return Status(State.DONE, step, 1.0)
    state = _state(folder)
    if state is State.RUNNING and folder.history:
        step = max(step, int(folder.history[-1]["step"]))
    parts = 1 + (task.evaluate is not None) + len(task.attacks)
    done = parts - len(left)
    if "training" in left:
        done += step / folder.spec.training.steps
    return Status(state, step, done / parts)


def _state(folder: RunFolder) -> State:
    if locked(folder.path):
        return State.RUNNING
    if (folder.path / HISTORY).exists():
        return State.INTERRUPTED
    return State.WAITING
