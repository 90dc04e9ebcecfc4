"""Ctrl-C between two steps: the first is kept until the state is whole, the second takes effect at once."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def held_interrupt() -> Iterator[Callable[[], bool]]:
    """Hold back the first Ctrl-C while the block runs.

    An optimiser interrupted half-way has updated some weights and not others; a checkpoint of that is worthless.

    Yields:
        A function that says whether Ctrl-C was pressed. The block is to save and raise KeyboardInterrupt.

    Example:
        >>> with held_interrupt() as interrupted:
        ...     interrupted()
        False
    """
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed.is_set  # only the main thread gets signals
        return

    def hold(number: int, frame: FrameType | None) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()

    before = signal.signal(signal.SIGINT, hold)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, before)
