import hashlib
import zipfile

import numpy as np
import pytest
import torch

from seatbelt_vae.data import load_dataset
from seatbelt_vae.errors import InputError

GREY = np.arange(5 * 8 * 8).reshape(5, 8, 8) % 251


def refused(path, *words, **options) -> str:
    """Check that loading refuses in one line that names the file and says these words."""
    with pytest.raises(InputError) as caught:
        load_dataset(path, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    for word in words:
        assert word in message, message
    return message


@pytest.mark.parametrize(
    ("images", "channels"),
    [
        (GREY.astype(np.uint8), 1),
        (GREY.astype(np.uint8)[..., None], 1),
        (GREY.astype(np.uint8)[:, None], 1),
        (np.stack([GREY, GREY + 1, GREY + 2], axis=-1).astype(np.uint8), 3),
        (np.stack([GREY, GREY + 1, GREY + 2], axis=1).astype(np.uint8), 3),
        (GREY / 255, 1),
        ((GREY / 255).astype(np.float32), 1),
        (GREY.astype(np.uint8)[:, ::-1][:, ::-1], 1),
    ],
)
def test_layouts_and_types(npz, images, channels):
    data = load_dataset(npz(images=images))
    assert data.images.shape == (5, channels, 8, 8)
    for channel in range(channels):
        assert np.array_equal(data.images[:, channel].numpy(), GREY + channel)


@pytest.mark.parametrize("kind", [bool, np.uint8, np.float64])
def test_black_and_white(npz, kind):
    data = load_dataset(npz(images=(GREY % 2).astype(kind)))
    assert np.array_equal(data.images[:, 0].numpy(), 255 * (GREY % 2))


def test_half_precision(npz):
    data = load_dataset(npz(images=(GREY / 255).astype(np.float16)))
    assert np.abs(data.images[:, 0].numpy() - GREY.astype(float)).max() <= 1


def test_factors_by_class(npz):
    classes = np.array([[0, 2], [1, 0], [1, 1], [0, 0], [2, 1]], dtype=np.int16)
    data = load_dataset(npz(images=GREY.astype(np.uint8), latents_classes=classes, latent_names=["model", "light"]))
    assert (data.factor_names, data.factor_sizes, data.hold_out) == (("model", "light"), (3, 3), "model")
    assert np.array_equal(data.factors.numpy(), classes)
    unnamed = load_dataset(npz(images=GREY.astype(np.uint8), latents_classes=classes))
    assert (unnamed.factor_names, unnamed.hold_out) == (("latents_classes_0", "latents_classes_1"), None)


def test_identities_and_attributes(npz):
    labels = np.array([[-1, 1], [1, 1], [-1, -1], [1, -1], [1, 1]], dtype=np.int8)
    path = npz(
        images=GREY.astype(np.uint8),
        identity=np.array([900, 7, 900, 7, 30]),
        labels=labels,
        label_names=["Bald", "Smiling"],
    )
    data = load_dataset(path)
    assert (data.factor_names, data.factor_sizes) == (("identity", "Bald", "Smiling"), (3, 2, 2))
    assert data.factor("identity").tolist() == [2, 0, 2, 0, 1]
    assert data.factor("Smiling").tolist() == [1, 1, 0, 0, 1]
    assert data.hold_out == "identity"
    assert load_dataset(path, hold_out="Bald").hold_out == "Bald"
    assert load_dataset(path, hold_out="none").hold_out is None
    with pytest.raises(InputError, match="cannot hold out 'Hat'"):
        load_dataset(path, hold_out="Hat")


def test_class_labels(npz):
    data = load_dataset(npz(images=GREY.astype(np.uint8), labels=np.array([3, 1, 0, 2, 1])))
    assert (data.factor_names, data.factors.squeeze(1).tolist()) == (("labels_0",), [3, 1, 0, 2, 1])


def test_options(npz):
    path = npz(images=np.stack([GREY] * 3, axis=-1).astype(np.uint8))
    data = load_dataset(path, size=4, grey=True, count=3, seed=1, bounds=(-1, 1))
    assert (len(data), data.image_shape, data.bounds) == (3, (1, 4, 4), (-1.0, 1.0))
    assert load_dataset(path, grey=False).image_shape == (3, 8, 8)


def test_the_digest_follows_the_content_not_the_path(npz, tmp_path):
    path = npz(images=GREY.astype(np.uint8))
    copy = tmp_path / "copy.npz"
    np.savez(copy, images=GREY.astype(np.uint8))
    assert load_dataset(copy).digest == load_dataset(path).digest
    assert load_dataset(npz(images=GREY[::-1].astype(np.uint8))).digest != load_dataset(copy).digest


def test_checksum(npz):
    path = npz(images=GREY.astype(np.uint8))
    right = hashlib.sha256(path.read_bytes()).hexdigest()
    assert len(load_dataset(path, sha256=right.upper())) == 5
    refused(path, "sha256", right, sha256="0" * 64)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"pictures": GREY, "names": GREY}, ["'images'", "pictures, names"]),
        ({}, ["'images'", "none"]),
        ({"images": GREY}, ["int64", "uint8"]),
        ({"images": GREY.astype(complex)}, ["complex128"]),
        ({"images": GREY.astype(str)}, ["<U"]),
        ({"images": GREY / 100}, ["2.5", "[0, 1]"]),
        ({"images": GREY / 255 - 0.5}, ["-0.5", "[0, 1]"]),
        ({"images": np.where(GREY == 70, np.nan, GREY / 255)}, ["1 images", "NaN", "image 1"]),
        ({"images": np.where(GREY == 70, np.inf, GREY / 255)}, ["infinity"]),
        ({"images": np.zeros((0, 8, 8), np.uint8)}, ["no image"]),
        ({"images": np.zeros((5, 8, 9), np.uint8)}, ["8×9", "square"]),
        ({"images": np.zeros((5, 3, 8, 9), np.uint8)}, ["8×9", "square"]),
        ({"images": np.zeros((8, 8), np.uint8)}, ["(8, 8)"]),
        ({"images": np.zeros((5, 8, 8, 4), np.uint8)}, ["(5, 8, 8, 4)"]),
        ({"images": np.uint8(3)}, ["()"]),
        ({"images": GREY.astype(np.uint8), "latents_classes": np.zeros((4, 2), int)}, ["latents_classes", "5 images"]),
        ({"images": GREY.astype(np.uint8), "latents_classes": np.zeros((5, 2))}, ["float64", "integers"]),
        ({"images": GREY.astype(np.uint8), "labels": np.full((5, 2), -2)}, ["labels", "-2"]),
        (
            {"images": GREY.astype(np.uint8), "latents_classes": np.zeros((5, 2), int), "latent_names": ["a"]},
            ["2 columns"],
        ),
        (
            {"images": GREY.astype(np.uint8), "latents_classes": np.zeros((5, 2), int), "latent_names": ["a", "a"]},
            ["different"],
        ),
        ({"images": GREY.astype(np.uint8), "identity": np.zeros(4, int)}, ["identity", "5 images"]),
    ],
)
def test_wrong_content_is_refused_in_one_line(npz, arrays, words):
    refused(npz(**arrays), *words)


