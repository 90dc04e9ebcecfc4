"""Work in a thread of its own that tells how far it is, and ends when nobody listens any more."""

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from seatbelt_vae.progress import heard

T = TypeVar("T")
EVERY = 0.25
"""Seconds between two looks at the work."""


class Cancelled(Exception):  # noqa: N818  # nothing is wrong
    """Nobody listens any more."""


@dataclass(frozen=True)
class Step:
    """How far the work is."""

    description: str
    done: int
    total: int


@dataclass(frozen=True)
class Done(Generic[T]):
    """The work's result."""

    value: T


def watched(work: Callable[[], T]) -> Iterator[Step | Done[T]]:
    """Do work in a thread; give its steps as they come, and then its result. Closing the iterator ends the work.

    Raises:
        Exception: what the work raised.

    Example:
        >>> list(watched(lambda: 3))
        [Done(value=3)]
    """
    news: queue.Queue[Step | Done[T] | Exception] = queue.Queue()
    unwanted = threading.Event()

    def listen(description: str, done: int, total: int) -> None:
        if unwanted.is_set():
            raise Cancelled
        news.put(Step(description, done, total))

    def run() -> None:
        try:
            with heard(listen):
                news.put(Done(work()))
        except Exception as error:
            news.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        while True:
            item = _latest(news)
            if isinstance(item, Exception):
                raise item
            yield item
            if isinstance(item, Done):
                return
    finally:
        unwanted.set()


def _latest(news: "queue.Queue[Step | Done[T] | Exception]") -> Step | Done[T] | Exception:
    """Wait for news; of several steps the last."""
    item = news.get()
    while isinstance(item, Step) and not news.empty():
        item = news.get()
    return item
