"""Records of a training for other programs, as they are made; ``metrics.jsonl`` has them anyway."""

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from seatbelt_vae.errors import InputError, missing
from seatbelt_vae.settings import near, shown
from seatbelt_vae.training.history import Hook, Record


@contextmanager
def tensorboard(folder: Path, step: int) -> Iterator[Hook]:
    """Write records to ``tensorboard`` in a run's folder.

    Args:
        folder: the run's.
        step: where the run goes on. Readers pass over what a sitting before wrote of later steps.
    """
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(folder / "tensorboard", purge_step=step + 1) as writer:

        def write(record: Record) -> None:
            for name, value in record.items():
                if name != "step" and value is not None:
                    writer.add_scalar(name, value, record["step"])

        yield write


LOGS: dict[str, Callable[[Path, int], AbstractContextManager[Hook]]] = {"tensorboard": tensorboard}
"""Where records go, by the name that ``--log`` takes; each needs the library of its name."""


def logging_to(name: str | None, folder: Path, step: int) -> AbstractContextManager[Hook | None]:
    """Open a log of a run; nothing without a name."""
    if name is None:
        return nullcontext()
    return LOGS[name](folder, step)


def check_log(name: str | None) -> None:
    """Refuse a log that is unknown, or whose library is missing, before anything is done.

    Raises:
        InputError: it is.
    """
    if name is None:
        return
    if name not in LOGS:
        raise InputError(f"log: {shown(name)} is unknown{near(name, LOGS)}, use one of {', '.join(LOGS)}")
    if importlib.util.find_spec(name) is None:
        raise missing("log", name, "log")