def test_pickled_objects_are_not_read(tmp_path):
    class Trap:
        def __reduce__(self):
            return (exec, ("raise SystemExit('unpickled')",))

    path = tmp_path / "trap.npz"
    np.savez(path, images=np.array([Trap()], dtype=object))
    refused(path, "cannot be read")


def test_other_keys_may_be_pickled(npz):
    path = npz(images=GREY.astype(np.uint8), metadata=np.array([{"a": 1}], dtype=object))
    assert len(load_dataset(path)) == 5


def test_damaged_files(npz, tmp_path):
    whole = npz(images=np.random.default_rng(0).integers(0, 255, (50, 8, 8), dtype=np.uint8)).read_bytes()
    path = tmp_path / "damaged.npz"
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 255
    for content in (b"", b"not a zip", b"PK\x03\x04", whole[: len(whole) // 2], whole[:-10], bytes(flipped)):
        path.write_bytes(content)
        refused(path, "cannot be read")


def test_damage_anywhere_is_an_input_error_or_harmless(npz, tmp_path):
    whole = npz(images=GREY.astype(np.uint8)).read_bytes()
    path = tmp_path / "damaged.npz"
    random = np.random.default_rng(0)
    refusals = 0
    for place in random.integers(0, len(whole), 150):
        content = bytearray(whole)
        content[place] ^= int(random.integers(1, 256))
        path.write_bytes(content)
        try:
            data = load_dataset(path)
        except InputError:
            refusals += 1
        else:
            assert np.array_equal(data.images[:, 0].numpy(), GREY)
    assert refusals > 30


def test_other_files(tmp_path):
    refused(tmp_path / "absent.npz", "no such file")
    refused(tmp_path / "absent" / "folder", "no such file or folder")
    single = tmp_path / "single.npz"
    with single.open("wb") as file:
        np.save(file, GREY.astype(np.uint8))
    refused(single, "single array")
    text = tmp_path / "images.txt"
    text.write_text("text")
    refused(text, "neither an .npz file nor a folder")
    archive = tmp_path / "archive.npz"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("readme.txt", "no arrays")
    refused(archive, "'images'", "readme.txt")


REAL = {
    "celeba64.npz": (5000, (3, 64, 64), "identity", 41, "CelebA (img_align_celeba.zip: central 148 pixels to 64×64)"),
    "chairs_mesh64.npz": (11284, (1, 64, 64), "model", 3, "renders of CAD chairs, with latents_classes"),
    "chairs_aubry_real100.npz": (100, (1, 64, 64), None, 0, "rendered_chairs.tar of Aubry et al. 2014"),
    "faces3d64.npz": (19800, (1, 64, 64), "identity", 4, "renders of a 3D face model, with latents_classes"),
    "dsprites_real112.npz": (112, (1, 64, 64), None, 0, "the original dSprites file"),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files(real_file, name):
    count, shape, hold_out, factors, original = REAL[name]
    data = load_dataset(real_file(name, original))
    assert (len(data), data.image_shape, data.hold_out, len(data.factor_names)) == (count, shape, hold_out, factors)
    parts = data.split(test=0.1, seed=0)
    assert len(parts.test) == pytest.approx(0.1 * count, rel=0.1)
    if hold_out is not None:
        assert not torch.isin(parts.train.factor(hold_out), parts.test.factor(hold_out)).any()
