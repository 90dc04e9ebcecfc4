"""Ctrl-C, SIGTERM and SIGUSR1: they end the process at once before the work begins, and raise afterwards."""

import os
import signal
from types import FrameType

from seatbelt_vae.signals import exception_of

INTERRUPTED, TERMINATED = 130, 143


def end(number: int, frame: FrameType | None) -> None:
    """End the process. While libraries are imported, an exception would become a traceback."""
    try:
        os.write(2, b"seatbelt: interrupted; the same command starts again\n")
    finally:
        os._exit(INTERRUPTED if number == signal.SIGINT else TERMINATED)


def interrupt(number: int, frame: FrameType | None) -> None:
    """Raise `KeyboardInterrupt`, or its subclass `Terminated` where a machine sent the signal."""
    raise exception_of(number)


def exit_code(error: BaseException | None) -> int:
    """143 where the exception or one before it has a signal's number (`Terminated`); 130 for Ctrl-C."""
    while error is not None:
        if hasattr(error, "number"):
            return TERMINATED
        error = error.__context__
    return INTERRUPTED
