"""Faults of the machine: full disks, folders that go, clocks that jump, closed pipes, two at once, workers that die.

Survived is: one line that says what happened, or the right result in spite of it; and where the fault is over, the same
command goes on, to the same bits as an undisturbed one.
"""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch

from seatbelt_vae.data import dataset
from tests.torture.command import Ended, seatbelt
from tests.torture.kills import apart
from tests.torture.material import ATTACK, EVALUATE, TRAIN, celeba, chairs_tar, images_npz, picture, sweep_toml
from tests.torture.outcome import Kind, Outcome, hole
from tests.torture.same import differences

NOBODY = 65534
STEPS = 6

Fault = Callable[["Place"], str]
FAULTS: dict[str, Fault] = {}


@dataclass(frozen=True)
class Place:
    """Where a fault happens.

    Attributes:
        here: a folder of its own.
        images: what is trained on.
        undisturbed: a run that is trained, measured and attacked.
    """

    here: Path
    images: Path
    undisturbed: Path

    @property
    def run(self) -> Path:
        """The run that goes through it."""
        return self.here / "run"

    def seatbelt(self, words: str, *more: str) -> Ended:
        """Run a command here."""
        return seatbelt(*words.split(), *more, to=self.here)

    def train(self) -> Ended:
        """Train the run."""
        return self.seatbelt(f"train {TRAIN} --steps {STEPS} --data {self.images} --out {self.run}")

    def whole(self) -> str:
        """Do what is left to be done, and compare: what is wrong."""
        for words in (f"evaluate {self.run} {EVALUATE}", f"attack {self.run} {ATTACK}"):
            self.train()
            ended = self.seatbelt(words)
            if ended.code:
                return f"{words}: {ended.err}"
        return "; ".join(differences(self.run, self.undisturbed))


def fault(does: Fault) -> Fault:
    """Note a case by the name of its function."""
    FAULTS[does.__name__.replace("_", " ")] = does
    return does


