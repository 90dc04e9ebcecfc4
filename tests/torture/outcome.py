"""What came of a case, and the table of all."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """What came of a case.

    Attributes:
        made: how much was tried, in the words of its kind.
        held: how much of that ended as it should.
        hole: what went wrong, empty if nothing did.
        notes: how often it ended in which way.
    """

    made: int = 1
    held: int = 1
    hole: str = ""
    notes: dict[str, int] = field(default_factory=dict)

    @property
    def line(self) -> bytes:
        """A line of JSON, as it goes through a pipe."""
        return json.dumps(asdict(self)).encode() + b"\n"


def hole(words: str, made: int = 1) -> Outcome:
    """A case that failed."""
    return Outcome(made, 0, words[:2000])


@dataclass(frozen=True)
class Kind:
    """A kind of torture.

    Attributes:
        name: of the row.
        words: what is counted, made and held.
        cases: how many in full; at a smaller share, so many fewer.
        prepare: makes what the cases share, in a folder, once.
        case: does one: what was prepared, the case's number, its random numbers, an empty folder of its own.
        seconds: that one case may take, at most, on a machine that is busy.
        least: share of the cases that is done however small the share that is asked for.
    """

    name: str
    words: tuple[str, str]
    cases: int
    prepare: Callable[[Path], Any]
    case: Callable[[Any, int, Random, Path], Outcome]
    seconds: float = 120.0
    least: float = 0.0

    def numbers(self, share: float, seed: int) -> list[int]:
        """The cases to do, drawn by the seed."""
        count = max(1, round(max(share, self.least) * self.cases))
        return sorted(Random(f"{seed} {self.name}").sample(range(self.cases), count))


@dataclass(frozen=True)
class Row:
    """A kind, what came of its cases, and the seconds of CPU that they took."""

    kind: Kind
    outcomes: dict[int, Outcome]
    seconds: float

    @property
    def holes(self) -> dict[int, str]:
        """What went wrong, by case."""
        return {case: found.hole for case, found in sorted(self.outcomes.items()) if found.hole}

    @property
    def cells(self) -> list[str]:
        """The row as words."""
        made = sum(found.made for found in self.outcomes.values())
        held = sum(found.held for found in self.outcomes.values())
        notes: Counter[str] = Counter()
        for found in self.outcomes.values():
            notes.update(found.notes)
        ways = ", ".join(f"{count} {way}" for way, count in notes.most_common())
        tried, kept = self.kind.words
        return [self.kind.name, f"{made} {tried}", f"{held} {kept}", str(len(self.holes)), f"{self.seconds:.0f}", ways]


HEADINGS = ["torture", "made", "held", "holes", "CPU s", "how they ended"]


def table(rows: Sequence[Row]) -> str:
    """All rows in columns."""
    cells = [HEADINGS, *(row.cells for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for row in cells:
        words = [word.ljust(width) for word, width in zip(row, widths, strict=True)]
        lines.append("  ".join(words).rstrip())
    return "\n".join(lines)
