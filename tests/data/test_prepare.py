"""Tiny archives of the published layouts, prepared, found by name, mapped."""

import io
import json
import os
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from seatbelt_vae.data import ImageDataset, data_folder, describe, find_prepared, load_dataset, pairs, prepare
from seatbelt_vae.data.mapped import Mapped
from seatbelt_vae.data.source import Rows
from seatbelt_vae.errors import InputError, RunError

MODELS = ("c0ffee00", "0badbeef", "feedface")
VIEWS = tuple((p, t) for p in (20, 30) for t in (11, 45, 191))


def picture(width: int, height: int, value: int, kind: str) -> bytes:
    """A picture whose central square is of one colour, bright around it."""
    image = Image.new("RGB", (width, height), "white")
    image.paste((value, value, value), (width // 8, height // 8, width - width // 8, height - height // 8))
    buffer = io.BytesIO()
    image.save(buffer, format=kind)
    return buffer.getvalue()


@pytest.fixture
def chairs_tar(tmp_path: Path) -> Path:
    """``rendered_chairs/MODEL/renders/image_…png`` in no order, with the list of names that the archive has too."""
    path = tmp_path / "rendered_chairs.tar"
    with tarfile.open(path, "w") as tar:
        add(tar, "rendered_chairs/all_chair_names.mat", b"MATLAB")
        for i, model in enumerate(MODELS):
            for j, (p, t) in enumerate(reversed(VIEWS)):
                name = f"rendered_chairs/{model}/renders/image_{j:03d}_p{p:03d}_t{t:03d}_r096.png"
                add(tar, name, picture(60, 60, 10 + 50 * i + p + t // 10, "PNG"))
    return path


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


@pytest.fixture
def celeba(tmp_path: Path) -> Path:
    """The folders Img, Anno and Eval as they are published: ten photographs of 178×218."""
    folder = tmp_path / "CelebA"
    for name in ("Img", "Anno", "Eval"):
        (folder / name).mkdir(parents=True)
    names = [f"{i:06d}.jpg" for i in range(1, 11)]
    with zipfile.ZipFile(folder / "Img" / "img_align_celeba.zip", "w") as file:
        for i, name in reversed(list(enumerate(names))):
            file.writestr(f"img_align_celeba/{name}", picture(178, 218, 10 * i, "JPEG"))
    attributes = [f"{name}  {1 if i % 2 else -1} -1 1" for i, name in enumerate(names)]
    head = [str(len(names)), "Bald Smiling Young "]
    (folder / "Anno" / "list_attr_celeba.txt").write_text("\n".join([*head, *attributes]) + "\n")
    (folder / "Anno" / "identity_CelebA.txt").write_text("".join(f"{n} {900 + i // 2}\n" for i, n in enumerate(names)))
    split = [0, 0, 0, 0, 0, 0, 1, 1, 2, 2]
    (folder / "Eval" / "list_eval_partition.txt").write_text(
        "".join(f"{n} {s}\n" for n, s in zip(names, split, strict=True))
    )
    return folder


@pytest.fixture
def dsprites_npz(tmp_path: Path) -> Path:
    images = (np.random.default_rng(0).random((600, 64, 64)) < 0.5).astype(np.uint8)
    rng = np.random.default_rng(1)
    classes = np.stack([rng.integers(0, n, 600) for n in (1, 3, 6, 40, 32, 32)], axis=1)
    path = tmp_path / "sprites.npz"
    metadata = np.array([{"pickled": "must stay unread"}], dtype=object)
    np.savez_compressed(path, imgs=images, latents_classes=classes, latents_values=classes * 1.0, metadata=metadata)
    return path


def test_chairs_from_the_tar(chairs_tar: Path) -> None:
    made, about = prepare("chairs", chairs_tar)
    assert made.images.shape == (18, 1, 64, 64)
    assert made.factor_names == ("model", "elevation", "azimuth")
    assert made.factor_sizes == (3, 2, 3)
    assert made.hold_out == "model"
    assert about["notes"] == [
        "rendered_chairs.tar: holds 18 images, the published one 86366; its authors give no checksum"
    ]
    assert len(about["source_sha256"]) == 64
    for row, (model, elevation, azimuth) in enumerate(made.factors.tolist()):
        name, t = sorted(MODELS)[model], (11, 45, 191)[azimuth]
        value = 10 + 50 * MODELS.index(name) + (20, 30)[elevation] + t // 10
        assert made.images[row][0, 32, 32] == value
        assert made.images[row][0, 0, 0] == 255
    parts = load_dataset("chairs").split(test=0.3)
    assert not set(parts.train.factor("model").tolist()) & set(parts.test.factor("model").tolist())


def test_celeba_with_the_published_split(celeba: Path) -> None:
    for source in (celeba, celeba / "Img" / "img_align_celeba.zip"):
        made, about = prepare("celeba", source, check=False)
        assert about["notes"] == []
    assert made.images.shape == (10, 3, 64, 64)
    assert made.factor_names == ("identity", "Bald", "Smiling", "Young", "partition")
    assert made.factor("identity").tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert made.factor("Bald").tolist() == [0, 1] * 5
    assert made.factor("Young").tolist() == [1] * 10
    assert made.factor_sizes == (5, 2, 1, 2, 3)
    assert [int(made.images[i][0, 32, 32]) // 8 for i in range(10)] == [10 * i // 8 for i in range(10)]
    data = load_dataset("celeba")
    for share, seed in ((0.1, 0), (0.5, 3)):  # the published split has its own share
        parts = data.split(share, seed)
        assert parts.test.factor("partition").tolist() == [2, 2]
        assert sorted(set(parts.train.factor("partition").tolist())) == [0, 1]
    assert len(pairs(data.split().test, count=1)) == 1
    drawn = pairs(data, count=5)
    people = data.factor("identity")
    assert (people[drawn.source_index] != people[drawn.target_index]).all()
    assert load_dataset("celeba", hold_out="none").hold_out is None


def test_celeba_without_its_text_files(celeba: Path) -> None:
    for name in ("Anno/identity_CelebA.txt", "Eval/list_eval_partition.txt"):
        (celeba / name).unlink()
    made, about = prepare("celeba", celeba, check=False, grey=True, size=32)
    assert made.images.shape == (10, 1, 32, 32)
    assert made.factor_names == ("Bald", "Smiling", "Young")
    assert made.hold_out is None
    assert [line.split()[0] for line in about["notes"]] == ["identity_CelebA.txt", "list_eval_partition.txt"]


def test_dsprites_batch_by_batch(dsprites_npz: Path) -> None:
    made, _ = prepare("dsprites", dsprites_npz)
    whole = load_dataset("dsprites", path=dsprites_npz)
    assert torch.equal(made.images[:], whole.images)
    assert torch.equal(made.factors, whole.factors)
    assert made.digest == whole.digest  # what a run learnt from the one it may go on with from the other
    small, _ = prepare("dsprites", dsprites_npz, size=32)
    assert torch.equal(small.images[:], load_dataset("dsprites", path=dsprites_npz, size=32).images)


@pytest.mark.parametrize("zipped", [True, False])
def test_faces_also_in_the_old_format(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "basel_face_renders.pth"
    images = torch.arange(127050).remainder(256).byte().view(50, 21, 11, 11, 1, 1)
    torch.save(images, path, _use_new_zipfile_serialization=zipped)
    made, _ = prepare("faces3d", path)
    assert made.factor_sizes == (50, 21, 11, 11)
    assert torch.equal(made.images[:].flatten(), images.flatten())
    assert load_dataset("faces3d").hold_out == "identity"


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple:
            return os.mkdir, (str(tmp_path / "ran"),)

    path = tmp_path / "basel_face_renders.pth"
    torch.save(Evil(), path)
    with pytest.raises(InputError, match="cannot be read as a tensor file"):
        prepare("faces3d", path)
    assert not (tmp_path / "ran").exists()


def test_a_folder_or_an_npz_may_be_prepared_too(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, images=np.random.default_rng(0).integers(0, 256, (9, 32, 32, 3), dtype=np.uint8))
    made, _ = prepare("celeba", path)
    assert (made.name, made.image_shape) == ("celeba", (3, 32, 32))
    assert torch.equal(load_dataset("celeba").images[:], load_dataset("celeba", path=path).images)


def test_what_is_prepared_is_mapped_and_stays_so(dsprites_npz: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare("dsprites", dsprites_npz)
    read = []
    monkeypatch.setattr(Mapped, "read", lambda self, rows: read.append(len(rows)) or Mapped_read(self, rows))
    monkeypatch.setattr("seatbelt_vae.data.dataset.IN_MEMORY", 2**16)
    data = load_dataset("dsprites", bounds=(-1, 1))
    train = data.split(0.1).train
    assert read == []  # opening and splitting read no image
    assert isinstance(train.images, Rows)
    assert train[[3, 5, 8]].shape == (3, 1, 64, 64)
    assert read == [3]
    assert describe(data)["held"] == describe(train)["held"] == "mapped"
    assert describe(data)["bytes"] == 0
    assert isinstance(load_dataset("dsprites", size=32).images, type(data.resized(32).images))


Mapped_read = Mapped.read


def test_preparing_again_replaces(dsprites_npz: Path) -> None:
    first, _ = prepare("dsprites", dsprites_npz)
    before = first.images[:5].clone()
    again, _ = prepare("dsprites", dsprites_npz)
    assert again.digest == first.digest
    second, _ = prepare("dsprites", dsprites_npz, size=32)
    assert load_dataset("dsprites").image_shape == second.image_shape == (1, 32, 32)
    assert torch.equal(first.images[:5], before)  # who had it mapped keeps it
    assert sorted(path.suffix for path in data_folder().iterdir()) == ["", ".json"]


def test_a_half_made_one_is_not_found(chairs_tar: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("seatbelt_vae.data.prepared._write_factors", full)
        with pytest.raises(RunError, match=r"could not be written .No space left on device"):
            prepare("chairs", chairs_tar)
    assert find_prepared("chairs") is None
    assert list(data_folder().iterdir()) == []
    with pytest.raises(InputError, match="seatbelt data prepare chairs"):
        load_dataset("chairs")


def test_a_damaged_one_says_so(chairs_tar: Path) -> None:
    prepare("chairs", chairs_tar)
    (images,) = data_folder().glob("chairs-*/images.npy")
    content = images.read_bytes()
    again = "prepare it again: seatbelt data prepare chairs --source PATH"
    for damage in (content[:-1], content[:40], b""):
        images.write_bytes(damage)
        with pytest.raises(InputError, match=rf"images\.npy: .*; {again}"):
            load_dataset("chairs")
    images.write_bytes(content)
    (data_folder() / "chairs.json").write_text(json.dumps({"name": "chairs"}))
    with pytest.raises(InputError, match=again):
        load_dataset("chairs")


def flipped(path: Path, place: int) -> None:
    """Turn one bit of a file round."""
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_a_flipped_bit_of_an_image_is_found_when_it_is_read(chairs_tar: Path) -> None:
    prepare("chairs", chairs_tar, size=8)
    (path,) = data_folder().glob("chairs-*/images.npy")
    whole = load_dataset("chairs").images[:]
    flipped(path, -1)
    images = load_dataset("chairs").images
    assert torch.equal(images[:17], whole[:17])
    with pytest.raises(InputError, match=r"images\.npy: image 17 is damaged; prepare the data again"):
        images[[3, 17]]


@pytest.mark.parametrize("name", ["checksums", "factors"])
def test_a_flipped_bit_beside_the_images_is_found_at_once(chairs_tar: Path, name: str) -> None:
    prepare("chairs", chairs_tar, size=8)
    (path,) = data_folder().glob(f"chairs-*/{name}.npy")
    flipped(path, -3)
    with pytest.raises(InputError, match="is not what was prepared; prepare it again"):
        load_dataset("chairs")


def test_images_that_are_cut_short_while_they_are_mapped(chairs_tar: Path) -> None:
    """Reading beyond the end of a mapped file would kill the process."""
    prepare("chairs", chairs_tar)
    (path,) = data_folder().glob("chairs-*/images.npy")
    images = load_dataset("chairs").images
    os.truncate(path, 200)
    with pytest.raises(InputError, match="was cut short meanwhile"):
        images[17]


def test_archives_are_not_read_at_every_start(chairs_tar: Path, celeba: Path) -> None:
    with pytest.raises(InputError, match=r"seatbelt data prepare chairs --source .*; then leave the path out"):
        load_dataset("chairs", path=chairs_tar)
    with pytest.raises(InputError, match="seatbelt data prepare celeba --source"):
        load_dataset("celeba", path=celeba / "Img" / "img_align_celeba.zip")


def test_a_file_of_a_published_name_must_be_the_published_one(celeba: Path, dsprites_npz: Path) -> None:
    with pytest.raises(InputError, match=r"img_align_celeba\.zip: its md5 is .*, that of the published file 00d2c5bc"):
        prepare("celeba", celeba)
    named = dsprites_npz.rename(dsprites_npz.with_name("dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"))
    with pytest.raises(InputError, match=r"published file 7da33b31.*--unchecked"):
        prepare("dsprites", named)
    assert len(prepare("dsprites", named, check=False)[0]) == 600
    assert find_prepared("celeba") is None


def cut(path: Path, keep: float) -> None:
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])


def test_damaged_archives(chairs_tar: Path, celeba: Path, dsprites_npz: Path, tmp_path: Path) -> None:
    cut(celeba / "Img" / "img_align_celeba.zip", 0.9)
    cut(dsprites_npz, 0.7)
    for name, source in (("celeba", celeba), ("dsprites", dsprites_npz)):
        with pytest.raises(InputError, match=r"cut short|damaged") as caught:
            prepare(name, source, check=False)
        assert "\n" not in str(caught.value)
    whole = chairs_tar.read_bytes()
    for keep in (100, 512, len(whole) // 2 // 512 * 512, len(whole) // 2 + 7, len(whole) - 10240 - 512):
        chairs_tar.write_bytes(whole[:keep])
        with pytest.raises(InputError, match=r"rendered_chairs\.tar: cannot be read as a tar archive: damaged or cut"):
            prepare("chairs", chairs_tar)
    chairs_tar.write_bytes(whole.replace(b"IHDR", b"XXXX"))
    with pytest.raises(InputError, match=r"image_000_p030_t191_r096\.png: cannot be read as an image"):
        prepare("chairs", chairs_tar)
    empty = tmp_path / "empty.tar"
    tarfile.open(empty, "w").close()
    with pytest.raises(InputError, match=r"holds no MODEL/renders"):
        prepare("chairs", empty)


def test_text_files_that_do_not_fit(celeba: Path) -> None:
    partition = celeba / "Eval" / "list_eval_partition.txt"
    lines = partition.read_text().splitlines()
    for text, message in (
        ("\n".join(lines[:-1]), "says nothing of 000010.jpg"),
        ("\n".join([*lines[:-1], "000010.jpg two"]), "the line of 000010.jpg is not 1 whole numbers"),
        ("", "says nothing of 000001.jpg"),
    ):
        partition.write_text(text)
        with pytest.raises(InputError, match=message):
            prepare("celeba", celeba, check=False)
    partition.write_text("\n".join(lines))
    (celeba / "Anno" / "list_attr_celeba.txt").write_text("10\n")
    with pytest.raises(InputError, match=r"list_attr_celeba\.txt: says nothing of"):
        prepare("celeba", celeba, check=False)


def csv_tables(celeba: Path) -> None:
    """The tables as Kaggle has them: beside the archive, with commas and headings, no identities."""
    for path in (*celeba.glob("Anno/*"), *celeba.glob("Eval/*")):
        path.unlink()
    names = [f"{i:06d}.jpg" for i in range(1, 11)]
    rows = [f"{name},{1 if i % 2 else -1},-1" for i, name in enumerate(names)]
    (celeba / "Img" / "list_attr_celeba.csv").write_text("\n".join(["image_id,Bald,Smiling", *rows]))
    rows = [f"{name},{0 if i < 8 else 2}" for i, name in enumerate(names)]
    (celeba / "Img" / "list_eval_partition.csv").write_text("\ufeff" + "\r\n".join(["image_id,partition", *rows]))


def test_celeba_with_the_tables_of_kaggle(celeba: Path) -> None:
    csv_tables(celeba)
    made, about = prepare("celeba", celeba, check=False, size=8)
    assert (made.factor_names, made.factor_sizes) == (("Bald", "Smiling", "partition"), (2, 1, 3))
    assert made.factor("Bald").tolist() == [0, 1] * 5
    assert made.split().test.factor("partition").tolist() == [2, 2]
    assert [line.split()[0] for line in about["notes"]] == ["identity_CelebA.txt"]
    table = celeba / "Img" / "list_eval_partition.csv"
    for text, message in (
        ("image_id,partition,more\n", "has 2 columns of numbers, not 1"),
        ("", "has 0 columns of numbers, not 1"),
        ("image_id,partition\n000001.jpg,0,0\n", "the line of 000001.jpg is not 1 whole numbers"),
        ("image_id,partition\n000001.jpg," + "9" * 30, "the line of 000001.jpg is not 1 whole numbers"),
        (f'image_id,partition\n"{"x" * 200_000}', "cannot be read as text"),
    ):
        table.write_text(text)
        with pytest.raises(InputError, match=message):
            prepare("celeba", celeba, check=False)


@pytest.mark.parametrize("number", ["9223372036854775808", "-" + "9" * 25, "9" * 5000])
def test_an_identity_that_no_integer_holds(celeba: Path, number: str) -> None:
    people = celeba / "Anno" / "identity_CelebA.txt"
    people.write_text(people.read_text().replace("904", number))
    with pytest.raises(InputError, match=r"the line of 0000\d\d\.jpg is not 1 whole numbers") as caught:
        prepare("celeba", celeba, check=False)
    assert len(str(caught.value)) < 400


def test_what_macos_adds_to_a_zip_is_passed_over(celeba: Path) -> None:
    archive = celeba / "Img" / "img_align_celeba.zip"
    whole, _ = prepare("celeba", celeba, check=False, size=8)
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("__MACOSX/img_align_celeba/._000001.jpg", b"\0\5\x16\7\0\2\0\0Mac OS X")
        file.writestr("img_align_celeba/.DS_Store.jpg", b"Mac")
    again, _ = prepare("celeba", celeba, check=False, size=8)
    assert again.digest == whole.digest


@pytest.mark.parametrize("name", ["/etc/000001.jpg", "../../000001.jpg", "img_align_celeba/../000001.jpg"])
def test_a_name_that_leads_out_of_a_zip(celeba: Path, name: str) -> None:
    with zipfile.ZipFile(celeba / "Img" / "img_align_celeba.zip", "a") as file:
        file.writestr(name, picture(8, 8, 1, "JPEG"))
    with pytest.raises(InputError, match="leads out of the archive"):
        prepare("celeba", celeba, check=False)


def test_a_picture_in_a_zip_that_unpacks_to_more_than_a_picture_has(celeba: Path) -> None:
    with zipfile.ZipFile(celeba / "Img" / "img_align_celeba.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("000001.jpg", bytes(2**26 + 1))
    (celeba / "Anno" / "list_attr_celeba.txt").unlink()
    tracemalloc.start()
    with pytest.raises(InputError, match=r"000001\.jpg: has 67108865 bytes; a picture has at most"):
        prepare("celeba", celeba, check=False)
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar(chairs_tar: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("rendered_chairs/beef/renders/image_000_p020_t011_r096.png")
    member.type = kind
    member.linkname = "/etc/passwd"
    with tarfile.open(chairs_tar, "a") as tar:
        tar.addfile(member)
    with pytest.raises(InputError, match="is a link or a device; only plain files are read"):
        prepare("chairs", chairs_tar)


@pytest.mark.parametrize("name", ["/etc/beef/renders/image_000_p020_t011_r096.png", "../a.png"])
def test_a_name_that_leads_out_of_a_tar(chairs_tar: Path, name: str) -> None:
    with tarfile.open(chairs_tar, "a") as tar:
        add(tar, name, b"x")
    with pytest.raises(InputError, match="leads out of the archive"):
        prepare("chairs", chairs_tar)


@pytest.mark.parametrize(
    "size",
    [b"77777777777\0", b"\x80" + b"\xff" * 11, b"\xff" * 11 + b"\x00", b"\xff" * 10 + b"\xfe\x00", b"not octal!!\0"],
)
def test_a_tar_header_that_lies_about_the_size(chairs_tar: Path, size: bytes) -> None:
    """Far beyond the file, beyond any offset, and back to the header itself, round and round."""
    content = bytearray(chairs_tar.read_bytes())
    head = content.index(b"rendered_chairs/0badbeef")
    content[head + 124 : head + 136] = size
    content[head + 148 : head + 156] = b" " * 8
    content[head + 148 : head + 156] = b"%06o\0 " % sum(content[head : head + 512])
    chairs_tar.write_bytes(content)
    with pytest.raises(InputError, match=r"rendered_chairs\.tar"):
        prepare("chairs", chairs_tar)


def test_a_tensor_file_whose_pickle_is_broken(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    torch.save(torch.zeros(4, 2, 2, dtype=torch.uint8), buffer)
    path = tmp_path / "basel_face_renders.pth"
    random = np.random.default_rng(0)
    with zipfile.ZipFile(buffer) as whole:
        for _ in range(60):
            with zipfile.ZipFile(path, "w") as file:
                for name in whole.namelist():
                    content = bytearray(whole.read(name))
                    if name.endswith("data.pkl"):
                        content[random.integers(len(content))] = random.integers(256)
                    file.writestr(name, bytes(content))
            with pytest.raises(InputError, match=r"basel_face_renders\.pth") as caught:
                load_dataset("faces3d", path=path)
            assert "\n" not in str(caught.value)


def test_a_byte_that_passes_for_many_images(tmp_path: Path) -> None:
    path = tmp_path / "basel_face_renders.pth"
    for images in (
        torch.zeros(1, dtype=torch.uint8).expand(50, 21, 11, 11, 2000, 2000),
        torch.zeros(50, 21, 11, 11, 0, 0, dtype=torch.uint8),
        torch.zeros(50, 21, 11, 11, 2, 2, dtype=torch.uint8, device="meta"),
        torch.zeros(3, 3, 3, dtype=torch.uint8).to_sparse(),
    ):
        torch.save(images, path)
        with pytest.raises(InputError, match=r"basel_face_renders\.pth: "):
            load_dataset("faces3d", path=path)


@pytest.mark.parametrize(
    "change",
    [
        {"folder": "../../elsewhere"},
        {"shape": [18, 1, 64]},
        {"shape": "large"},
        {"factor_sizes": [1, 1, 1]},
        {"factor_names": ["a", "a", "b"]},
        {"hold_out": "light"},
        {"digest": 3},
        {"name": None},
    ],
)
def test_a_note_on_prepared_data_that_was_changed(chairs_tar: Path, change: dict) -> None:
    prepare("chairs", chairs_tar)
    note = data_folder() / "chairs.json"
    note.write_text(json.dumps({**json.loads(note.read_text()), **change}))
    with pytest.raises(InputError, match="prepare it again: seatbelt data prepare chairs") as caught:
        load_dataset("chairs")
    assert "\n" not in str(caught.value)


def test_a_note_that_is_nested_deep(chairs_tar: Path) -> None:
    prepare("chairs", chairs_tar)
    (data_folder() / "chairs.json").write_text("[" * 100_000)
    with pytest.raises(InputError, match="prepare it again"):
        load_dataset("chairs")


def test_names_and_sources_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"sprites: cannot be prepared .sprites are drawn.*use one of dsprites"):
        prepare("sprites", tmp_path)
    with pytest.raises(InputError, match="no such file or folder"):
        prepare("chairs", tmp_path / "none.tar")
    with pytest.raises(InputError, match=r"faces3d: needs path=FILE.*give it with --source PATH"):
        prepare("faces3d")


def test_training_goes_on_from_prepared_data(dsprites_npz: Path, tmp_path: Path) -> None:
    """A data set that is mapped trains to the same bits as the same one in memory."""
    from seatbelt_vae.models import vae
    from seatbelt_vae.objectives import ELBO
    from seatbelt_vae.training import train

    def weights(data: ImageDataset) -> torch.Tensor:
        torch.manual_seed(0)
        model = vae(data.image_shape, latent_sizes=(2,), network="conv", hidden_sizes=(4,))
        train(model, data.split(0.1).train, ELBO(), steps=2, batch_size=8, device="cpu")
        return torch.cat([weight.flatten() for weight in model.parameters()])

    prepare("dsprites", dsprites_npz)
    assert torch.equal(weights(load_dataset("dsprites")), weights(load_dataset("dsprites", path=dsprites_npz)))
