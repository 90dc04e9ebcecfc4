"""Bars go to stderr, whatever it is, and end nothing."""

import io
import os
import pty
import sys

import pytest

from seatbelt_vae.progress import NARROWEST, WIDEST, Heedless, Terminal, progress_bar


class Closed(io.StringIO):
    """A stream whose reader is gone."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str) -> int:
        raise self.error

    def flush(self) -> None:
        raise self.error


@pytest.mark.parametrize(
    "error", [BrokenPipeError(), OSError(28, "No space left on device"), ValueError("closed file")]
)
def test_work_goes_on_where_stderr_is_closed(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    done = 0
    for stream in (Closed(error), None):
        monkeypatch.setattr(sys, "stderr", stream)
        with progress_bar("Counting", total=3) as advance:
            for _ in range(3):
                advance(note="so far")
                done += 1
    assert done == 6


def test_a_bar_says_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("Counting", total=3) as advance:
        advance(2, note="two")
        advance()
    printed = capsys.readouterr()
    assert printed.out == ""
    for part in ("Counting", "3/3", "two"):
        assert part in printed.err


def test_two_bars_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("Outer", total=1) as outer:
        with progress_bar("Inner", total=1) as inner:
            inner()
        outer()
    printed = capsys.readouterr().err
    assert "Outer" in printed
    assert "Inner" in printed


@pytest.mark.parametrize("columns", ["0", "1", "-5", "words", "100000000", "", "²", "9" * 5000])
def test_any_width_that_the_environment_asks_for(monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("LINES", columns)
    assert NARROWEST <= Terminal(io.StringIO()).width <= WIDEST


def test_a_terminal_is_recognised() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream:
        assert Heedless(stream).isatty()
    os.close(ours)
    assert not Heedless(io.StringIO()).isatty()
    assert not Heedless(None).isatty()
