"""Ctrl-C and what schedulers send: held back until what is being done is whole. A second one takes effect at once."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = ("SIGINT", "SIGTERM", "SIGUSR1")
"""Ctrl-C; what a scheduler sends to end a job; what Slurm sends before it takes the machine away."""

Interrupted = Callable[[], KeyboardInterrupt | None]


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGUSR1; to be treated as Ctrl-C.

    Args:
        number: of the signal; a command exits with 128 + this.
        message: how to go on.

    Example:
        >>> Terminated(15, "stopped at step 3").number
        15
    """

    def __init__(self, number: int, message: str = "") -> None:
        super().__init__(message)
        self.number = int(number)


@contextmanager
def handled(handler: "signal._HANDLER") -> Iterator[None]:
    """Handle the signals while the block runs, but for those that are ignored. Only the main thread gets any."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        for name in SIGNALS:
            number = getattr(signal, name, None)  # Windows has no SIGUSR1
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:
                before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


@contextmanager
def held_interrupt() -> Iterator[Interrupted]:
    """Hold back the first Ctrl-C, SIGTERM or SIGUSR1 while the block runs.

    An optimiser interrupted half-way has updated some weights and not others; a checkpoint of that is worthless.

    Yields:
        A function that gives the exception of the signal that came, or None. The block is to save and raise it.

    Example:
        >>> with held_interrupt() as interrupted:
        ...     print(interrupted())
        None
    """
    came: list[KeyboardInterrupt] = []

    def first() -> KeyboardInterrupt | None:
        return next(iter(came), None)

    def hold(number: int, frame: FrameType | None) -> None:
        if came:
            raise exception_of(number)
        came.append(exception_of(number))

    with handled(hold):
        yield first


@contextmanager
def finishing(words: str) -> Iterator[None]:
    """Let the block end, whatever signal comes meanwhile, and raise it then.

    Args:
        words: what is kept, and how to go on.

    Example:
        >>> try:
        ...     with finishing("all is kept"):
        ...         signal.raise_signal(signal.SIGINT)
        ... except KeyboardInterrupt as stop:
        ...     print(stop)
        all is kept
    """
    with held_interrupt() as interrupted:
        yield
        if stop := interrupted():
            stop.args = (words,)
            raise stop


def exception_of(number: int) -> KeyboardInterrupt:
    """What to raise for a signal.

    Example:
        >>> exception_of(signal.SIGINT), exception_of(signal.SIGTERM).number
        (KeyboardInterrupt(), 15)
    """
    if number == signal.SIGINT:
        return KeyboardInterrupt()
    return Terminated(number)
