import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image, TiffImagePlugin

from seatbelt_vae.data import load_dataset
from seatbelt_vae.data.folders import load_folder
from seatbelt_vae.data.options import Options
from seatbelt_vae.data.pictures import read_image
from seatbelt_vae.errors import InputError


def paint(path, colour, size=(16, 16), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path)
    return path


@pytest.fixture
def folder(tmp_path):
    """Six grey pictures, ten steps of grey apart, in the order of their names."""
    for i in range(6):
        paint(tmp_path / "pictures" / f"{i}.png", 10 * i, mode="L")
    return tmp_path / "pictures"


def test_pictures_come_sorted_and_as_stored(folder):
    data = load_dataset(folder)
    assert data.image_shape == (1, 16, 16)
    assert data.images[:, 0, 0, 0].tolist() == [0, 10, 20, 30, 40, 50]
    assert (data.name, data.factors) == ("pictures", None)


def test_size_count_and_bounds(folder):
    data = load_dataset(folder, size=8, count=4, seed=3, bounds=(-1, 1))
    assert (len(data), data.image_shape) == (4, (1, 8, 8))
    values = data.images[:, 0, 0, 0].tolist()
    assert values == sorted(set(values))
    assert float(data[:].min()) == pytest.approx(2 * values[0] / 255 - 1)
    with pytest.raises(InputError, match="count=7"):
        load_dataset(folder, count=7)


def test_one_colour_picture_makes_all_colour_unless_grey_is_asked(folder):
    paint(folder / "9.jpg", (200, 100, 50))
    assert load_dataset(folder).image_shape == (3, 16, 16)
    assert load_dataset(folder, grey=True).image_shape == (1, 16, 16)


def test_pictures_of_several_sizes_become_64(folder):
    paint(folder / "9.png", 90, size=(300, 200), mode="L")
    data = load_dataset(folder)
    assert data.image_shape == (1, 64, 64)
    assert (data.images[-1] == 90).all()


def test_the_central_square_is_kept(tmp_path):
    picture = np.zeros((20, 60), dtype=np.uint8)
    picture[:, 20:40] = 255
    Image.fromarray(picture).save(tmp_path / "wide.png")
    Image.fromarray(picture.T).save(tmp_path / "tall.png")
    assert (read_image(tmp_path / "wide.png", (10, 10), "L") == 255).all()
    assert (read_image(tmp_path / "tall.png", (10, 10), "L") == 255).all()
    small = read_image(tmp_path / "wide.png", (10, 10), "L", crop=10)
    assert small.shape == (1, 10, 10)


def test_pictures_of_one_size_keep_it_though_they_are_no_squares(folder):
    for picture in folder.iterdir():
        paint(picture, 7, size=(24, 16), mode="L")
    assert load_dataset(folder).image_shape == (1, 16, 24)
    assert load_dataset(folder, size=(8, 12)).image_shape == (1, 8, 12)
    assert load_dataset(folder, size="12x8", grey=True).image_shape == (1, 12, 8)
    assert load_dataset(folder, size=8).image_shape == (1, 8, 8)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
def test_a_picture_that_was_turned_has_the_size_that_one_sees(folder, suffix):
    for picture in folder.iterdir():
        paint(picture, 7, size=(24, 16), mode="L")
    orientation = Image.Exif()
    orientation[0x0112] = 6
    Image.new("L", (16, 24), 7).save(folder / f"turned.{suffix}", exif=orientation)
    assert load_dataset(folder).image_shape[1:] == (16, 24)
    Image.new("L", (24, 16), 7).save(folder / f"turned.{suffix}", exif=orientation)
    assert load_dataset(folder).image_shape[1:] == (64, 64)


def test_cmyk_and_half_transparent_pictures(tmp_path):
    paint(tmp_path / "ink.jpg", (0, 255, 255, 0), mode="CMYK")
    red, green, blue = read_image(tmp_path / "ink.jpg", (16, 16)).float().mean((1, 2)).tolist()
    assert (round(red) > 250, round(green) < 5, round(blue) < 5) == (True, True, True)
    paint(tmp_path / "veil.png", (0, 0, 0, 128), mode="RGBA")
    assert (read_image(tmp_path / "veil.png", (16, 16)) == 127).all()
    paint(tmp_path / "grey.png", (0, 0), mode="LA")
    assert (read_image(tmp_path / "grey.png", (16, 16), "L") == 255).all()


