"""3D Shapes as it is published, in little."""

import sys

import numpy as np
import pytest
import torch

from seatbelt_vae.data import describe, load_dataset
from seatbelt_vae.errors import InputError

COUNT = 30
IMAGES = np.random.default_rng(0).integers(0, 255, (COUNT, 8, 8, 3), dtype=np.uint8)
VALUES = (
    np.arange(10) / 10,
    np.arange(5) / 10,
    np.arange(3) / 10,
    0.75 + np.arange(8) / 14,
    np.arange(4),
    np.arange(15) - 30.0,
)


def test_without_h5py_one_line_says_which_extra(tmp_path, monkeypatch):
    path = tmp_path / "3dshapes.h5"
    path.touch()
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(InputError, match=r"needs h5py; pip install 'seatbelt-vae\[hdf5\]'"):
        load_dataset(path)
    with pytest.raises(InputError, match=r"3dshapes: no such data set or file; give the path of 3dshapes\.h5"):
        load_dataset("3dshapes")


@pytest.fixture
def shapes(tmp_path):
    h5py = pytest.importorskip("h5py", reason="h5py is absent: pip install 'seatbelt-vae[hdf5]'")

    def write(**arrays):
        path = tmp_path / "3dshapes.h5"
        with h5py.File(path, "w") as file:
            for key, array in arrays.items():
                file[key] = array
        return path

    return write


def labels():
    return np.stack([values[np.arange(COUNT) % len(values)] for values in VALUES], axis=1)


def test_images_are_read_on_demand_and_factors_are_named(shapes):
    data = load_dataset(shapes(images=IMAGES, labels=labels()))
    assert data.factor_names == ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")
    assert data.factor_sizes == (10, 5, 3, 8, 4, 15)
    assert data.factor("scale").tolist() == [i % 8 for i in range(COUNT)]
    assert (data.image_shape, describe(data)["bytes"]) == ((3, 8, 8), 0)
    for rows in (slice(3, 9), [7, 2, 2, 29]):
        assert torch.equal(data.images[rows], torch.from_numpy(IMAGES[rows]).movedim(3, 1))
    some = load_dataset(shapes(images=IMAGES), count=9, seed=1, size=4)
    assert (some.images.shape, some.factor_names) == ((9, 3, 4, 4), ())


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"pictures": IMAGES}, r"no key 'images'; its keys: pictures"),
        ({"images": IMAGES / 255}, r"images are float64"),
        ({"images": IMAGES[0]}, r"images are uint8 \(8, 8, 3\)"),
        ({"images": IMAGES, "labels": labels()[:9]}, "one row for each of 30 images"),
    ],
)
def test_other_content(shapes, arrays, message):
    with pytest.raises(InputError, match=message):
        load_dataset(shapes(**arrays))


def test_links_and_damage(shapes, tmp_path):
    h5py = pytest.importorskip("h5py")
    inner = shapes(images=IMAGES).rename(tmp_path / "inner.h5")
    outer = tmp_path / "outer.h5"
    with h5py.File(outer, "w") as file:
        file["images"] = h5py.ExternalLink(str(inner), "images")
    with pytest.raises(InputError, match="images is not an array in this file"):
        load_dataset(outer)
    inner.write_bytes(inner.read_bytes()[:900])
    with pytest.raises(InputError, match=r"inner\.h5: cannot be read as HDF5"):
        load_dataset(inner)


def test_a_shape_that_nothing_is_stored_of(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "bomb.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("images", shape=(10**12, 64, 64, 3), dtype="u1", chunks=(1, 64, 64, 3))
    with pytest.raises(InputError, match=r"images unpacks from 0 to .*: this is a decompression bomb"):
        load_dataset(path)