def prepare(root: Path) -> Place:
    """Do everything once, undisturbed."""
    place = Place(root, images_npz(root / "images.npz"), root / "run")
    assert place.train().code == 0
    assert place.seatbelt(f"evaluate {place.run} {EVALUATE}").code == 0
    assert place.seatbelt(f"attack {place.run} {ATTACK}").code == 0
    chairs_tar(root / "rendered_chairs.tar")
    celeba(root / "celeba")
    for path in (root, *root.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return place


def case(prepared: Place, number: int, random: Random, here: Path) -> Outcome:
    """Let one happen."""
    os.environ["SEATBELT_DATA"] = str(here / "prepared")
    name = list(FAULTS)[number]
    place = Place(here, prepared.images, prepared.undisturbed)
    wrong = FAULTS[name](place)
    if wrong == SKIPPED:
        return Outcome(0, 0, notes={f"not possible here: {name}": 1})
    return hole(f"{name}: {wrong}") if wrong else Outcome()


SKIPPED = "skipped"


def failed(ended: Ended, code: int = 1) -> str:
    """What is wrong with a command that should fail in one line."""
    if ended.fault:
        return ended.fault
    if ended.code != code:
        return f"exit code {ended.code}, not {code}: {ended.err}"
    return ""


# A full disk


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let no file grow beyond a size, as where the disk is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def no_space(place: Place, words: str, size: int) -> str:
    """What is wrong with a command where no file may have more bytes."""
    with files_of_at_most(size):
        ended = place.seatbelt(words)
    return failed(ended)


@fault
def no_space_for_the_model(place: Place) -> str:
    with files_of_at_most(100_000):
        ended = place.train()
    return failed(ended) or place.whole()


@fault
def no_space_for_the_spec(place: Place) -> str:
    with files_of_at_most(100):
        ended = place.train()
    return failed(ended) or place.whole()


@fault
def no_space_for_an_evaluation(place: Place) -> str:
    assert place.train().code == 0
    return no_space(place, f"evaluate {place.run} {EVALUATE}", 300) or place.whole()


@fault
def no_space_for_an_attack(place: Place) -> str:
    assert place.train().code == 0
    return no_space(place, f"attack {place.run} {ATTACK}", 1000) or place.whole()


@fault
def no_space_for_prepared_data(place: Place) -> str:
    words = f"data prepare chairs --source {place.images.parent / 'rendered_chairs.tar'} --size 32 --unchecked"
    wrong = no_space(place, words, 1000)
    ended = place.seatbelt(words)
    left = list((place.here / "prepared" / "prepared").glob(".chairs*"))
    return wrong or (ended.err if ended.code else "") or "".join(map(str, left))


@fault
def no_space_for_a_table(place: Place) -> str:
    return no_space(place, f"table {place.undisturbed} --out {place.here / 'a.csv'}", 500)


@fault
def no_space_in_a_sweep(place: Place) -> str:
    sweep = sweep_toml(place.here / "sweep.toml", place.images)
    words = f"sweep {sweep} --out {place.here / 'store'} --device cpu"
    with files_of_at_most(100_000):
        ended = place.seatbelt(words)
    wrong = failed(ended)
    again = place.seatbelt(f"{words} --retry")
    return wrong or (again.err if again.code else "")


@fault
def a_disk_of_one_megabyte(place: Place) -> str:
    disk = place.here / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        return SKIPPED
    try:
        words = f"train {TRAIN} --steps {STEPS} --data {place.images} --out {disk / 'run'}"
        wrong = failed(place.seatbelt(words))
        left = [path.name for path in disk.rglob(".*.*") if path.name != ".lock.owner"]
        subprocess.run(["mount", "-o", "remount,size=99m", str(disk)], check=True)
        again = place.seatbelt(words)
        return wrong or ", ".join(left) or (again.err if again.code else "")
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


# Folders that cannot be written, or are gone


def as_nobody(work: Callable[[], str]) -> str:
    """Do something as a user whom folders keep out; root is kept out of nothing."""
    if os.geteuid():
        return work()
    reading, writing = os.pipe()

    def apart_from_root() -> Ended:
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        os.write(writing, work().encode()[:60_000])
        return Ended(0, "", "")

    (code,) = apart(apart_from_root)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        return pipe.read() or (f"exit code {code}" if code else "")


def outputs(place: Place) -> Path:
    """A folder where nobody's output may go."""
    place.here.chmod(0o755)
    made = place.here / "outputs"
    made.mkdir()
    made.chmod(0o777)
    return made


@fault
def a_store_that_cannot_be_written(place: Place) -> str:
    to = outputs(place)
    words = f"{TRAIN} --steps 2 --data {place.images} --out {place.here / 'run'}".split()
    return as_nobody(lambda: failed(seatbelt("train", *words, to=to)))


@fault
def a_run_that_cannot_be_written(place: Place) -> str:
    to = outputs(place)
    shutil.copytree(place.undisturbed, place.run)
    words = f"{ATTACK} --seed 7".split()
    return as_nobody(lambda: failed(seatbelt("attack", str(place.run), *words, to=to)))


@fault
def a_run_that_can_only_be_read(place: Place) -> str:
    """Its tables are made all the same."""
    to = outputs(place)
    shutil.copytree(place.undisturbed, place.run)
    words = ["table", str(place.run), "--out", str(to / "a.csv")]
    return as_nobody(lambda: failed(seatbelt(*words, to=to), code=0))


@fault
def a_run_that_cannot_be_read(place: Place) -> str:
    to = outputs(place)
    shutil.copytree(place.undisturbed, place.run)
    for path in place.run.rglob("*.json"):
        path.chmod(0o600)
    return as_nobody(lambda: failed(seatbelt("table", str(place.run), "--out", "a.csv", to=to), code=2))


@fault
def data_that_cannot_be_read(place: Place) -> str:
    to = outputs(place)
    secret = images_npz(place.here / "secret.npz")
    secret.chmod(0o600)
    return as_nobody(lambda: failed(seatbelt("data", "info", str(secret), to=to), code=2))


@fault
def a_folder_of_prepared_data_that_cannot_be_written(place: Place) -> str:
    to = outputs(place)
    os.environ["SEATBELT_DATA"] = str(place.here / "closed")
    words = f"chairs --source {place.images.parent / 'rendered_chairs.tar'} --size 16 --unchecked".split()
    return as_nobody(lambda: failed(seatbelt("data", "prepare", *words, to=to)))


@contextmanager
def at_step(step: int, does: Callable[[], object]) -> Iterator[None]:
    """Let something happen before a step of the training."""
    from seatbelt_vae.training.update import Update

    update = Update.__call__

    def changed(this: Update, now: int, *more: Any) -> Any:
        if now == step:
            does()
        return update(this, now, *more)

    Update.__call__ = changed  # type: ignore[method-assign]
    try:
        yield
    finally:
        Update.__call__ = update  # type: ignore[method-assign]


@fault
def a_run_that_vanishes_in_training(place: Place) -> str:
    with at_step(3, lambda: shutil.rmtree(place.run)):
        ended = place.train()
    return ended.fault or place.whole()


@fault
def a_run_that_becomes_a_file(place: Place) -> str:
    def replace() -> None:
        shutil.rmtree(place.run)
        place.run.write_text("a file")

    with at_step(3, replace):
        ended = place.train()
    place.run.unlink()
    return failed(ended) or place.whole()


@fault
def a_working_directory_that_vanishes(place: Place) -> str:
    (place.here / "gone").mkdir()
    os.chdir(place.here / "gone")
    (place.here / "gone").rmdir()
    for words in ("data list", f"table {place.undisturbed} --out {place.here / 'a.csv'}", "table run --out a.csv"):
        ended = place.seatbelt(words)
        if ended.fault:
            return f"{words}: {ended.fault}"
    return ""


@fault
def data_that_vanish_in_training(place: Place) -> str:
    images = place.here / "images.npz"
    shutil.copy(place.images, images)
    words = f"train {TRAIN} --steps {STEPS} --data {images} --out {place.run}"
    with at_step(3, images.unlink):
        ended = place.seatbelt(words)
    return failed(ended, code=0) or failed(place.seatbelt(f"evaluate {place.run} {EVALUATE}"), code=2)


@fault
def prepared_data_that_are_cut_short_in_training(place: Place) -> str:
    """A map of a file that was cut ends a process without a word where it is read."""
    assert place.seatbelt(f"data prepare chairs --source {place.images}").code == 0
    images = next((place.here / "prepared").rglob("images.npy"))
    words = f"train {TRAIN} --steps {STEPS} --data chairs --out {place.run}"

    def work() -> Ended:
        dataset.IN_MEMORY = 0  # as large data are
        with at_step(3, lambda: os.truncate(images, 200)):
            return place.seatbelt(words)

    (code,) = apart(work)
    said = (place.here / "stderr").read_text()
    return "" if code in (1, 2) else f"exit code {code}: {said}"


# Clocks


@fault
def a_clock_that_jumps(place: Place) -> str:
    jumps = Random(0)
    clock = time.time
    time.time = lambda: clock() + jumps.choice((-1e9, -3600, 0, 3600, 1e9))
    try:
        return place.whole()
    finally:
        time.time = clock


@fault
def a_clock_that_jumps_in_a_sweep(place: Place) -> str:
    jumps = Random(0)
    clock = time.time
    time.time = lambda: clock() + jumps.choice((-1e9, -3600, 0, 3600, 1e9))
    sweep = sweep_toml(place.here / "sweep.toml", place.images)
    try:
        return failed(place.seatbelt(f"sweep {sweep} --out {place.here / 'store'} --device cpu"), code=0)
    finally:
        time.time = clock


# Closed and full pipes


def in_a_shell(place: Place, line: str, codes: tuple[int, ...] = (0,)) -> str:
    """What is wrong with a command in a shell, which may close its pipes."""
    code = "import sys; from seatbelt_vae.cli import main; sys.exit(main())"
    environment = {**os.environ, "SEATBELT": f"{sys.executable} -c '{code}'"}
    ended = subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=environment, cwd=place.here)
    if ended.returncode not in codes or "Traceback" in ended.stderr:
        return f"{line}: exit code {ended.returncode}: {ended.stderr}"
    return ""


