import math

import numpy as np
import pytest
import torch

from seatbelt_vae.data import draw_sprites, load_dataset, sprite_index
from seatbelt_vae.data.sprites import FACTOR_SIZES, HEART_RADII, SpriteImages
from seatbelt_vae.errors import InputError

ORIGINAL = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz of https://github.com/google-deepmind/dsprites-dataset"


@pytest.fixture(scope="module")
def sprites() -> SpriteImages:
    return SpriteImages()


@pytest.fixture
def real(real_file):
    with np.load(real_file("dsprites_real112.npz", ORIGINAL), allow_pickle=False) as file:
        return torch.from_numpy(file["images"] * np.uint8(255)).unsqueeze(1), file["latents_values"]


def classes_of(values: np.ndarray) -> torch.Tensor:
    """Turn the original's (colour, shape, scale, orientation, x, y) into class indices."""
    position = np.linspace(0, 1, 32)
    grids = (np.arange(1, 4), np.linspace(0.5, 1, 6), np.linspace(0, 2 * np.pi, 40), position, position)
    columns = [np.abs(values[:, i + 1, None] - grid).argmin(1) for i, grid in enumerate(grids)]
    return torch.from_numpy(np.stack(columns, axis=1))


def test_labelled_originals_differ_in_at_most_one_pixel(sprites, real):
    images, values = real
    wrong = (sprites[sprite_index(classes_of(values))] != images[: len(values)]).flatten(1).sum(1)
    assert len(wrong) == 12
    assert wrong.max() <= 1


def test_unlabelled_originals_are_found_among_the_drawn(sprites, real):
    images = real[0][12:112:5]  # each fifth, or the search takes long
    wrong = torch.tensor([nearest(sprites, image) for image in images])
    assert wrong.max() <= 7
    assert (wrong <= 1).float().mean() >= 0.85


def nearest(sprites: SpriteImages, image: torch.Tensor) -> int:
    """Count the pixels in which the likeliest drawn sprite differs: of similar centre, any shape, scale and angle."""
    white = image[0].nonzero().double() + 0.5
    y, x = ((white.mean(0) - 16) / 32 * 31).round().long().tolist()
    around = [(i, j) for i in range(x - 2, x + 3) for j in range(y - 2, y + 3) if 0 <= i < 32 and 0 <= j < 32]
    poses = torch.cartesian_prod(torch.arange(3), torch.arange(6), torch.arange(40))
    poses = poses[near_in_area(poses, len(white))]
    where = torch.tensor(around)
    grid = torch.cat([poses.repeat_interleave(len(where), 0), where.repeat(len(poses), 1)], dim=1)
    drawn = sprites[sprite_index(grid)]
    return int((drawn != image).flatten(1).sum(1).min())


def near_in_area(poses: torch.Tensor, area: int) -> torch.Tensor:
    heart = math.pi / 36 * sum(a * b for a, b in zip(HEART_RADII, HEART_RADII[1:], strict=False))
    full = torch.tensor([19.2**2, math.pi * 12.76 * 7.21, heart])
    scale = 0.5 + 0.1 * poses[:, 1]
    return ((full[poses[:, 0]] * scale**2).sqrt() - math.sqrt(area)).abs() < 0.6


def reference(classes: list[int]) -> np.ndarray:
    """Draw one sprite pixel by pixel from the formula, every pixel looked at."""
    shape, scale, orientation, x, y = classes
    size, angle = 0.5 + 0.1 * scale, 2 * math.pi * orientation / 39
    image = np.zeros((64, 64), dtype=np.uint8)
    for row in range(64):
        for column in range(64):
            a = (column + 0.5 - 16 - 32 * x / 31) / size
            b = (row + 0.5 - 16 - 32 * y / 31) / size
            u = math.cos(angle) * a - math.sin(angle) * b
            v = math.sin(angle) * a + math.cos(angle) * b
            inside = (
                max(abs(u), abs(v)) <= 9.6,
                (u / 12.76) ** 2 + (v / 7.21) ** 2 <= 1,
                math.hypot(u, v) <= np.interp(abs(math.atan2(u, -v)), np.linspace(0, math.pi, 37), HEART_RADII),
            )
            image[row, column] = 255 * inside[shape]
    return image