def test_subfolders_become_a_factor(tmp_path):
    for chair in ("b", "a", "c"):
        for view in range(2):
            paint(tmp_path / "rendered" / chair / "renders" / f"{view}.png", 100 + view)
    data = load_folder(tmp_path, Options(), factor="model")
    assert (data.factor_names, data.factor_sizes) == (("model",), (3,))
    assert data.factor("model").tolist() == [0, 0, 1, 1, 2, 2]
    chairs = load_dataset("chairs", path=tmp_path)
    assert (chairs.hold_out, chairs.image_shape) == ("model", (1, 16, 16))
    assert len(chairs.split(test=0.3).test) == 2
    assert load_folder(tmp_path, Options(count=2), factor="model").factor_sizes == (3,)


def test_16_bit_transparent_palette_and_rotated_pictures(tmp_path):
    deep = tmp_path / "deep.png"
    Image.fromarray(np.full((8, 8), 128 * 257, dtype=np.uint16)).save(deep)
    assert (read_image(deep, (8, 8), "L") == 128).all()
    paint(tmp_path / "clear.png", (0, 0, 0, 0), mode="RGBA")
    assert (read_image(tmp_path / "clear.png", (8, 8)) == 255).all()
    Image.new("RGB", (8, 8), (255, 0, 0)).convert("P").save(tmp_path / "palette.gif")
    assert read_image(tmp_path / "palette.gif", (8, 8))[:, 0, 0].tolist() == [255, 0, 0]
    left_white = Image.fromarray(np.repeat([[255] * 8 + [0] * 8], 16, 0).astype(np.uint8))
    orientation = Image.Exif()
    orientation[0x0112] = 6  # to be turned a quarter clockwise: left comes to the top
    left_white.save(tmp_path / "turned.png", exif=orientation)
    turned = read_image(tmp_path / "turned.png", (16, 16), "L")
    assert (turned[0, :7].min(), turned[0, 9:].max()) == (255, 0)
    wide = Image.fromarray(np.arange(24, dtype=np.uint8).reshape(6, 4))
    for suffix in ("png", "tif"):
        wide.save(tmp_path / f"wide.{suffix}", exif=orientation)
        assert torch.equal(
            read_image(tmp_path / f"wide.{suffix}", (4, 6), "L")[0], torch.arange(24).view(6, 4).rot90(3)
        )


def test_hidden_and_other_files_are_passed_over(folder):
    (folder / ".hidden.png").write_bytes(b"")
    (folder / "notes.txt").write_text("no picture")
    paint(folder / ".cache" / "x.png", 7, mode="L")
    assert len(load_dataset(folder)) == 6


def test_the_digest_is_of_the_pixels(folder, tmp_path):
    for i in range(6):
        paint(tmp_path / "copy" / f"{i}.bmp", 10 * i, mode="L")
    assert load_dataset(tmp_path / "copy").digest == load_dataset(folder).digest
    assert load_dataset(folder, size=8).digest != load_dataset(folder).digest


@pytest.mark.parametrize("options", [{}, {"size": 8}, {"size": 8, "grey": True}])
def test_an_unreadable_picture_is_named(folder, options):
    for content in (b"", b"no picture", (folder / "5.png").read_bytes()[:40]):
        (folder / "3.png").write_bytes(content)
        with pytest.raises(InputError, match=r"3\.png: cannot be read as an image") as caught:
            load_dataset(folder, **options)
        assert "\n" not in str(caught.value)


