"""Ctrl-C, SIGTERM and SIGUSR1, before the work and during it: one line, 130 or 143, and never a traceback."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from seatbelt_vae.cli.signals import exit_code, interrupt
from seatbelt_vae.signals import SIGNALS, Terminated, handled
from tests.commands import Run

CODES = {"SIGINT": 130, "SIGTERM": 143, "SIGUSR1": 143}

ENDED_BY_IMPORT = """
import os, signal, sys
from seatbelt_vae.cli import main

class Ending:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.{name})

sys.meta_path.insert(0, Ending())
sys.exit(main(["attack", "nowhere"]))
"""


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("module", ["cyclopts", "torch", "torch.nn", "seatbelt_vae.attacks"])
def test_while_libraries_are_imported(name: str, module: str) -> None:
    code = ENDED_BY_IMPORT.format(module=module, name=name)
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (CODES[name], "")
    assert ended.stderr == "seatbelt: interrupted; the same command starts again\n"


@pytest.mark.parametrize("name", SIGNALS)
def test_during_work(seatbelt: Run, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    before = {each: signal.getsignal(getattr(signal, each)) for each in SIGNALS}

    def interrupted() -> list[tuple[str, str]]:
        os.kill(os.getpid(), getattr(signal, name))
        return []

    monkeypatch.setattr("seatbelt_vae.cli.data.available", interrupted)
    ended = seatbelt("data list")
    assert (ended.code, ended.out) == (CODES[name], "")
    assert ended.err == "seatbelt: interrupted; the same command starts again\n"
    assert {each: signal.getsignal(getattr(signal, each)) for each in SIGNALS} == before


def test_the_code_stays_where_someone_adds_words() -> None:
    first, second = Terminated(signal.SIGTERM), KeyboardInterrupt("go on with: this")
    second.__context__ = first
    assert exit_code(first) == exit_code(second) == 143
    assert exit_code(KeyboardInterrupt()) == 130


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with handled(interrupt):
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_another_thread_nothing_is_touched() -> None:
    found = []

    def work() -> None:
        with handled(interrupt):
            found.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [before]
