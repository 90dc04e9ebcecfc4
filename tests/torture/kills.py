"""Kills: a command is ended again and again by a signal, then left alone; the end is that of an undisturbed one.

A moment is a number of calls, of Python and of C, or of calls that write, sync and rename files: the same seed kills at
the same place. Every sixth case is the first second instead: the signal comes while a library is imported.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

from tests.torture.command import Ended, seatbelt
from tests.torture.material import ATTACK, EVALUATE, TRAIN, chairs_tar, images_npz, sweep_toml, trained
from tests.torture.outcome import Kind, Outcome, hole
from tests.torture.readers import run_value
from tests.torture.same import differences

FILES = ("open", "write", "fsync", "chmod", "replace", "rename", "mkdir", "rmtree", "unlink", "flock", "close")
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGINT, signal.SIGKILL, signal.SIGUSR1)
CODES = {signal.SIGKILL: -signal.SIGKILL, signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGUSR1: 143}
KILLS = 3
"""Of a case, at most."""

FIRST_SECOND = """
import os, sys
from seatbelt_vae.cli import main

class Ending:
    calls = 0
    def find_spec(self, name, path=None, target=None):
        Ending.calls += 1
        if Ending.calls == {call}:
            os.kill(os.getpid(), {signal})

sys.meta_path.insert(0, Ending())
sys.exit(main({words}))
"""
IMPORTS = 900
"""What a command imports, at least."""


@dataclass(frozen=True)
class Subject:
    """A command that is killed, and what it makes when it is not.

    Attributes:
        words: the command, with ``HERE`` for the folder of the case.
        before: a folder that is laid there first.
        undisturbed: what it makes.
        calls: of either kind, in an undisturbed one.
    """

    words: tuple[str, ...]
    before: Path | None
    undisturbed: Path
    calls: dict[str, int]


def prepare(root: Path) -> list[Subject]:
    """Do every command once, undisturbed, then once more to count its calls."""
    images = images_npz(root / "images.npz")
    run = trained(root, "run", images)
    chairs = chairs_tar(root / "rendered_chairs.tar")
    sweep = sweep_toml(root / "sweep.toml", images)
    train = f"train {TRAIN} --steps 6 --data {images} --out HERE/made".split()
    commands: list[tuple[list[str], Path | None]] = [
        (train, None),
        (f"evaluate HERE/made {EVALUATE}".split(), run),
        (f"attack HERE/made {ATTACK}".split(), run),
        (f"sweep {sweep} --out HERE/made --device cpu --checkpoint-every 2 --log-every 1".split(), None),
        (f"data prepare chairs --source {chairs} --size 16 --unchecked".split(), None),
    ]
    subjects = []
    for number, (words, before) in enumerate(commands):
        here = root / f"undisturbed-{number}"
        lay(here, before)
        ended = do(words, here)
        assert ended.code == 0, ended.err
        counted = root / f"counted-{number}"
        lay(counted, before)
        subjects.append(Subject(tuple(words), before, here, count(words, counted)))
    return subjects


def lay(here: Path, before: Path | None) -> None:
    """Make a folder with what a command begins with."""
    (here / "made").mkdir(parents=True)
    if before is not None:
        shutil.copytree(before, here / "made", dirs_exist_ok=True)


def do(words: tuple[str, ...] | list[str], here: Path) -> Ended:
    """Do a command in a folder; prepared data lie there too."""
    os.environ["SEATBELT_DATA"] = str(here / "made")
    return seatbelt(*placed(words, here), to=here)


def placed(words: tuple[str, ...] | list[str], here: Path) -> list[str]:
    """The words of a command that is done there."""
    return [word.replace("HERE", str(here)) for word in words]


def case(subjects: list[Subject], number: int, random: Random, here: Path) -> Outcome:
    """Kill a command, up to `KILLS` times, then let it end, and compare."""
    subject = subjects[number % len(subjects)]
    place = here / "case"
    lay(place, subject.before)
    kill = first_second if number % 6 == 5 else at_a_call
    kills = 0
    notes = {}
    for attempt in range(KILLS):
        chosen = SIGNALS[(number + attempt) % len(SIGNALS)]
        code = kill(subject, chosen, random.random() / (1 + attempt), place)
        if isinstance(code, str):
            return hole(f"{chosen.name}: {code}", kills + 1)
        if not code:
            break
        kills += 1
        notes[chosen.name] = notes.get(chosen.name, 0) + 1
        if kill is first_second:
            notes["in the first second"] = 1
            break
    (ended,) = apart(lambda: do(subject.words, place))
    if ended:
        return hole(f"{subject.words[0]} after {notes}: exit code {ended}: {said(place)}", kills)
    found = [*differences(place / "made", subject.undisturbed / "made"), *left_behind(place / "made")]
    for run in {path.parent for path in (place / "made").rglob("spec.json")}:
        run_value(run)  # refuses what its manifest does not know
    if found:
        return hole(f"{' '.join(subject.words[:2])} after {notes}: {'; '.join(found)}", kills)
    return Outcome(kills, kills, notes=notes)


def at_a_call(subject: Subject, chosen: signal.Signals, when: float, place: Path) -> int | str:
    """Send a signal at a call: 0 if the command ended before, its code, or what is wrong with how it ended."""
    kind = ("any", "file")[round(1e9 * when) % 2]
    moment = int(when * subject.calls[kind])

    def work() -> Ended:
        with calls_counted(lambda calls: calls[kind] == moment and os.kill(os.getpid(), chosen)):
            return do(subject.words, place)

    return judged(*apart(work), chosen, place)


def first_second(subject: Subject, chosen: signal.Signals, when: float, place: Path) -> int | str:
    """Send a signal while libraries are imported."""
    words = placed(subject.words, place)
    code = FIRST_SECOND.format(call=int(when * IMPORTS), signal=int(chosen), words=words)
    environment = {**os.environ, "SEATBELT_DATA": str(place / "made")}
    with (place / "stderr").open("w") as err:
        ended = subprocess.run([sys.executable, "-c", code], stdout=err, stderr=err, env=environment, check=False)
    return judged(ended.returncode, chosen, place)


def judged(code: int, chosen: signal.Signals, place: Path) -> int | str:
    """The code of a killed command, or what is wrong with it."""
    words = said(place)
    if code not in (0, CODES[chosen]):
        return f"exit code {code}, not {CODES[chosen]}: {words}"
    if "Traceback" in words:
        return f"a traceback: {words}"
    if code > 0 and "seatbelt: " not in words.replace("\r", "\n").splitlines()[-1]:
        return f"no word of why it ends: {words}"
    return code


def said(place: Path) -> str:
    """The end of what the last command said."""
    return (place / "stderr").read_text(errors="replace")[-1500:].strip()


def left_behind(folder: Path) -> list[str]:
    """Half-made files and folders that nobody will finish."""
    torn = [path for path in folder.rglob(".*.*") if path.name != ".lock.owner" and path.suffix != ".lock"]
    return [f"left behind: {path.relative_to(folder)}" for path in torn]


def apart(*works: Callable[[], Ended]) -> list[int]:
    """Do works at the same time, each in a process of its own: exit codes, negative the signals that killed them."""
    processes = []
    for work in works:
        process = os.fork()
        if not process:
            code = 99
            try:
                code = work().code or 0
            finally:
                os._exit(code)
        processes.append(process)
    return [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in processes]


class calls_counted:
    """Count the calls that a command makes in a block, and ask what to do at each."""

    def __init__(self, at: Callable[[dict[str, int]], Any]) -> None:
        self.at = at
        self.calls = {"any": 0, "file": 0}
        self.depth = 0

    def __enter__(self) -> dict[str, int]:
        sys.setprofile(self.count)
        return self.calls

    def __exit__(self, *error: object) -> None:
        sys.setprofile(None)

    def count(self, frame: FrameType, event: str, argument: object) -> None:
        if frame.f_code.co_name == "_main":  # signals have their handlers inside of it
            self.depth += {"call": 1, "return": -1}.get(event, 0)
        if not self.depth:
            return
        self.calls["any"] += 1
        if event.startswith("c_") and getattr(argument, "__name__", "") in FILES:
            self.calls["file"] += 1
        self.at(self.calls)


def count(words: list[str], here: Path) -> dict[str, int]:
    """Count the calls of a command that is not disturbed."""
    with calls_counted(lambda calls: None) as calls:
        ended = do(words, here)
    assert ended.code == 0, ended.err
    return dict(calls)


KIND = Kind("kills", ("kills made", "resumed to the bit"), 120, prepare, case, seconds=240)
