import re

import numpy as np
import pytest
import torch

from seatbelt_vae.data import available, load_dataset
from seatbelt_vae.errors import InputError


def test_the_names_are_those_promised():
    names = [name for name, _ in available()]
    assert names == ["sprites", "dsprites", "chairs", "faces3d", "celeba"]
    assert all(text and "\n" not in text for _, text in available())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("dsprites", ["path=FILE", "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz", "sprites"]),
        ("chairs", ["path=FOLDER", "rendered_chairs.tar"]),
        ("faces3d", ["path=FILE", "basel_face_renders.pth"]),
        ("celeba", ["path=FOLDER", "img_align_celeba.zip"]),
    ],
)
def test_originals_say_how_to_get_them(name, words):
    with pytest.raises(InputError) as caught:
        load_dataset(name)
    message = str(caught.value)
    assert message.startswith(f"{name}: needs path=")
    assert "\n" not in message
    assert all(word in message for word in words)


@pytest.mark.parametrize("name", ["dsprites", "chairs", "faces3d", "celeba"])
def test_originals_with_a_wrong_path(name, tmp_path):
    for path in (tmp_path / "absent.npz", tmp_path / "absent.pth", tmp_path / "absent"):
        with pytest.raises(InputError, match="no such file"):
            load_dataset(name, path=path)
    with pytest.raises(InputError, match="no image in this folder"):
        load_dataset(name, path=str(tmp_path))


def test_unknown_names():
    with pytest.raises(InputError, match=r"spirtes: .*did you mean 'sprites'\? \(known: sprites, dsprites"):
        load_dataset("spirtes")
    with pytest.raises(InputError, match="mnist: no such data set or file; known: sprites, dsprites"):
        load_dataset("mnist")
    with pytest.raises(InputError, match="a name or a path is needed"):
        load_dataset("")


def test_unknown_options():
    with pytest.raises(InputError, match=r"sise: no such option of a data set; did you mean 'size'\?"):
        load_dataset("sprites", sise=32)
    with pytest.raises(InputError, match="only dsprites, chairs, faces3d, celeba take a path"):
        load_dataset("sprites", path="somewhere")
    with pytest.raises(InputError, match="sprites are drawn"):
        load_dataset("sprites", sha256="0" * 64)


@pytest.mark.parametrize(
    "option",
    [
        {"size": 0},
        {"size": 5000},
        {"size": "32x"},
        {"size": "sprite"},
        {"size": 32.0},
        {"count": 0},
        {"count": 737281},
        {"count": 1.5},
        {"seed": -1},
        {"seed": 2**64},
        {"seed": None},
        {"bounds": (0, 255)},
        {"bounds": 1},
        {"bounds": None},
        {"hold_out": "light"},
    ],
)
def test_options_out_of_range(option):
    with pytest.raises(InputError, match=re.escape(next(iter(option)).replace("hold_out", "hold out"))) as caught:
        load_dataset("sprites", **option)
    assert "\n" not in str(caught.value)


def test_sprites_with_every_option():
    data = load_dataset("sprites", size=32, grey=True, count=50, seed=4, bounds=(-1, 1), hold_out="shape")
    assert (len(data), data.image_shape, data.bounds, data.hold_out) == (50, (1, 32, 32), (-1.0, 1.0), "shape")
    parts = data.split(test=0.3)
    assert not set(parts.train.factor("shape").tolist()) & set(parts.test.factor("shape").tolist())


def test_large_samples_stay_drawn_on_demand():
    data = load_dataset("sprites", size=32, count=100_000)
    assert not isinstance(data.images, torch.Tensor)
    assert data[[0, 99_999]].shape == (2, 1, 32, 32)


def test_dsprites_from_its_original_layout(npz):
    images = (np.random.default_rng(0).random((6, 64, 64)) < 0.5).astype(np.uint8)
    classes = np.array([[0, 0, 1, 2, 3, 4]] * 5 + [[0, 2, 5, 39, 31, 31]])
    path = npz(imgs=images, latents_classes=classes, metadata=np.array([{"pickled": 1}], dtype=object))
    data = load_dataset("dsprites", path=path)
    assert np.array_equal(data.images[:, 0].numpy(), images * 255)
    assert data.factor_names == load_dataset("sprites").factor_names
    assert data.factor_sizes == (3, 6, 40, 32, 32)
    assert data.factors[-1].tolist() == [2, 5, 39, 31, 31]
    with pytest.raises(InputError, match="latents_classes must have shape"):
        load_dataset("dsprites", path=npz(imgs=images, latents_classes=classes[:, 1:]))


def test_faces_from_their_original_layout(tmp_path):
    path = tmp_path / "faces.pth"
    images = torch.arange(127050).remainder(256).byte().view(50, 21, 11, 11, 1, 1)
    torch.save(images, path)
    data = load_dataset("faces3d", path=path)
    assert (len(data), data.factor_sizes, data.hold_out) == (127050, (50, 21, 11, 11), "identity")
    rows = data.factors[[0, 11, 121, 2541]]
    assert rows.tolist() == [[0, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0]]
    assert int(data.images[2541 + 11 + 3]) == int(images[1, 0, 1, 3])
    with pytest.raises(InputError, match="sha256"):
        load_dataset("faces3d", path=path, sha256="0" * 64)
    for wrong in (images[:3], images.float(), {"images": images}):
        torch.save(wrong, path)
        with pytest.raises(InputError, match=r"faces\.pth: (has shape|must hold)"):
            load_dataset("faces3d", path=path)
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be read as a tensor file"):
        load_dataset("faces3d", path=path)


def test_an_npz_under_a_name(npz):
    path = npz(images=np.zeros((3, 8, 8, 3), np.uint8), identity=np.array([4, 4, 9]))
    assert load_dataset("celeba", path=path).name == "celeba"
    assert load_dataset("faces3d", path=path).image_shape == (1, 8, 8)
    assert load_dataset("chairs", path=path, hold_out="identity").image_shape == (1, 8, 8)
    assert load_dataset("dsprites", path=path).image_shape == (3, 8, 8)
