import subprocess
import sys

import pytest
import torch

from seatbelt_vae.data import ImageDataset, load_dataset, pairs
from seatbelt_vae.errors import InputError


def numbers(dataset: ImageDataset) -> list[int]:
    return dataset.images[:][:, 0, 0, 0].tolist()


@pytest.mark.parametrize("bounds", [(0.0, 1.0), (-1.0, 1.0)])
def test_bytes_become_floats_within_bounds(bounds):
    images = torch.arange(256, dtype=torch.uint8).view(256, 1, 1, 1)
    values = ImageDataset(images, bounds=bounds)[:].flatten()
    assert values.dtype == torch.float32
    assert (values[0], values[-1]) == bounds
    expected = torch.linspace(*bounds, 256, dtype=torch.float64)
    assert torch.allclose(values.double(), expected, atol=2e-7)


def test_indexing(numbered):
    assert numbered[3].shape == (1, 8, 8)
    assert numbered[torch.tensor([3, 4])].shape == (2, 1, 8, 8)
    for index in (slice(50, None, -7), [-1, 0], torch.tensor([True] * 3 + [False] * 57)):
        rows = torch.arange(60).numpy()[index if not isinstance(index, torch.Tensor) else index.numpy()]
        assert (numbered[index][:, 0, 0, 0] * 255).round().tolist() == list(rows)
    assert len(list(numbered)) == 60  # IndexError ends the iteration
    for wrong in (60, torch.tensor([0.5]), torch.tensor([True])):
        with pytest.raises(IndexError):
            numbered[wrong]


def test_reading_does_not_change_what_is_held(numbered):
    numbered[:].zero_()
    assert numbers(numbered) == list(range(60))


def test_subsets_keep_what_is_known(numbered):
    part = numbered.subset([59, 0, 31])
    assert numbers(part) == [59, 0, 31]
    assert part.factors.tolist() == [[5, 1, 4], [0, 0, 0], [3, 0, 1]]
    assert part.factor_sizes == (6, 2, 5)
    assert (part.hold_out, part.name, part.factor("side").tolist()) == ("person", "numbered", [1, 0, 0])


def test_sample(numbered):
    part = numbered.sample(20, seed=5)
    assert numbers(part) == sorted(set(numbers(part)))
    assert numbers(part) == numbers(numbered.sample(20, seed=5)) != numbers(numbered.sample(20, seed=6))
    for count in (0, 61):
        with pytest.raises(InputError, match=f"count={count}"):
            numbered.sample(count)


@pytest.mark.parametrize("test", [0.1, 0.3, 0.5, 0.99])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_split_keeps_people_apart(numbered, test, seed):
    parts = numbered.split(test=test, seed=seed)
    assert sorted(numbers(parts.train) + numbers(parts.test)) == list(range(60))
    people = [set(part.factor("person").tolist()) for part in (parts.train, parts.test)]
    assert not people[0] & people[1]
    assert len(people[1]) == min(max(round(test * 6), 1), 5)
    assert numbers(parts.test) == numbers(numbered.split(test=test, seed=seed).test)


def test_people_with_many_images_count_for_more():
    person = torch.tensor([0] * 50 + [1] * 2 + [2] * 2 + [3] * 2 + [4] * 4)
    data = ImageDataset(
        torch.zeros(60, 1, 4, 4, dtype=torch.uint8), factors=person[:, None], factor_names=("p",), hold_out="p"
    )
    shares = [len(data.split(test=0.1, seed=seed).test) / 60 for seed in range(20)]
    assert min(abs(share - 0.1) for share in shares) < 0.04
    assert all(0 < share < 1 for share in shares)


def test_seeds_deal_differently(numbered):
    assert len({tuple(numbers(numbered.split(0.5, seed=seed).test)) for seed in range(8)}) > 3


def test_without_a_held_out_factor_images_are_dealt():
    data = ImageDataset(torch.arange(50, dtype=torch.uint8).view(50, 1, 1, 1))
    parts = data.split(test=0.2, seed=0)
    assert (len(parts.train), len(parts.test)) == (40, 10)
    assert sorted(numbers(parts.train) + numbers(parts.test)) == list(range(50))
    assert numbers(parts.test) != list(range(40, 50))


