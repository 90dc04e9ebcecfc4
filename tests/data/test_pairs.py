import math

import pytest
import torch

from seatbelt_vae.data import ImageDataset, draw_pairs, draw_sprites, load_dataset, pairs, rotated_hearts
from seatbelt_vae.errors import InputError


def test_pairs_are_the_data_at_their_indices(numbered):
    drawn = pairs(numbered, 10, seed=0)
    assert len(drawn) == 10
    assert torch.equal(drawn.source, numbered[drawn.source_index])
    assert torch.equal(drawn.target, numbered[drawn.target_index])


@pytest.mark.parametrize("seed", range(4))
def test_all_images_differ_and_people_too(numbered, seed):
    drawn = pairs(numbered, 12, seed=seed)
    assert torch.cat([drawn.source_index, drawn.target_index]).unique().numel() == 24
    person = numbered.factor("person")
    assert (person[drawn.source_index] != person[drawn.target_index]).all()


def test_the_same_seed_draws_the_same(numbered):
    first, again, other = pairs(numbered, 8, 1), pairs(numbered, 8, 1), pairs(numbered, 8, 2)
    assert first.digest == again.digest != other.digest
    assert torch.equal(first.source_index, again.source_index)
    assert torch.equal(pairs(numbered, 3, 1).target_index, first.target_index[:3])


def test_the_digest_is_of_pixels_and_bounds(numbered):
    renamed = ImageDataset(numbered.images, factors=numbered.factors, factor_names=numbered.factor_names)
    assert pairs(renamed, 5).digest == pairs(numbered, 5).digest  # person is the first factor in both
    assert pairs(numbered.within((-1.0, 1.0)), 5).digest != pairs(numbered, 5).digest


def test_images_that_look_alike_are_taken_once():
    sprites = load_dataset("sprites")
    heart = (sprites.factor("shape") == 2) & (sprites.factor("scale") == 5) & (sprites.factor("x") == 3)
    data = sprites.subset((heart & (sprites.factor("y") == 4)).nonzero().squeeze(1))  # angles 0 and 2π look alike
    assert len(data) == 40
    drawn = pairs(data, 19)
    images = torch.cat([drawn.source, drawn.target]).flatten(1)
    assert images.unique(dim=0).shape[0] == 38
    with pytest.raises(InputError, match="20 pairs need 40 different images, it has 39"):
        pairs(data, 20)


def test_one_class_left_is_paired_with_itself():
    images = torch.arange(8, dtype=torch.uint8).view(8, 1, 1, 1)
    side = torch.tensor([0, 0, 0, 0, 0, 0, 0, 1]).unsqueeze(1)
    data = ImageDataset(images, factors=side, factor_names=("side",))
    drawn = pairs(data, 4, seed=0)
    assert sorted(torch.cat([drawn.source_index, drawn.target_index]).tolist()) == list(range(8))


def test_too_few_images(numbered):
    assert len(pairs(numbered, 30)) == 30
    with pytest.raises(InputError, match="31 pairs need 62 different images, it has 60"):
        pairs(numbered, 31)
    for count in (0, -(2**70)):
        with pytest.raises(InputError, match="at least one pair"):
            pairs(numbered, count)


@pytest.mark.parametrize("count", [2**61, 2**63, 10**1000, 10**6000], ids=["2^61", "2^63", "1000 digits", "6000"])
@pytest.mark.parametrize("kind", ["test", "rotated-hearts"])
def test_more_pairs_than_a_number_can_say(numbered, count, kind):
    with pytest.raises(InputError, match=r"pairs need|at most 4096") as caught:
        draw_pairs(numbered, kind, count)
    assert len(str(caught.value)) < 500


def test_kinds_of_pairs(numbered):
    assert draw_pairs(numbered, "test", 5, seed=3).digest == pairs(numbered, 5, seed=3).digest
    wide = numbered.within((-1.0, 1.0))
    drawn = draw_pairs(wide, "rotated-hearts", 5)
    assert drawn.digest == rotated_hearts(5, 8, (-1.0, 1.0)).digest
    assert float(drawn.source.min()) == -1
    with pytest.raises(InputError, match="pairs of 'circles': no such kind; known: test, rotated-hearts"):
        draw_pairs(numbered, "circles", 5)
    colour = ImageDataset(numbered.images.expand(-1, 3, -1, -1))
    with pytest.raises(InputError, match="images are 3×8×8; rotated hearts are square and grey"):
        draw_pairs(colour, "rotated-hearts", 5)
    with pytest.raises(InputError, match="images are 1×8×6; rotated hearts are square and grey"):
        draw_pairs(ImageDataset(numbered.images[..., :6]), "rotated-hearts", 5)


@pytest.mark.parametrize("size", [64, 32])
def test_hearts_are_those_of_the_sprites_and_turned_by_half_a_turn(size):
    drawn = rotated_hearts(4, size)
    assert drawn.source.shape == drawn.target.shape == (4, 1, size, size)
    assert (len(drawn), drawn.source_index, drawn.target_index) == (4, None, None)
    assert torch.equal(drawn.target[0], rotated_hearts(2, size).source[1])
    assert (drawn.source.flip(2, 3) - drawn.target).abs().mean() < 0.01  # half a turn mirrors both axes
    assert (drawn.source[:2] - drawn.source[2:]).abs().mean() > 0.01
    assert drawn.digest != rotated_hearts(5, size).digest
    half = torch.full((1,), 0.5)
    heart = draw_sprites(torch.tensor([2]), torch.ones(1), torch.tensor([math.pi / 2]), half, half)
    assert torch.equal(drawn.source[1:2], ImageDataset(heart).resized(size)[:])
