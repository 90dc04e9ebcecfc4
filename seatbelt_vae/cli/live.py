"""The live table of a sweep, on stderr: what is done, running, failed and left, and for how long yet."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from seatbelt_vae.cli.console import note, number

if TYPE_CHECKING:
    from rich.table import Table

    from seatbelt_vae.experiments import RunFolder, Standing, Sweep

_ORDER = ("running", "failed", "interrupted", "waiting", "done")
"""What is shown first where not all runs fit on the screen."""

_STYLES = {"done": "green", "running": "cyan", "failed": "red", "interrupted": "yellow", "waiting": "dim"}


class Watch:
    """Looks at a sweep again and again, and remembers what need not be looked at twice.

    Args:
        sweep: the runs.
    """

    def __init__(self, sweep: "Sweep") -> None:
        from seatbelt_vae.experiments import varying

        self.sweep = sweep
        self.settings = varying([run.spec for run in sweep.runs])
        self._settled: dict[str, Standing] = {}
        self._rows: dict[str, list[str]] = {}
        self._started = time.monotonic()
        self._before = sum(each.progress for each in self.look())

    def look(self) -> "list[Standing]":
        """Tell where each run stands."""
        from seatbelt_vae.experiments import standing

        found = []
        for run in self.sweep.runs:
            now = self._settled.get(run.name) or standing(run, self.sweep.work)
            if now.settled:
                self._settled[run.name] = now
            found.append(now)
        return found

    def forget(self) -> None:
        """Look at the failed ones again: they are tried again."""
        self._settled = {name: now for name, now in self._settled.items() if now.state == "done"}

    def summary(self, standings: "Sequence[Standing]") -> str:
        """Say how many are done, running, failed and left, and how long the rest will take at the pace so far."""
        count = counts(standings)
        words = [f"{count['done']} done", f"{count['running']} running", f"{count['failed']} failed"]
        words.append(f"{count['interrupted'] + count['waiting']} left")
        if (left := self._seconds_left(standings)) is not None:
            words.append(f"about {duration(left)} to go")
        return " · ".join(words)

    def _seconds_left(self, standings: "Sequence[Standing]") -> float | None:
        made = sum(each.progress for each in standings) - self._before
        left = sum(1 - each.progress for each in standings if each.state != "failed")
        if made <= 0 or not left:
            return None
        return left * (time.monotonic() - self._started) / made

    def table(self, height: int) -> "Table":
        """Draw the table, in at most so many lines."""
        from rich.table import Table

        standings = self.look()
        drawn = Table(title=self.summary(standings), title_justify="left", title_style="bold", box=None)
        for heading in ("run", *(name.partition(".")[2] for name in self.settings), "state", "step", "elbo"):
            drawn.add_column(heading, justify="right" if heading in ("step", "elbo") else "left", no_wrap=True)
        both = list(zip(self.sweep.runs, standings, strict=True))
        shown = {run.name for run, _ in sorted(both, key=lambda pair: _ORDER.index(pair[1].state))[: max(3, height)]}
        for run, now in both:
            if run.name in shown:
                drawn.add_row(*self._row(run, now), style=_STYLES[now.state])
        if len(both) > len(shown):
            drawn.caption = f"and {len(both) - len(shown)} more"
        return drawn

    def _row(self, run: "RunFolder", now: "Standing") -> list[str]:
        if run.name in self._rows:
            return self._rows[run.name]
        spec: Mapping[str, Any] = run.spec.model_dump()
        settings = [number(spec[table][key]) for table, key in (name.split(".", 1) for name in self.settings)]
        elbo = run.evaluation.get("elbo") if now.state == "done" else None
        steps = f"{now.step}/{run.spec.training.steps}"
        row = [run.name, *settings, now.state.value, steps, "" if elbo is None else number(elbo)]
        if now.state == "done":
            self._rows[run.name] = row
        return row


def counts(standings: "Sequence[Standing]") -> dict[str, int]:
    """Count the runs in each state."""
    return {state: sum(each.state == state for each in standings) for state in sorted(_ORDER)}


def duration(seconds: float) -> str:
    """Write a time for people.

    Example:
        >>> duration(42.4), duration(90), duration(7300)
        ('42 s', '2 min', '2 h 2 min')
    """
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


@contextmanager
def shown(watch: Watch) -> Iterator[None]:
    """Keep the table on stderr while the block runs, if that is a terminal."""
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with Live(
        get_renderable=lambda: watch.table(console.height - 4), console=console, refresh_per_second=2, transient=True
    ):
        yield


def tell(watch: Watch, run: "RunFolder", now: "Standing") -> None:
    """Say on stderr that a run is done or has failed, where no table shows it."""
    import sys

    if not sys.stderr.isatty():
        note(f"{run.name}: {now.state}{f' ({now.error})' if now.error else ''}; {watch.summary(watch.look())}")
