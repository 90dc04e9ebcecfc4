"""One progress bar for all long work: on stderr, with an estimate of the time left, silent when not wanted."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[..., None]
"""``advance(steps=1, note="")``: move the bar on and show a short note beside it."""


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
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(description, total=total, note="")

        def advance(steps: int = 1, note: str = "") -> None:
            if note:
                bar.update(task, advance=steps, note=note)
            else:
                bar.update(task, advance=steps)

        yield advance
