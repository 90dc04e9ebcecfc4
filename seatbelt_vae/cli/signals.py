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
def before_work() -> Iterator[None]:
    """While libraries are imported, a signal ends the process: an exception there would become a traceback."""
    with _handled(_end):
        yield


@contextmanager
def during_work() -> Iterator[None]:
    """A signal raises `KeyboardInterrupt`, or its subclass `Terminated` where a machine sent it."""
    with _handled(_raise):
        yield


@contextmanager
def _handled(handler: "signal._HANDLER") -> Iterator[None]:
    before = {}
    if threading.current_thread() is threading.main_thread():  # no other gets signals
        for name in SIGNALS:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:
                before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def _end(number: int, frame: FrameType | None) -> None:
    try:
        os.write(2, b"seatbelt: interrupted; the same command starts again\n")
    finally:
        os._exit(INTERRUPTED if number == signal.SIGINT else TERMINATED)


def _raise(number: int, frame: FrameType | None) -> None:
    from seatbelt_vae.training.interrupt import exception_of

    raise exception_of(number)


def exit_code(error: BaseException | None) -> int:
    """143 where the exception or one before it has a signal's number (`Terminated`); 130 for Ctrl-C."""
    while error is not None:
        if hasattr(error, "number"):
            return TERMINATED
        error = error.__context__
    return INTERRUPTED


def after_work() -> None:
    """A signal ends the process without a word: nothing is left to be done."""
    for name in SIGNALS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
