"""Ctrl-C, SIGTERM and SIGUSR1: they end the process at once before the work begins, and raise afterwards."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED, TERMINATED = 130, 143

SIGNALS = ("SIGINT", "SIGTERM", "SIGUSR1")
"""Slurm sends SIGUSR1 before it takes the machine away. Windows has no such signal."""


@contextmanager
def handled(handler: "signal._HANDLER") -> Iterator[None]:
    """Handle the signals while the block runs, but for those that are ignored. Only the main thread gets any."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        for name in SIGNALS:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:
                before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def end(number: int, frame: FrameType | None) -> None:
    """End the process. While libraries are imported, an exception would become a traceback."""
    try:
        os.write(2, b"seatbelt: interrupted; the same command starts again\n")
    finally:
        os._exit(INTERRUPTED if number == signal.SIGINT else TERMINATED)


def interrupt(number: int, frame: FrameType | None) -> None:
    """Raise `KeyboardInterrupt`, or its subclass `Terminated` where a machine sent the signal."""
    from seatbelt_vae.training.interrupt import exception_of

    raise exception_of(number)


def exit_code(error: BaseException | None) -> int:
    """143 where the exception or one before it has a signal's number (`Terminated`); 130 for Ctrl-C."""
    while error is not None:
        if hasattr(error, "number"):
            return TERMINATED
        error = error.__context__
    return INTERRUPTED
