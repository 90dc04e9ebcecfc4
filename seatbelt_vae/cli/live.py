"""The live table of a sweep, on stderr: what is done, running, failed and left, and for how long yet."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.live import Live
from rich.table import Table

from seatbelt_vae.cli.console import note, number
from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments import RunFolder, Status, Sweep, status, varying
from seatbelt_vae.progress import terminal

ORDER = ("running", "failed", "interrupted", "waiting", "done")
"""What is shown first where not all runs fit on the screen."""

STYLES = {"done": "green", "running": "cyan", "failed": "red", "interrupted": "yellow", "waiting": "dim"}


class Watch:
    """Looks at a sweep again and again, and remembers what need not be looked at twice.

    Args:
        sweep: the runs.
    """

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep
        self.settings = varying([run.spec for run in sweep.runs])
        self._settled: dict[str, Status] = {}
        self._started = time.monotonic()
        self._before = sum(each.progress for each in self.look())

    def look(self) -> list[Status]:
        """Tell the status of each run."""
        found = []
        for run in self.sweep.runs:
            now = self._settled.get(run.name) or status(run, self.sweep.task)
            if now.settled:
                self._settled[run.name] = now
            found.append(now)
        return found

    def forget(self) -> None:
        """Look at the failed ones again: they are tried again."""
        self._settled = {name: now for name, now in self._settled.items() if now.state == "done"}

    def settings_of(self, run: RunFolder) -> dict[str, Any]:
        """The settings of a run in which the runs differ, by their full names."""
        spec = run.spec.model_dump(mode="json")
        found = {}
        for name in self.settings:
            table, _, key = name.partition(".")
            found[name] = spec[table][key]
        return found

    def summary(self, statuses: Sequence[Status]) -> str:
        """Say how many are done, running, failed and left, and how long the rest will take at the pace so far."""
        count = counts(statuses)
        words = [f"{count['done']} done", f"{count['running']} running", f"{count['failed']} failed"]
        words.append(f"{count['interrupted'] + count['waiting']} left")
        left = self._seconds_left(statuses)
        if left is not None:
            words.append(f"about {duration(left)} to go")
        return " · ".join(words)

    def _seconds_left(self, statuses: Sequence[Status]) -> float | None:
        made = sum(each.progress for each in statuses) - self._before
        left = sum(1 - each.progress for each in statuses if each.state != "failed")
        if made <= 0 or not left:
            return None
        return left * (time.monotonic() - self._started) / made

    def table(self, height: int) -> Table:
        """Draw the table, in at most so many lines."""
        both = list(zip(self.sweep.runs, self.look(), strict=True))
        summary = self.summary([now for _, now in both])
        drawn = Table(title=summary, title_justify="left", title_style="bold", box=None)
        for heading in ("run", *(name.partition(".")[2] for name in self.settings), "state"):
            drawn.add_column(heading, no_wrap=True)
        for heading in ("step", "elbo"):
            drawn.add_column(heading, justify="right", no_wrap=True)
        first = sorted(both, key=lambda pair: ORDER.index(pair[1].state))[: max(3, height)]
        visible = {run.name for run, _ in first}
        for run, now in both:
            if run.name in visible:
                drawn.add_row(*self._row(run, now), style=STYLES[now.state])
        if len(both) > len(visible):
            drawn.caption = f"and {len(both) - len(visible)} more"
        return drawn

    def _row(self, run: RunFolder, now: Status) -> list[str]:
        settings = [number(value) for value in self.settings_of(run).values()]
        elbo = ""
        if now.state == "done" and (found := elbo_of(run)) is not None:
            elbo = number(found)
        return [run.name, *settings, now.state.value, f"{now.step}/{run.spec.training.steps}", elbo]


def elbo_of(run: RunFolder) -> float | None:
    """The ELBO of a run; None where it was not measured, or its file is damaged."""
    try:
        elbo: float | None = run.evaluation.get("elbo")
    except InputError:
        return None
    return elbo


def counts(statuses: Sequence[Status]) -> dict[str, int]:
    """Count the runs in each state."""
    return {state: sum(each.state == state for each in statuses) for state in sorted(ORDER)}


def duration(seconds: float) -> str:
    """Write a time for people.

    Example:
        >>> duration(42.4), duration(90), duration(7300)
        ('42 s', '2 min', '2 h 2 min')
    """
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


@contextmanager
def shown(watch: Watch) -> Iterator[None]:
    """Keep the table on stderr while the block runs, if that is a terminal."""
    console = terminal()
    if not console.is_terminal:
        yield
        return

    def draw() -> Table:
        return watch.table(console.height - 4)

    with Live(get_renderable=draw, console=console, refresh_per_second=2, transient=True):
        yield


def tell(watch: Watch, run: RunFolder, now: Status) -> None:
    """Say on stderr that a run is done or has failed, where no table shows it."""
    if terminal().is_terminal:
        return
    error = f" ({now.error})" if now.error else ""
    note(f"{run.name}: {now.state}{error}; {watch.summary(watch.look())}")
