import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seatbelt_vae.errors import InputError
from seatbelt_vae.training.schedule import BatchSchedule, cosine_decay, derived_seed


def test_seeds_of_different_purposes_differ() -> None:
    seeds = {
        derived_seed(seed, purpose, step) for seed in range(3) for purpose in ("noise", "epoch") for step in range(50)
    }
    assert len(seeds) == 300
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_seed_is_the_same_in_every_process() -> None:
    assert derived_seed(0, "noise", 1) == 4331743028374165210


def test_cosine_decay_against_torch() -> None:
    optimiser = torch.optim.SGD([torch.zeros(1)], lr=0.3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=7)
    for step in range(7):
        assert math.isclose(cosine_decay(0.3, step, 7), schedule.get_last_lr()[0], rel_tol=1e-9)
        optimiser.step()
        schedule.step()


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.data())
def test_an_epoch_shows_every_example_once_but_for_the_odd_end(size: int, data: st.DataObject) -> None:
    batch_size = data.draw(st.integers(1, size))
    schedule = BatchSchedule(size, batch_size, seed=3)
    steps = size // batch_size
    seen = torch.cat([schedule.batch(step) for step in range(steps)]).tolist()
    assert len(set(seen)) == len(seen) == steps * batch_size


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 30), st.integers(0, 100), st.data())
def test_others_are_distinct_and_not_in_the_batch(size: int, step: int, data: st.DataObject) -> None:
    batch_size = data.draw(st.integers(1, size - 1))
    count = data.draw(st.integers(0, size - batch_size))
    schedule = BatchSchedule(size, batch_size, seed=0)
    together = torch.cat([schedule.batch(step), schedule.others(step, count)]).tolist()
    assert len(set(together)) == batch_size + count


def test_epochs_and_seeds_shuffle_differently() -> None:
    first, second = BatchSchedule(50, 50, 0).batch(0), BatchSchedule(50, 50, 0).batch(1)
    assert not torch.equal(first, second)
    assert not torch.equal(first, BatchSchedule(50, 50, 1).batch(0))


@pytest.mark.parametrize("batch_size", [0, 11])
def test_a_batch_must_fit(batch_size: int) -> None:
    with pytest.raises(InputError, match="use a number from 1 to 10"):
        BatchSchedule(10, batch_size, 0)


def test_others_must_fit() -> None:
    with pytest.raises(InputError, match="use at most 10"):
        BatchSchedule(10, 4, 0).others(0, 7)