@fault
def everything_is_closed(place: Place) -> str:
    words = f"train {TRAIN} --steps {STEPS} --data {place.images} --out {place.run}"
    return in_a_shell(place, f"eval $SEATBELT {words} <&- >&- 2>&-") or place.whole()


@fault
def stderr_is_closed(place: Place) -> str:
    words = f"train {TRAIN} --steps {STEPS} --data {place.images} --out {place.run}"
    return in_a_shell(place, f"eval $SEATBELT {words} 2>&-") or place.whole()


@fault
def stderr_is_full(place: Place) -> str:
    words = f"attack {place.run} {ATTACK}"
    shutil.copytree(place.undisturbed, place.run)
    shutil.rmtree(place.run / "attacks")
    return in_a_shell(place, f"eval $SEATBELT {words} 2>/dev/full") or place.whole()


@fault
def stdout_is_full(place: Place) -> str:
    return in_a_shell(place, "eval $SEATBELT data list >/dev/full", codes=(1,))


@fault
def nobody_reads_on(place: Place) -> str:
    return in_a_shell(place, "set -o pipefail; eval $SEATBELT data list | true", codes=(0, 1, 141))


@fault
def a_terminal_of_no_width(place: Place) -> str:
    return in_a_shell(place, "COLUMNS=0 LINES=0 TERM=dumb LC_ALL=C bash -c 'eval $SEATBELT train --help'")


@fault
def no_home_and_no_language(place: Place) -> str:
    line = "env -u HOME -u USER -u SEATBELT_DATA LC_ALL=C PYTHONUTF8=0 bash -c 'eval $SEATBELT data list'"
    return in_a_shell(place, line)


# Memory and handles


