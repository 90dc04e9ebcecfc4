"""Images from memory: the same bytes whatever holds them, labels as factors, one line for what is none."""

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import Dataset, TensorDataset

from seatbelt_vae.data import ImageDataset, as_dataset, load_dataset
from seatbelt_vae.errors import InputError

PIXELS = np.random.default_rng(0).integers(2, 256, (5, 8, 8, 3), dtype=np.uint8)
BYTES = torch.from_numpy(PIXELS.transpose(0, 3, 1, 2).copy())


class Pictures(Dataset[Any]):
    """A torch data set of pictures and classes."""

    def __len__(self) -> int:
        return len(PIXELS)

    def __getitem__(self, row: int) -> tuple[Image.Image, int]:
        return Image.fromarray(PIXELS[row]), row % 2


class Columns:
    """As much of a Hugging Face data set as is used of it."""

    def __init__(self, **columns: Any) -> None:
        self.columns = columns
        self.column_names = list(columns)

    def __len__(self) -> int:
        return len(PIXELS)

    def __getitem__(self, key: int | str) -> Any:
        if isinstance(key, str):
            return self.columns[key]
        return {name: column[key] for name, column in self.columns.items()}


HOLDERS = {
    "array": PIXELS,
    "channels first": BYTES.numpy(),
    "tensor": BYTES,
    "floats": BYTES / 255,
    "torch data set": TensorDataset(BYTES, torch.arange(5)),
    "pictures": Pictures(),
    "columns": Columns(image=[Image.fromarray(pixels) for pixels in PIXELS], label=[3, 1, 0, 1, 2]),
    "list": list(PIXELS),
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_the_same_images_whatever_holds_them(holder: str) -> None:
    assert torch.equal(as_dataset(HOLDERS[holder])[:], BYTES / 255)


def test_labels_become_factors() -> None:
    data = as_dataset(HOLDERS["columns"])
    assert data.factor_names == ("label",)
    assert data.factors is not None
    assert data.factors[:, 0].tolist() == [3, 1, 0, 1, 2]
    pictures = as_dataset(Pictures())
    assert pictures.factors is not None
    assert pictures.factors[:, 0].tolist() == [0, 1, 0, 1, 0]


def test_the_label_of_an_example_with_names() -> None:
    data = as_dataset([{"image": pixels, "label": row % 2} for row, pixels in enumerate(PIXELS)])
    assert data.factors is not None
    assert data.factors[:, 0].tolist() == [0, 1, 0, 1, 0]


def test_columns_that_are_no_classes_are_left_out() -> None:
    data = as_dataset(Columns(img=list(PIXELS), caption=list("abcde"), price=[0.5] * 5, year=[1, 2, 3, 4, 5]))
    assert data.factor_names == ("year",)


def test_options_apply_to_images_in_memory() -> None:
    data = load_dataset(Pictures(), size=4, grey=True, count=3)
    assert (len(data), data.image_shape) == (3, (1, 4, 4))


def test_images_that_are_no_squares_keep_their_shape() -> None:
    wide = [Image.fromarray(pixels).resize((6, 4)) for pixels in PIXELS]
    assert as_dataset(wide).image_shape == (3, 4, 6)
    assert as_dataset(PIXELS[:, :5]).image_shape == (3, 5, 8)
    assert load_dataset(PIXELS[:, :4], size=(2, 4)).image_shape == (3, 2, 4)


def test_a_data_set_is_left_alone() -> None:
    data = ImageDataset(BYTES)
    assert as_dataset(data) is data


def test_equal_data_have_equal_digests() -> None:
    assert as_dataset(PIXELS).digest == as_dataset(BYTES).digest == ImageDataset(BYTES).digest


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"train": PIXELS, "test": PIXELS}, "is a dict with 'train', 'test'; give one of its parts"),
        (3, "images: is a int, must be an ImageDataset, an array"),
        ([], "images: holds no image"),
        (Columns(caption=list("abcde")), "images: has no column 'image'; its columns: caption"),
        ([np.zeros((8, 8)), np.zeros((4, 4))], r"images: images have shapes \[\(4, 4\), \(8, 8\)\]"),
        (np.full((2, 8, 8), 2.0), "float images range from 2 to 2"),
        (np.zeros((2, 8, 8), dtype=complex), "images are complex128"),
    ],
)
def test_what_is_no_data_set_gets_one_line(source: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        as_dataset(source)
    assert "\n" not in str(raised.value)
