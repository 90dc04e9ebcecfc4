"""Argument lists: right ones with something wrong in them. Each ends with a code and one line, and soon."""

import os
import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import FrameType

from tests.torture.command import Ended, seatbelt
from tests.torture.material import TRAIN, images_npz, sweep_toml, whole_run
from tests.torture.outcome import Kind, Outcome, hole
from tests.torture.runner import without_limit

PATIENCE = 2.0
"""Seconds until a command that works is told to stop; it has to obey."""

LONG = "n" * 4000

DRAW = ("report", "demo", "reproduce")
"""Commands that draw charts: what does that reserves more memory than it uses."""

NUMBERS = (
    *("0", "-1", "1", "2", "3", "1e9", "1000000000000", "9" * 30, "9" * 5000, "-1e400", "nan", "inf", "0.5"),
    *(
        "1,2",
        "2,1",
        "1,2,x",
        ",",
        "1,",
        "4,2/4",
        "/".join(["1"] * 2000),
        ",".join(["1"] * 5000),
        "0x10",
        "1_0",
        "\uff11",
    ),
)
WORDS = (
    *("", " ", "-", "--", "true", "None", "null", "none", "auto", "cpu", "cuda:99", "sprites", "dsprites", "paper"),
    *("vae", "all", "l2", LONG, "a\nb", "a\tb", "\u03bb", "\u202ex", "\udcff", "\x1b[31mred", "%s%n", "{x}", "$HOME"),
    *("../..", "/", "/proc/self/mem", "/dev/null", "/dev/full", ".", "~", "~nobody-of-that-name", "missing"),
    *("images.npz", "run", "sweep.toml", "f50>=0.3", "success>+0.05", "elbo,noise", "x" * 300, "a/" * 2000 + "b"),
)


@dataclass(frozen=True)
class Command:
    """A command, and what it may be given."""

    words: tuple[str, ...]
    flags: tuple[str, ...]


def prepare(root: Path) -> tuple[Path, list[Command]]:
    """Make what right arguments name, and list every option of every command."""
    images = images_npz(root / "images.npz")
    whole_run(root, "run", images)
    sweep_toml(root / "sweep.toml", images)
    return root, commands()


def commands() -> list[Command]:
    """The commands with right arguments."""
    right = {
        "demo": "--quick --out out",
        "train": f"{TRAIN} --steps 2 --data images.npz --out out",
        "evaluate": "run --measure weights --device cpu",
        "attack": "run --pairs 1 --lambdas 1 --max-iterations 1 --device cpu",
        "sweep": "sweep.toml --out out --device cpu",
        "reproduce": "table-1 --scale smoke --out out",
        "report": "run --out out",
        "compare": "run run",
        "table": "run --out out.csv",
        "upgrade": "run",
        "data info": "images.npz",
        "data prepare": "chairs --source missing.tar",
        "data list": "",
    }
    found = []
    for name, words in right.items():
        found.append(Command((*name.split(), *words.split()), flags(name)))
    return found


def flags(name: str) -> tuple[str, ...]:
    """The options of a command, as it says itself."""
    from seatbelt_vae.cli.app import app

    command = app
    for word in name.split():
        command = command[word]
    names: list[str] = []
    for argument in command.assemble_argument_collection():
        names += [each for each in argument.names if each.startswith("--")]
    assert names, name
    return tuple(names)


def case(prepared: tuple[Path, list[Command]], number: int, random: Random, here: Path) -> Outcome:
    """Do a command with wrong arguments."""
    root, known = prepared
    shutil.copytree(root, here, dirs_exist_ok=True)
    os.environ["SEATBELT_DATA"] = str(here / "prepared")
    words = wrong(random.choice(known), random)
    if words and words[0] in DRAW:
        without_limit()
    with stopped_after(PATIENCE):
        ended = seatbelt(*words, to=here)
    fault = ended.fault or repeated(ended, words)
    if fault:
        return hole(f"seatbelt {shown(words)}: {fault}")
    return Outcome(notes={f"exit {ended.code}": 1})


def wrong(command: Command, random: Random) -> list[str]:
    """Arguments with one to three things wrong in them."""
    words = list(command.words)
    if random.random() < 0.05:
        return [random.choice(WORDS) for _ in range(random.randrange(4))]
    for _ in range(random.choice((1, 1, 1, 1, 2, 3))):
        way = random.randrange(6)
        place = random.randrange(1, len(words) + 1)
        if way <= 2:
            words += [random.choice(command.flags), random.choice(random.choice((NUMBERS, WORDS)))]
        elif way == 3 and place < len(words):
            words[place] = random.choice(WORDS)
        elif way == 4 and place < len(words):
            del words[place]
        else:
            words.insert(place, random.choice((*WORDS, *NUMBERS, *command.flags)))
    return words


@contextmanager
def stopped_after(seconds: float) -> Iterator[None]:
    """Tell the command in the block to stop after a while, as a scheduler does."""

    def stop(number: int, frame: FrameType | None) -> None:
        while frame is not None:
            if frame.f_code.co_name == "_main":  # it has begun, and not ended
                os.kill(os.getpid(), signal.SIGTERM)
                return
            frame = frame.f_back

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def repeated(ended: Ended, words: list[str]) -> str:
    """What is wrong if a message repeats a value of a thousand characters."""
    for word in words:
        if len(word) >= 1000 and word in ended.err:
            return f"the message repeats a value of {len(word)} characters"
    if ended.code == 2 and ended.out:
        return f"bad input, and yet it printed {ended.out[:200]!r}"
    return ""


def shown(words: list[str]) -> str:
    """The arguments, cut."""
    return re.sub(r"(.{60}).+", r"\1…", "\n".join(map(repr, words))).replace("\n", " ")


KIND = Kind("argument lists", ("lists tried", "answered with a code and a line"), 1100, prepare, case, seconds=60)
