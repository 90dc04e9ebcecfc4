import hashlib
import tracemalloc
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


@pytest.mark.parametrize("shape", [(5, 6, 9), (5, 6, 9, 1), (5, 1, 6, 9), (5, 6, 9, 3), (5, 3, 6, 9)])
def test_images_that_are_no_squares(npz, shape):
    images = np.arange(np.prod(shape)).reshape(shape).astype(np.uint8)
    first = images if images.ndim == 3 else np.moveaxis(images, shape.index(3 if 3 in shape else 1), 1)
    data = load_dataset(npz(images=images))
    assert data.image_shape[1:] == (6, 9)
    assert np.array_equal(data.images.numpy().reshape(first.shape), first)


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


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"latents_classes": np.array([b"a"] * 5)}, ["latents_classes is |S1 (5,)", "integers"]),
        ({"latents_classes": np.zeros(5, [("a", "i4")])}, ["latents_classes is", "integers"]),
        ({"labels": np.zeros(5, "V8")}, ["labels is |V8", "integers"]),
        ({"labels": np.array(["cat"] * 5)}, ["labels is <U3", "integers"]),
        ({"labels": np.full((5, 1), np.nan)}, ["labels is float64", "column 0"]),
        ({"labels": np.array(3)}, ["labels is int64 ()", "5 images"]),
        ({"labels": np.full(5, 2**40)}, ["labels holds 1099511627776", "below 2^31"]),
        ({"latents_classes": np.full(5, 2**64 - 1, np.uint64)}, ["below 2^31"]),
        ({"identity": np.array(["a"] * 5)}, ["identity is <U1"]),
        ({"labels": np.zeros(5, int), "label_names": np.zeros(1, "V4")}, ["label_names is |V4", "dtype=str"]),
        ({"labels": np.zeros(5, int), "label_names": ["identity"], "identity": np.zeros(5, int)}, ["another factor"]),
    ],
)
def test_factors_of_another_kind_are_refused_in_one_line(npz, arrays, words):
    refused(npz(images=GREY.astype(np.uint8), **arrays), *words)


def test_names_as_bytes_identities_of_any_number_and_attributes_that_are_bool(npz):
    identity = np.array([2**64 - 1, 3, 2**63, 3, 0], np.uint64)
    labels = np.array([[True], [False], [True], [True], [False]])
    path = npz(images=GREY.astype(np.uint8), identity=identity, labels=labels, label_names=np.array([b"Smiling"]))
    data = load_dataset(path)
    assert data.factor_names == ("identity", "Smiling")
    assert data.factors.tolist() == [[3, 1], [1, 0], [2, 1], [1, 1], [0, 0]]


def test_labels_that_are_floats_of_few_values_are_numbered_in_order(npz):
    labels = np.array([[0.75, -30], [0.82, 30], [0.75, 0], [1.25, 0], [0.82, -30]])
    data = load_dataset(npz(images=GREY.astype(np.uint8), labels=labels))
    assert (data.factor_names, data.factor_sizes) == (("labels_0", "labels_1"), (3, 3))
    assert data.factors.tolist() == [[0, 0], [1, 2], [0, 1], [2, 1], [1, 0]]
    many = np.zeros((300, 4, 4), np.uint8)
    refused(npz(images=many, labels=np.arange(300.0)[:, None]), "column 0", "at most 256 values")


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
def test_a_float_one_step_above_1_is_1(npz, kind):
    images = (GREY / 255).astype(kind)
    images[0, 0, 0] = np.nextafter(np.array(1, kind), np.array(2, kind))
    images[0, 0, 1] = -np.finfo("float32").eps
    data = load_dataset(npz(images=images))
    assert data.images[0, 0, 0, :2].tolist() == [255, 0]
    images[0, 0, 0] = 1.01
    refused(npz(images=images), "to 1.0", "[0, 1]")
    images[0, 0, 0] = 1.00001
    if kind != "float16":
        refused(npz(images=images), "to 1.00001", "[0, 1]")


@pytest.mark.parametrize("key", ["images", "latent_names", "labels"])
def test_an_object_array_is_named(npz, key):
    arrays = {"images": GREY.astype(np.uint8), "latents_classes": np.zeros((5, 1), int)}
    arrays[key] = np.array([["a"]] * 5, dtype=object)
    refused(npz(**arrays), f"{key} cannot be read: it is an object array", "dtype=str")


def test_the_published_dsprites_by_its_path(tmp_path):
    images = np.random.default_rng(0).integers(0, 2, (8, 64, 64), dtype=np.uint8)
    classes = np.array([[0, 2, 5, 39, 31, 30]] * 8)
    path = tmp_path / "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"
    np.savez(path, imgs=images, latents_classes=classes, metadata=np.array({"pickled": 1}, dtype=object))
    data = load_dataset(path)
    assert data.digest == load_dataset("dsprites", path=path).digest
    assert (data.name, data.factors[0].tolist()) == ("dsprites", [2, 5, 39, 31, 30])
    classes[3, 3] = 40  # an angle that there is not
    np.savez(path, imgs=images, latents_classes=classes)
    with pytest.raises(InputError, match="factor_sizes"):
        load_dataset(path)


def npy(header: bytes, content: bytes = GREY.astype(np.uint8).tobytes(), length: int | None = None) -> bytes:
    """An array with a header of one's own."""
    size = len(header) if length is None else length
    return b"\x93NUMPY\x02\x00" + size.to_bytes(4, "little") + header + content


HEADER = b"{'descr': '|u1', 'fortran_order': False, 'shape': (5, 8, 8), }"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (npy(HEADER.replace(b"5", b"6")), "320 bytes, not 384"),
        (npy(HEADER.replace(b"5", b"-5")), "damaged"),
        (npy(HEADER.replace(b"5", b"9" * 30)), "damaged"),
        (npy(HEADER.replace(b"|u1", b"<U99999999")), "damaged"),
        (npy(HEADER.replace(b"5", b"__import__('os')")), "damaged"),
        (npy(b"(" * 5000), "damaged"),
        (npy(b"{}"), "damaged"),
        (npy(b"\xff\xfe"), "damaged"),
        (npy(HEADER, length=2**32 - 1), "a header of 4294967295 bytes"),
        (npy(HEADER)[:20], "damaged"),
        (npy(HEADER).replace(b"\x02\x00", b"\x07\x00", 1), "damaged"),
        (b"no array", "damaged"),
    ],
)
def test_headers_that_lie(tmp_path, content, word):
    path = tmp_path / "lie.npz"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("images.npy", content)
    refused(path, "cannot be read", word)


@pytest.mark.parametrize("key", ["images", "labels"])
def test_a_decompression_bomb_is_not_unpacked(npz, monkeypatch, key):
    path = npz(**{"images": GREY.astype(np.uint8), key: np.zeros((5, 2**11, 2**11), np.uint8)})
    monkeypatch.setattr("seatbelt_vae.data.reading.BOMB_BYTES", 2**24)
    tracemalloc.start()
    refused(path, f"{key} unpacks from", "to 20971648 bytes: this is a decompression bomb")
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


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
    refused(tmp_path / f"{'x' * 60}.npz", "no such file")
    with pytest.raises(InputError, match="no such file or folder") as caught:
        load_dataset(f"{'x' * 5000}.npz")
    assert len(str(caught.value)) < 300
    with pytest.raises(InputError, match="is not a path"):
        load_dataset("~nobody-of-this-name/images.npz")
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