@fault
def a_chunk_that_does_not_fit(place: Place) -> str:
    """Memory for few images at a time: chunks are halved, and the result is the same."""
    assert place.train().code == 0
    with decoding_at_most(3):
        ended = place.seatbelt(f"attack {place.run} {ATTACK}")
    if ended.fault or ended.code not in (0, 1):
        return ended.fault or ended.err
    return place.whole()


@contextmanager
def decoding_at_most(images: int) -> Iterator[None]:
    """Fail as a GPU does where more images than these are encoded at once."""
    from seatbelt_vae.models import HierarchicalVAE

    encode = HierarchicalVAE.encode

    def limited(this: Any, x: Any, *more: Any, **options: Any) -> Any:
        if len(x) > images:
            raise torch.OutOfMemoryError("tried to allocate 1 TiB")
        return encode(this, x, *more, **options)

    HierarchicalVAE.encode = limited  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        HierarchicalVAE.encode = encode  # type: ignore[method-assign]


@fault
def a_batch_that_fits_nowhere(place: Place) -> str:
    words = "train --model vae --network conv --hidden-sizes 20000000 --latent-sizes 900000 --steps 1 --device cpu"
    return failed(place.seatbelt(f"{words} --data {place.images} --out {place.run}"))


@fault
def few_handles(place: Place) -> str:
    folder = place.here / "pictures"
    folder.mkdir()
    for number in range(60):
        (folder / f"{number:03d}.png").write_bytes(picture("PNG", number))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (40, hard))
    try:
        return failed(place.seatbelt(f"data info {folder} --sheet {place.here / 'sheet.png'}"), code=0)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# Two at once, and workers that die


def two(place: Place, words: str, codes: tuple[int, ...] = (0, 1)) -> str:
    """What is wrong where two do the same at once: one may be told that the other is at it."""
    for name in "ab":
        (place.here / name).mkdir()
    ended = apart(*(lambda to=place.here / name: seatbelt(*words.split(), to=to) for name in "ab"))
    said = [(place.here / name / "stderr").read_text() for name in "ab"]
    if "Traceback" in "".join(said) or not set(ended) <= set(codes) or 0 not in ended:
        return f"exit codes {ended}: {said}"
    return ""


@fault
def two_trainings_of_a_run(place: Place) -> str:
    return two(place, f"train {TRAIN} --steps {STEPS} --data {place.images} --out {place.run}") or place.whole()


@fault
def two_evaluations_of_a_run(place: Place) -> str:
    assert place.train().code == 0
    return two(place, f"evaluate {place.run} {EVALUATE}") or place.whole()


@fault
def two_attacks_on_a_run(place: Place) -> str:
    assert place.train().code == 0
    return two(place, f"attack {place.run} {ATTACK}") or place.whole()


@fault
def two_preparations_of_data(place: Place) -> str:
    source = place.images.parent / "rendered_chairs.tar"
    wrong = two(place, f"data prepare chairs --source {source} --size 16 --unchecked", codes=(0,))
    return wrong or failed(place.seatbelt(f"data info chairs --sheet {place.here / 'a.png'}"), code=0)


@fault
def two_sweeps_of_a_store(place: Place) -> str:
    sweep = sweep_toml(place.here / "sweep.toml", place.images)
    words = f"sweep {sweep} --out {place.here / 'store'} --device cpu"
    return two(place, words, codes=(0,)) or failed(place.seatbelt(words), code=0)


@fault
def a_worker_that_dies(place: Place) -> str:
    """The first worker of an engine is killed; the sweep gives the run to another."""
    sweep = sweep_toml(place.here / "sweep.toml", place.images)
    words = f"sweep {sweep} --out {place.here / 'store'} --device cpu --engine local --workers 1".split()
    code = "import sys; from seatbelt_vae.cli import main; sys.exit(main(sys.argv[1:]))"
    with (place.here / "stderr").open("w") as err:
        started = subprocess.Popen([sys.executable, "-c", code, *words], stdout=err, stderr=err)
        killed = killed_worker(started, place.here / "store")
        ended = started.wait()
    said = (place.here / "stderr").read_text()
    if ended or "Traceback" in said or not killed:
        return f"exit code {ended}, a worker killed: {killed}: {said}"
    return ""


def killed_worker(started: "subprocess.Popen[bytes]", store: Path) -> bool:
    """Wait for the first worker at work, and kill it."""
    while started.poll() is None:
        for path in store.glob("*/.lock.owner"):
            _, _, process = path.read_text().partition(" ")
            if process.strip().isdigit() and int(process) != started.pid:
                os.kill(int(process), signal.SIGKILL)
                return True
        time.sleep(0.01)
    return False


KIND = Kind("faults", ("faults", "survived"), len(FAULTS), prepare, case, seconds=240, least=0.5)