def test_a_picture_cut_short_is_named(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    path = tmp_path / "noise.jpg"
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(InputError, match=r"noise\.jpg: .*damaged or cut short"):
        load_dataset(tmp_path)


def test_folders_without_pictures(tmp_path):
    with pytest.raises(InputError, match="no image in this folder"):
        load_dataset(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        load_folder(tmp_path / "absent", Options())
    paint(tmp_path / "one.png", 3, mode="L")
    with pytest.raises(InputError, match="sha256 is of a file"):
        load_dataset(tmp_path, sha256="0" * 64)
    assert torch.equal(load_dataset(tmp_path).images, torch.full((1, 1, 16, 16), 3, dtype=torch.uint8))


def test_numbers_of_unknown_range_are_refused_and_folders_passed_over(tmp_path):
    Image.fromarray(np.full((28, 28), 0.5, "float32")).save(tmp_path / "float.tif")
    with pytest.raises(
        InputError, match=r"float\.tif: holds floats, whose range is anyone's guess; save it with 8 or 16"
    ):
        load_dataset(tmp_path)
    Image.fromarray(np.full((28, 28), 200, "int32")).save(tmp_path / "float.tif")
    with pytest.raises(InputError, match=r"holds 32-bit integers"):
        load_dataset(tmp_path)
    Image.new("L", (28, 28), 51).save(tmp_path / "float.tif")
    (tmp_path / "folder.png").mkdir()
    assert float(load_dataset(tmp_path)[:].mean()) == pytest.approx(0.2)


def test_class_folders_may_be_links_and_none_is_entered_twice(folder, tmp_path):
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "a").symlink_to(folder)
    paint(tmp_path / "all" / "b" / "x.png", 200, mode="L")
    (tmp_path / "all" / "b" / "round").symlink_to(tmp_path / "all")
    data = load_dataset(tmp_path / "all")
    assert (len(data), data.factor_names, data.factor_sizes) == (7, ("folder",), (2,))
    (tmp_path / "linked").mkdir()
    for name in "ab":
        (tmp_path / "linked" / name).symlink_to(tmp_path / "all" / name)
    assert load_dataset(tmp_path / "linked").digest == data.digest


def test_a_link_to_nothing_is_not_passed_over(folder):
    (folder / "lost").symlink_to(folder / "absent")
    with pytest.raises(InputError, match="lost: is a link to nothing"):
        load_dataset(folder)
    (folder / "lost").unlink()
    (folder / ".hidden").symlink_to(folder / "absent")
    assert len(load_dataset(folder)) == 6


def stack(path, values, **options):
    pictures = [Image.new("L", (16, 16), value) for value in values]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], **options)


@pytest.mark.parametrize("suffix", ["tif", "gif", "webp"])
def test_each_page_of_a_stack_is_an_image(folder, suffix):
    stack(folder / f"2a.{suffix}", [101, 103, 105], **({"lossless": True} if suffix == "webp" else {}))
    data = load_dataset(folder, grey=True)
    assert data.images[:, 0, 8, 8].tolist() == [0, 10, 20, 101, 103, 105, 30, 40, 50]
    assert len(load_dataset(folder, count=9, size=8)) == 9


def test_previews_of_a_page_are_no_images(tmp_path):
    large, small = Image.new("L", (16, 16), 90), Image.new("L", (8, 8), 90)
    preview = TiffImagePlugin.ImageFileDirectory_v2()
    preview[254] = 1
    small.encoderinfo = {"tiffinfo": preview}
    large.save(tmp_path / "pyramid.tif", save_all=True, append_images=[small])
    with Image.open(tmp_path / "pyramid.tif") as image:
        assert image.n_frames == 2
        image.seek(1)
        if 254 not in image.tag_v2:
            pytest.skip("this Pillow does not write what a page is")
    assert load_dataset(tmp_path).images.shape == (1, 1, 16, 16)


def test_a_picture_of_too_many_pixels_is_not_decoded(folder):
    header = b"IHDR" + struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0)
    small = (folder / "3.png").read_bytes()
    (folder / "bomb.png").write_bytes(small[:12] + header + struct.pack(">I", zlib.crc32(header)) + small[33:])
    with pytest.raises(InputError, match=r"bomb\.png: .*pixels"):
        load_dataset(folder)
    (folder / "bomb.png").unlink()
    paint(folder / "wide.png", 0, size=(2**14, 2**13), mode="1")  # of which Pillow only warns
    with pytest.raises(InputError, match=r"wide\.png: .*134217728 pixels"):
        load_dataset(folder)
    (folder / "wide.png").unlink()
    stack(folder / "2a.tif", [1, 2])
    content = (folder / "2a.tif").read_bytes()
    width = struct.pack("<HHII", 256, 4, 1, 16)
    wide = struct.pack("<HHII", 256, 4, 1, 2**30)
    if width not in content:
        width, wide = struct.pack("<HHIHH", 256, 3, 1, 16, 0), wide
    first = content.index(width)
    second = content.index(width, first + 1)
    (folder / "2a.tif").write_bytes(content[:second] + wide + content[second + 12 :])
    with pytest.raises(InputError, match=r"2a\.tif: .* pixels"):
        load_dataset(folder)


def test_a_program_in_a_picture_is_not_run(folder):
    (folder / "3.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n")
    with pytest.raises(InputError, match=r"3\.png: cannot be read as an image"):
        load_dataset(folder)
