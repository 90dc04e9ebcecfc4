"""Images that are in memory already: arrays, a torch ``Dataset``, a Hugging Face ``datasets.Dataset``."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from seatbelt_vae.data.arrays import Array
from seatbelt_vae.data.dataset import ImageDataset, labelled
from seatbelt_vae.data.labels import factors_of
from seatbelt_vae.data.npz import images_from_array
from seatbelt_vae.data.options import Options
from seatbelt_vae.data.pictures import read_page, survey
from seatbelt_vae.data.reading import one_line
from seatbelt_vae.errors import InputError

WANTED = "an ImageDataset, an array, a torch Dataset or a Hugging Face Dataset"
IMAGE_COLUMNS = ("image", "img", "images", "pixel_values")
"""Columns of a Hugging Face `Dataset`, and keys of an example, that hold the image: the first of them is taken."""


def as_dataset(source: Any, options: Options = Options(), name: str = "images") -> ImageDataset:  # noqa: B008
    """Take images from memory as a data set. All of them are held, as bytes.

    Args:
        source: an `ImageDataset`, which is returned as it is; an array or tensor of images, as in an ``.npz``; a torch
            ``Dataset`` of images or (image, label); a ``datasets.Dataset`` with a column ``image``, whose columns of
            classes and integers become factors. An image is an array, (1 or 3, H, W) or (H, W, 1 or 3), or a picture
            of Pillow.
        options: ``size`` and ``grey`` of pictures.
        name: what to call it.

    Raises:
        InputError: something else, or an image of the wrong shape, range or type.

    Example:
        >>> as_dataset(np.zeros((5, 8, 8, 3))).image_shape
        (3, 8, 8)
    """
    if isinstance(source, ImageDataset):
        return source
    if isinstance(source, Tensor):
        source = source.detach().cpu().numpy()
    if isinstance(source, np.ndarray):
        return ImageDataset(images_from_array(source, name), name=name)
    if isinstance(source, Mapping):
        parts = one_line(", ".join(map(repr, source)))
        raise InputError(f"{name}: is a {type(source).__name__} with {parts or 'nothing'}; give one of its parts")
    if not hasattr(source, "__getitem__") or not hasattr(source, "__len__"):
        raise InputError(f"{name}: is a {type(source).__name__}, must be {WANTED}")
    if len(source) == 0:
        raise InputError(f"{name}: holds no image")
    images, labels = _read(source, options, name)
    arrays = _classes(labels)
    if hasattr(source, "column_names"):
        arrays = _columns(source)
    return labelled(images, factors_of(arrays, len(source), name), name, None)


def _read(source: Any, options: Options, name: str) -> tuple[Tensor, list[Any]]:
    """The images of all examples, uint8 (N, C, H, W), and what stands beside each."""
    if isinstance(_image(source[0], name), Image.Image):
        return _pictures(source, options, name)
    arrays = []
    labels = []
    for image, label in _examples(source, name):
        arrays.append(np.asarray(image))
        labels.append(label)
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1:
        raise InputError(f"{name}: images have shapes {sorted(shapes)[:2]} …; all must have one")
    return images_from_array(np.stack(arrays), name), labels


def _pictures(source: Any, options: Options, name: str) -> tuple[Tensor, list[Any]]:
    size, grey = survey(_named(source, name), options.height_width)  # looked at first: all become one size
    mode = "RGB"
    if options.grey or (options.grey is None and grey):
        mode = "L"
    rows = []
    labels = []
    for number, (picture, label) in enumerate(_examples(source, name)):
        rows.append(read_page(picture, _called(name, number), size, mode, None))
        labels.append(label)
    return torch.stack(rows), labels


def _named(source: Any, name: str) -> Iterator[tuple[Path, Image.Image]]:
    """Each picture, and what to call it in a message."""
    for number, (picture, _) in enumerate(_examples(source, name)):
        yield _called(name, number), picture


def _called(name: str, number: int) -> Path:
    return Path(f"{name}, image {number}")


def _examples(source: Any, name: str) -> Iterator[tuple[Any, Any]]:
    """The image of each example and the label beside it, None where there is none."""
    for row in range(len(source)):
        example = source[row]
        label = None
        if isinstance(example, tuple | list) and len(example) > 1:
            label = example[1]
        if isinstance(example, Mapping):
            label = example.get("label")
        yield _image(example, name), label


def _image(example: Any, name: str) -> Any:
    """The image of an example: the example itself, its first part, or what its key ``image`` holds."""
    if isinstance(example, Mapping):
        for key in IMAGE_COLUMNS:
            if key in example:
                return example[key]
        keys = one_line(", ".join(map(str, example)))
        raise InputError(f"{name}: has no column 'image'; its columns: {keys}")
    if isinstance(example, tuple | list):
        return example[0]
    return example


def _classes(labels: list[Any]) -> dict[str, Array]:
    """What stands beside the images, as the labels of an ``.npz``, if it is whole numbers."""
    if labels[0] is None or np.ndim(labels[0]) > 1:
        return {}
    array = np.asarray([np.asarray(label) for label in labels])
    if array.dtype.kind not in "biu":
        return {}
    return {"labels": array}


def _columns(source: Any) -> dict[str, Array]:
    """The columns of a Hugging Face `Dataset` that hold whole numbers, as labels with names."""
    names = []
    columns = []
    for name in source.column_names:
        if name in IMAGE_COLUMNS:
            continue
        column = np.asarray(source[name][:])
        if column.ndim == 1 and column.dtype.kind in "biu":
            names.append(name)
            columns.append(column.astype(np.int64))
    if not names:
        return {}
    return {"labels": np.stack(columns, axis=1), "label_names": np.array(names, dtype=str)}
