import numpy as np
import pytest
import torch
from PIL import Image

from seatbelt_vae.data import ImageDataset
from seatbelt_vae.data.resize import height_width, resize, to_grey
from seatbelt_vae.errors import InputError


@pytest.fixture
def colours() -> torch.Tensor:
    return torch.randint(256, (3, 3, 12, 12), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 6])
def test_whole_blocks_are_averaged(colours, size):
    block = 12 // size
    means = colours.double().view(3, 3, size, block, size, block).mean(dim=(3, 5))
    assert (resize(colours, (size, size)).double() - means).abs().max() <= 0.5 + 1e-4


@pytest.mark.parametrize("size", [5, 7, 20])
def test_other_sizes_agree_with_pillow(colours, size):
    for image, ours in zip(colours, resize(colours, (size, size)), strict=True):
        picture = Image.fromarray(image.permute(1, 2, 0).numpy())
        theirs = np.array(picture.resize((size, size), Image.Resampling.BILINEAR)).astype(float)
        assert np.abs(ours.permute(1, 2, 0).numpy() - theirs).max() <= 1


def test_same_size_is_the_same(colours):
    assert torch.equal(resize(colours, (12, 12)), colours)


@pytest.mark.parametrize("size", [(6, 4), (5, 9), (24, 3), (12, 8)])
def test_the_centre_is_kept_where_the_shape_changes(colours, size):
    """As Pillow: cut the middle out, then resize."""
    height, width = size
    part = min(12, round(12 * height / width)), min(12, round(12 * width / height))
    top, left = (12 - part[0]) // 2, (12 - part[1]) // 2
    middle = colours[:, :, top : top + part[0], left : left + part[1]]
    assert torch.equal(resize(colours, size), resize(middle, size))
    for image, ours in zip(middle, resize(middle, size), strict=True):
        picture = Image.fromarray(image.permute(1, 2, 0).numpy())
        theirs = np.array(picture.resize((width, height), Image.Resampling.BILINEAR)).astype(float)
        blocks = part[0] % height == 0 and part[1] % width == 0
        assert blocks or np.abs(ours.permute(1, 2, 0).numpy() - theirs).max() <= 1


def test_a_size_is_written_in_three_ways(colours):
    data = ImageDataset(colours)
    assert data.resized((6, 4)).digest == data.resized("6x4").digest != data.resized((4, 6)).digest
    assert data.resized(6).digest == data.resized("6").digest == data.resized((6, 6)).digest
    assert data.resized("6x4").image_shape == (3, 6, 4)


@pytest.mark.parametrize("size", ["", "6x", "6x4x2", "x", "6.5", (6, 4, 2), (), (6.0, 4), True, "9" * 5000])
def test_what_is_no_size(size):
    with pytest.raises(InputError, match="must be a side in pixels, or height and width such as 48x64"):
        height_width(size)


@pytest.mark.parametrize("size", [0, -1, 1025, "0x5", (5, 2000), "999999999"])
def test_a_side_out_of_range(size):
    with pytest.raises(InputError, match="the side must lie between 1 and 1024 pixels"):
        height_width(size)


def test_grey_agrees_with_pillow(colours):
    for image, ours in zip(colours, to_grey(colours), strict=True):
        theirs = np.array(Image.fromarray(image.permute(1, 2, 0).numpy()).convert("L")).astype(float)
        assert np.abs(ours[0].numpy() - theirs).max() <= 1
    assert torch.equal(to_grey(to_grey(colours)), to_grey(colours))
