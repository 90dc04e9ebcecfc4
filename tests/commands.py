"""How tests speak to the command line: what a command printed where, and with which exit code it ended."""

from collections.abc import Callable
from dataclasses import dataclass

NETWORK = "--model seatbelt --latent-sizes 4,2 --network tiny --hidden-sizes 8"
TINY = f"{NETWORK} --steps 4 --batch-size 16 --test 0.4 --device cpu"


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def last(self) -> str:
        return self.err.strip().splitlines()[-1]


Run = Callable[..., Outcome]


def refused(outcome: Outcome, *parts: str) -> None:
    """Exit code 2, nothing on stdout, and one line on stderr that has these parts."""
    assert outcome.code == 2
    assert outcome.out == ""
    lines = outcome.err.strip().splitlines()
    assert len(lines) == 1, outcome.err
    assert lines[0].startswith("seatbelt: ")
    for part in parts:
        assert part in lines[0]
