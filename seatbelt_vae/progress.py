"""One progress bar for all long work: on stderr, with an estimate of the time left, silent when not wanted."""

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import IO, Any

from rich.console import Console, ConsoleDimensions

Advance = Callable[..., None]
"""``advance(steps=1, note="")``: move the bar on and show a short note beside it."""

Listener = Callable[[str, int, int], None]
"""``listener(description, done, total)``: hears of every step, and may raise to end the work."""

_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)

NARROWEST, WIDEST = 20, 500
"""Characters a line: rich never ends where there is no room, and takes minutes where there is too much."""


class Heedless:
    """A stream whose reader may be gone: what cannot be written is dropped, and the work goes on.

    Args:
        stream: for example ``sys.stderr``; None where it is closed.

    Example:
        >>> Heedless(None).write("unheard")
        0
    """

    def __init__(self, stream: IO[str] | None) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write if that is possible."""
        with suppress(OSError, ValueError, AttributeError):
            return self.stream.write(text)  # type: ignore[union-attr]
        return 0

    def flush(self) -> None:
        """Flush if that is possible."""
        with suppress(OSError, ValueError, AttributeError):
            self.stream.flush()  # type: ignore[union-attr]

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        with suppress(OSError, ValueError, AttributeError):
            return self.stream.isatty()  # type: ignore[union-attr]
        return False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class Terminal(Console):
    """rich's console at any width that ``COLUMNS`` asks for. It never ends the process by itself.

    Args:
        file: where to write; stdout by default.
    """

    def __init__(self, file: IO[str] | None = None) -> None:
        environment = dict(os.environ)
        for name in ("COLUMNS", "LINES"):
            if not re.fullmatch("[1-9][0-9]{0,8}", environment.get(name, "")):
                environment.pop(name, None)
        super().__init__(file=file, _environ=environment)

    @property  # type: ignore[misc]
    def size(self) -> ConsoleDimensions:
        """Columns and lines, within reason."""
        found = super().size
        width = min(max(found.width, NARROWEST), WIDEST)
        return ConsoleDimensions(width, max(found.height, 5))

    def on_broken_pipe(self) -> None:
        """Tell the caller that the reader is gone; rich would exit."""
        raise BrokenPipeError


def terminal() -> Terminal:
    """The console on stderr."""
    stream = getattr(sys.stderr, "rich_proxied_file", sys.stderr)  # what a bar that is shown already writes to
    return Terminal(Heedless(stream))  # type: ignore[arg-type]


@contextmanager
def heard(listener: Listener) -> Iterator[None]:
    """Tell a listener of all progress while the block runs, in the place of bars on stderr.

    Example:
        >>> with heard(lambda *step: print(step)), progress_bar("Counting", total=2) as advance:
        ...     advance()
        ('Counting', 0, 2)
        ('Counting', 1, 2)
    """
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


@contextmanager
def progress_bar(description: str, total: int, enabled: bool = True) -> Iterator[Advance]:
    """Show a bar on stderr while the block runs.

    Args:
        description: what is being done, a few words.
        total: how many steps make the whole.
        enabled: False yields a function that does nothing.

    Yields:
        A function ``advance(steps=1, note="")``.

    Example:
        >>> with progress_bar("Counting", total=3, enabled=False) as advance:
        ...     for _ in range(3):
        ...         advance()
    """
    if not enabled:
        yield lambda steps=1, note="": None
        return
    listener = _LISTENER.get()
    if listener is not None:
        yield _telling(listener, description, total)
        return
    from rich import progress

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(),
        progress.TextColumn("left"),
        progress.TimeRemainingColumn(),
        progress.TextColumn("{task.fields[note]}"),
    )
    with progress.Progress(*columns, console=terminal()) as bar:
        task = bar.add_task(description, total=total, note="")

        def advance(steps: int = 1, note: str = "") -> None:
            if note:
                bar.update(task, advance=steps, note=note)
            else:
                bar.update(task, advance=steps)

        yield advance


def _telling(listener: Listener, description: str, total: int) -> Advance:
    done = 0
    listener(description, done, total)

    def advance(steps: int = 1, note: str = "") -> None:
        nonlocal done
        done += steps
        listener(description, done, total)

    return advance
