"""Damaged files: each is refused in one line, or read with the value that it had; never another value unawares."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.torture.mutate import damaged
from tests.torture.outcome import Kind, Outcome, hole
from tests.torture.readers import Subject, by_command, subjects

LONGEST = 1000
"""Characters of a message."""


@dataclass(frozen=True)
class Known:
    """A file, and what is read of it when it is whole."""

    subject: Subject
    value: object


def prepare(root: Path) -> list[Known]:
    """Read every file once, from a copy, as the cases do."""
    found = []
    for subject in subjects(root):
        copy = laid(subject, root / "copy")
        value = subject.read(copy)
        shutil.rmtree(copy)
        found += [Known(subject, value)] * subject.weight
    return found


def laid(subject: Subject, place: Path) -> Path:
    """A copy of a subject's folder."""
    shutil.copytree(subject.folder, place)
    return place


def case(known: list[Known], number: int, random: Random, here: Path) -> Outcome:
    """Damage a file and read it; one case in ten by a command, too."""
    chosen = known[number % len(known)]
    subject = chosen.subject
    place = laid(subject, here / "case")
    path = place / subject.file
    path.write_bytes(damaged(path.read_bytes(), path.name, random))
    outcome = judged(chosen, place)
    if not outcome.hole and subject.words and number % 10 == 0:
        os.chdir(here if "case" in subject.words else place)
        fault = by_command(subject.words, here)
        if fault:
            return hole(f"{subject.name}, by a command: {fault}")
    return outcome


def judged(known: Known, place: Path) -> Outcome:
    """What reading a damaged file comes to."""
    from seatbelt_vae.errors import InputError, RunError

    subject = known.subject
    try:
        value = subject.read(place)
    except (InputError, RunError) as error:
        message = str(error)
        if "\n" in message or len(message) > LONGEST:
            return hole(f"{subject.name}: no clear line but {len(message)} characters: {message[:600]!r}")
        return Outcome(notes={"refused": 1})
    except Exception as error:
        return hole(f"{subject.name}: {type(error).__name__}: {error} at {origin(error)}")
    if value == known.value:
        return Outcome(notes={"right value": 1})
    if subject.sealed:
        return hole(f"{subject.name}: a silent difference: {unlike(value, known.value)}")
    if isinstance(value, tuple) and value[0] == known.value[0]:  # type: ignore[index]
        return hole(f"{subject.name}: another value with the same digest")
    return Outcome(notes={"another file, by its digest": 1})


def origin(error: BaseException) -> str:
    """Where in the project an exception comes from."""
    place, trace = "", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if "seatbelt_vae" in code.co_filename:
            place = f"{Path(code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def unlike(one: object, other: object) -> str:
    """The first place where two values differ, and what is there."""
    first, second = str(one), str(other)
    at = next((i for i, pair in enumerate(zip(first, second, strict=False)) if pair[0] != pair[1]), 0)
    begin = max(0, at - 60)
    return f"…{first[begin : at + 60]}… in the place of …{second[begin : at + 60]}…"


KIND = Kind(
    "files",
    ("files mutated", "refused cleanly or accepted with the right value"),
    6400,
    prepare,
    case,
    seconds=60,
)
