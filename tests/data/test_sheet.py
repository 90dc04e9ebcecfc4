import json

import numpy as np
import pytest
import torch

from seatbelt_vae.data import ImageDataset, contact_sheet, describe, load_dataset
from seatbelt_vae.errors import InputError


def test_tiles_lie_where_they_should():
    images = torch.rand(5, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    sheet = np.array(contact_sheet(images, columns=3))
    assert sheet.shape == (2 + 2 * 8, 2 + 3 * 8, 3)
    for i, image in enumerate(images):
        top, left = 2 + i // 3 * 8, 2 + i % 3 * 8
        tile = sheet[top : top + 6, left : left + 6].astype(float)
        assert np.abs(tile - image.permute(1, 2, 0).numpy() * 255).max() <= 0.5 + 1e-3
    assert (sheet[:2] == 128).all()
    assert (sheet[10:, 18:] == 128).all()  # no sixth image


def test_bounds_bytes_and_floats_agree():
    data = ImageDataset(torch.arange(0, 250, 25, dtype=torch.uint8).view(10, 1, 1, 1).repeat(1, 1, 4, 4))
    wide = data.within((-1.0, 1.0))
    sheets = [contact_sheet(data.images), contact_sheet(data[:]), contact_sheet(wide[:], bounds=wide.bounds)]
    assert sheets[0].mode == "L"
    assert len({sheet.tobytes() for sheet in sheets}) == 1


def test_fewer_images_than_columns():
    assert contact_sheet(torch.zeros(2, 1, 8, 8), columns=10).size == (22, 12)


@pytest.mark.parametrize("shape", [(0, 1, 8, 8), (8, 8), (2, 2, 8, 8)])
def test_no_images(shape):
    with pytest.raises(InputError, match="contact sheet"):
        contact_sheet(torch.zeros(shape))


def test_describe_counts(numbered):
    told = describe(numbered.within((-1.0, 1.0)))
    assert json.loads(json.dumps(told)) == told
    assert (told["images"], told["shape"], told["hold_out"]) == (60, [1, 8, 8], "person")
    assert told["factors"] == {"person": 6, "side": 2, "pose": 5}
    assert told["mean_pixel"] == pytest.approx(2 * 29.5 / 255 - 1)
    assert (told["held"], told["bytes"]) == ("memory", 60 * 64)


def test_describing_all_sprites_holds_none():
    told = describe(load_dataset("sprites"))
    assert (told["images"], told["held"], told["bytes"]) == (737280, "drawn", 0)
    assert told["mean_pixel"] == pytest.approx(0.0425, abs=0.002)
