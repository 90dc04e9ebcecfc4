import numpy as np
import pytest
import torch
from PIL import Image

from seatbelt_vae.data.resize import resize, to_grey


@pytest.fixture
def colours() -> torch.Tensor:
    return torch.randint(256, (3, 3, 12, 12), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 6])
def test_whole_blocks_are_averaged(colours, size):
    block = 12 // size
    means = colours.double().view(3, 3, size, block, size, block).mean(dim=(3, 5))
    assert (resize(colours, size).double() - means).abs().max() <= 0.5 + 1e-4


@pytest.mark.parametrize("size", [5, 7, 20])
def test_other_sizes_agree_with_pillow(colours, size):
    for image, ours in zip(colours, resize(colours, size), strict=True):
        picture = Image.fromarray(image.permute(1, 2, 0).numpy())
        theirs = np.array(picture.resize((size, size), Image.Resampling.BILINEAR)).astype(float)
        assert np.abs(ours.permute(1, 2, 0).numpy() - theirs).max() <= 1


def test_same_size_is_the_same(colours):
    assert torch.equal(resize(colours, 12), colours)


def test_grey_agrees_with_pillow(colours):
    for image, ours in zip(colours, to_grey(colours), strict=True):
        theirs = np.array(Image.fromarray(image.permute(1, 2, 0).numpy()).convert("L")).astype(float)
        assert np.abs(ours[0].numpy() - theirs).max() <= 1
    assert torch.equal(to_grey(to_grey(colours)), to_grey(colours))