def test_patches_lose_no_pixel(sprites):
    random = torch.randint(math.prod(FACTOR_SIZES), (12,), generator=torch.Generator().manual_seed(0))
    corners = [sprite_index(torch.tensor([s, 5, 5, 31 * i, 31 * j])) for s in range(3) for i, j in ((0, 1), (1, 0))]
    for index in [*random, *corners]:
        classes = [int(c) for c in torch.unravel_index(index, FACTOR_SIZES)]
        assert np.array_equal(sprites[int(index)][0].numpy(), reference(classes)), classes


def test_order_and_values(sprites):
    data = load_dataset("sprites")
    assert len(data) == len(sprites) == 737280
    assert sprites.shape == (737280, 1, 64, 64)
    assert sprites.dtype == torch.uint8
    index = torch.tensor([0, 1, 32, 1024, 40960, 245760, 737279])
    assert torch.equal(sprite_index(data.factors[index]), index)
    assert data.factors[[1, 32, 1024, 40960, 245760]].tolist() == torch.eye(5).long().flip(0).tolist()
    assert set(sprites[index].unique().tolist()) == {0, 255}


def test_moving_x_moves_right_and_y_down(sprites):
    def centre(*classes):
        rows = sprites[int(sprite_index(torch.tensor(classes)))][0].nonzero().double()
        return rows.mean(0)

    assert centre(2, 3, 7, 31, 10)[1] - centre(2, 3, 7, 0, 10)[1] == pytest.approx(32, abs=0.5)
    assert centre(2, 3, 7, 10, 31)[0] - centre(2, 3, 7, 10, 0)[0] == pytest.approx(32, abs=0.5)


def test_every_way_of_indexing_agrees(sprites):
    rows = sprites[1000:1010:3]
    assert torch.equal(rows, sprites[torch.tensor([1000, 1003, 1006, 1009])])
    assert torch.equal(rows, sprites[[1000, 1003, 1006, 1009]])
    assert torch.equal(rows[0], sprites[1000])
    assert torch.equal(sprites[-1], sprites[737279])
    for outside in (737280, -737281, [0, 737280]):
        with pytest.raises(IndexError, match="out of range"):
            sprites[outside]


def test_poses_between_the_grids():
    half, one = torch.tensor([0.5]), torch.tensor([1.0])
    ellipse = draw_sprites(torch.tensor([1]), one, torch.tensor([0.1]), half, half)
    turned = draw_sprites(torch.tensor([1]), one, torch.tensor([0.1 + math.pi]), half, half)
    assert torch.equal(ellipse, turned)
    assert int(ellipse.count_nonzero()) == pytest.approx(math.pi * 12.76 * 7.21, rel=0.03)


@pytest.mark.parametrize(("name", "value"), [("shape", 3), ("scale", 1.5), ("scale", 0), ("x", -0.1), ("y", math.nan)])
def test_poses_out_of_range(name, value):
    pose = {"shape": 0, "scale": 1.0, "orientation": 0.0, "x": 0.5, "y": 0.5, name: value}
    with pytest.raises(InputError, match=name):
        draw_sprites(**{key: torch.tensor([value]) for key, value in pose.items()})


def test_splitting_all_of_them_draws_none():
    parts = load_dataset("sprites").split(test=0.1, seed=3)
    assert (len(parts.train), len(parts.test)) == (663552, 73728)
    assert not isinstance(parts.train.images, torch.Tensor)
    index = parts.test.images.indices[:50]
    assert torch.equal(parts.test.images[:50], SpriteImages()[index])
    assert torch.equal(sprite_index(parts.test.factors[:50]), index)


def test_a_small_subset_is_held_and_a_resized_one_is_the_mean_of_blocks():
    data = load_dataset("sprites", count=40, seed=1)
    small = load_dataset("sprites", count=40, seed=1, size=16)
    assert isinstance(data.images, torch.Tensor)
    assert isinstance(small.images, torch.Tensor)
    means = data[:].view(40, 1, 16, 4, 16, 4).mean(dim=(3, 5))
    assert (small[:] - means).abs().max() <= 0.5 / 255 + 1e-6