@pytest.mark.parametrize("test", [0, 1, -0.1, 1.5, float("nan")])
def test_shares_out_of_range(numbered, test):
    with pytest.raises(InputError, match="test="):
        numbered.split(test=test)


@pytest.mark.parametrize("seed", [2**64, -(2**70), 10**1000])
def test_seeds_that_no_generator_takes(numbered, seed):
    for draw in (numbered.split, lambda seed: numbered.sample(3, seed), lambda seed: pairs(numbered, 3, seed)):
        with pytest.raises(InputError, match="must lie between") as caught:
            draw(seed=seed)
        assert len(str(caught.value)) < 300


def test_what_cannot_be_split(numbered):
    with pytest.raises(InputError, match="one person"):
        numbered.subset(slice(0, 10)).split()
    with pytest.raises(InputError, match="1 images"):
        ImageDataset(torch.zeros(1, 1, 4, 4, dtype=torch.uint8)).split()


def test_digests_tell_data_apart(numbered):
    variants = [
        numbered,
        numbered.within((-1.0, 1.0)),
        numbered.resized(4),
        numbered.subset(slice(0, 59)),
        numbered.subset(slice(1, 60)),
        numbered.subset(torch.arange(59, -1, -1)),
        ImageDataset(numbered.images),
        ImageDataset(255 - numbered.images),
    ]
    assert len({data.digest for data in variants}) == len(variants)
    assert numbered.digest == ImageDataset(numbered.images.clone(), **known(numbered)).digest
    assert numbered.split(0.3, 1).train.digest == numbered.split(0.3, 1).train.digest


def known(data: ImageDataset) -> dict:
    return {"factors": data.factors, "factor_names": data.factor_names}


def test_digests_are_the_same_in_every_process():
    code = "from seatbelt_vae import data; print(data.load_dataset('sprites', count=9, seed=2).split(0.3).test.digest)"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert other == load_dataset("sprites", count=9, seed=2).split(0.3).test.digest
    assert len(other) == 64


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(2, 1, 8, 8), "uint8"),
        (torch.zeros(2, 8, 8, dtype=torch.uint8), "shape"),
        (torch.zeros(2, 2, 8, 8, dtype=torch.uint8), "shape"),
        (torch.zeros(0, 1, 8, 8, dtype=torch.uint8), "no image"),
        (torch.zeros(2, 1, 8, 8, dtype=torch.uint8).numpy(), "torch tensor"),
    ],
)
def test_images_of_another_kind(images, message):
    with pytest.raises(InputError, match=message):
        ImageDataset(images)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"factors": torch.zeros(2, 2, dtype=torch.int64)}, "factors have shape"),
        ({"factors": torch.zeros(3, 2)}, "int64"),
        ({"factors": -torch.ones(3, 2, dtype=torch.int64)}, "not negative"),
        ({"factors": None}, "without factors"),
        ({"hold_out": "light"}, "cannot hold out 'light'"),
        ({"bounds": (1.0, 0.0)}, "bounds"),
        ({"factor_names": ("a", "a")}, "same name"),
        ({"factor_sizes": (1,)}, "factor_sizes"),
        ({"factors": torch.ones(3, 2, dtype=torch.int64), "factor_sizes": (2, 1)}, "factor_sizes"),
        ({"factors": torch.full((3, 2), 2**62)}, "below 2\\^31"),
    ],
)
def test_factors_that_do_not_fit(change, message):
    fields = {"factors": torch.zeros(3, 2, dtype=torch.int64), "factor_names": ("a", "b"), **change}
    with pytest.raises(InputError, match=message):
        ImageDataset(torch.zeros(3, 1, 8, 8, dtype=torch.uint8), **fields)


def test_an_unknown_factor(numbered):
    with pytest.raises(InputError, match="no factor 'light'; its factors: person, side, pose"):
        numbered.factor("light")


def test_a_data_set_and_pairs_are_printed_in_a_line(numbered):
    factors = "factors person, side, pose"
    assert str(numbered) == f"ImageDataset numbered: 60 images (1, 8, 8) in (0.0, 1.0), {factors}"
    assert str(pairs(numbered, count=2)) == "Pairs: 2 of images (1, 8, 8)"
