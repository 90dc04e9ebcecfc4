"""Torture sees what goes wrong: a case that fails, dies, hangs or eats memory is a hole, and the others are done."""

import os
import time
from pathlib import Path
from random import Random

import pytest

from tests.torture.mutate import damaged
from tests.torture.outcome import Kind, Outcome, table
from tests.torture.runner import MEMORY, run


def case(prepared: str, number: int, random: Random, here: Path) -> Outcome:
    assert prepared == "prepared"
    if number == 1:
        raise ValueError("a bug")
    if number == 2:
        os._exit(7)
    if number == 3:
        time.sleep(60)
    if number == 4:
        bytearray(2 * MEMORY)
    return Outcome(2, 2, notes={"well": 2})


KIND = Kind("small", ("things made", "held"), 6, lambda root: "prepared", case, seconds=6)


def test_every_way_to_fail_is_a_hole(tmp_path: Path) -> None:
    row = run(KIND, range(6), seed=0, root=tmp_path, workers=2)
    assert set(row.outcomes) == set(range(6))
    assert set(row.holes) == {1, 2, 3, 4}
    assert "ValueError: a bug" in row.holes[1]
    assert row.holes[2] == "the process ended with 7"
    assert row.holes[3] == "not done after 6 s"
    assert "MemoryError" in row.holes[4]
    assert "8 things made" in table([row])
    assert "4 held" in table([row])
    assert list(tmp_path.iterdir()) == []


def test_the_seed_draws_the_cases() -> None:
    kind = Kind("many", ("made", "held"), 1000, lambda root: None, case)
    assert kind.numbers(0.1, seed=1) == kind.numbers(0.1, seed=1) != kind.numbers(0.1, seed=2)
    assert len(kind.numbers(0.1, seed=1)) == 100
    assert kind.numbers(1.0, seed=1) == list(range(1000))


@pytest.mark.parametrize("name", ["a.bin", "a.json", "a.jsonl", "a.safetensors"])
def test_damage_is_damage_and_the_same_again(name: str) -> None:
    content = b'{"step": 1, "loss": [0.5, 2]}\n{"step": 2}\n'
    made = [damaged(content, name, Random(number)) for number in range(50)]
    assert content not in made
    assert made == [damaged(content, name, Random(number)) for number in range(50)]
    assert len(set(made)) > 25
