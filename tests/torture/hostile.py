"""Hostile input: bombs, ways out of a folder, lies about lengths, code in files, markup. Each must be blocked.

Blocked is: refused in one line, within the memory and the time of a case, and nothing was made where `MARKER` says; or,
for markup, shown as text.
"""

import io
import json
import os
import pickle
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch

from tests.torture import bombs, material
from tests.torture.command import Ended, seatbelt
from tests.torture.outcome import Kind, Outcome, hole
from tests.torture.runner import without_limit

MARKER = "it-was-run"
RUN, IMAGES, CHAIRS, CELEBA = "run", "images.npz", "rendered_chairs.tar", "celeba"

Attempt = Callable[[Path], Ended]
ATTEMPTS: dict[str, Attempt] = {}


@dataclass(frozen=True)
class Command:
    """What is run when somebody unpickles this."""

    words: str

    def __reduce__(self) -> Any:
        return os.system, (self.words,)


def attempt(does: Attempt) -> Attempt:
    """Note a case by the name of its function."""
    ATTEMPTS[does.__name__.replace("_", " ")] = does
    return does


def prepare(root: Path) -> Path:
    """What is spoiled: a run, its images, archives."""
    images = material.images_npz(root / IMAGES)
    material.whole_run(root, RUN, images)
    material.chairs_tar(root / CHAIRS)
    material.celeba(root / CELEBA)
    return root


def case(root: Path, number: int, random: Random, here: Path) -> Outcome:
    """Try one."""
    shutil.copytree(root, here, dirs_exist_ok=True)
    os.environ["SEATBELT_DATA"] = str(here / "prepared")
    (here / "outside").mkdir()
    name = list(ATTEMPTS)[number]
    ended = ATTEMPTS[name](here)
    fault = ended.fault
    if not fault and ended.code == 0 and "left out" not in ended.err:  # a table goes on without it, and says so
        fault = "nothing was refused"
    if (here / MARKER).exists() or any((here / "outside").iterdir()):
        fault = "it got out"
    return hole(f"{name}: {fault}") if fault else Outcome()


def pickled(here: Path) -> bytes:
    """A pickle that makes the marker."""
    return pickle.dumps(Command(f"touch {here / MARKER}"))


def info(path: Path) -> Ended:
    """Look into a data set."""
    return seatbelt("data", "info", str(path), "--sheet", str(path.parent / "sheet.png"))


def table(here: Path) -> Ended:
    """Read everything of the run."""
    return seatbelt("table", str(here / RUN), "--out", str(here / "table.csv"))


def attack(here: Path) -> Ended:
    """Load the model of the run."""
    words = "--pairs 1 --lambdas 1 --max-iterations 1 --seed 5 --device cpu"
    return seatbelt("attack", str(here / RUN), *words.split())


def chairs(here: Path) -> Ended:
    """Prepare the chairs."""
    return seatbelt("data", "prepare", "chairs", "--source", str(here / CHAIRS), "--size", "16", "--unchecked")


def celeba(here: Path) -> Ended:
    """Prepare CelebA."""
    return seatbelt("data", "prepare", "celeba", "--source", str(here / CELEBA), "--size", "16", "--unchecked")


@attempt
def a_bomb_npz(here: Path) -> Ended:
    return info(bombs.npz(here / "bomb.npz"))


@attempt
def a_bomb_png(here: Path) -> Ended:
    return info(bombs.png(here / "pictures" / "a.png", 60_000, bombs.zeros(2**32, wrapped=True)).parent)


@attempt
def a_bomb_png_of_text(here: Path) -> Ended:
    return info(bombs.png_of_text(here / "pictures" / "a.png").parent)


@attempt
def a_png_that_says_it_is_large(here: Path) -> Ended:
    return info(bombs.png(here / "pictures" / "a.png", 2**31 - 1).parent)


@attempt
def a_jpeg_that_says_it_is_large(here: Path) -> Ended:
    return info(bombs.jpeg(here / "pictures" / "a.jpg").parent)


@attempt
def a_bomb_zip(here: Path) -> Ended:
    (here / CELEBA / "list_attr_celeba.csv").unlink()
    name = "img_align_celeba/000001.jpg"
    bombs.zip_with(here / CELEBA / "img_align_celeba.zip", name, bombs.zeros(2**31), 2**31)
    return celeba(here)


@attempt
def a_zip_that_says_a_bomb_is_small(here: Path) -> Ended:
    name = "img_align_celeba/000001.jpg"
    bombs.zip_with(here / CELEBA / "img_align_celeba.zip", name, bombs.zeros(2**31), 1000)
    return celeba(here)


@attempt
def a_bomb_tar(here: Path) -> Ended:
    bombs.sparse_tar(here / CHAIRS)
    return chairs(here)


@attempt
def a_bomb_hdf5(here: Path) -> Ended:
    import h5py

    with h5py.File(here / "a.h5", "w") as file:
        file.create_dataset("images", (2**40, 64, 64, 3), "u1", chunks=(1, 64, 64, 3), compression="gzip")
    return info(here / "a.h5")


@attempt
def an_npz_header_that_lies(here: Path) -> Ended:
    with zipfile.ZipFile(here / "a.npz", "w") as archive:
        archive.writestr("images.npy", bombs.npy_header((2**40, 64, 64)) + bytes(64))
    return info(here / "a.npz")


@attempt
def an_npz_header_without_end(here: Path) -> Ended:
    with zipfile.ZipFile(here / "a.npz", "w") as archive:
        archive.writestr("images.npy", b"\x93NUMPY\2\0\xff\xff\xff\xff" + b" " * 100)
    return info(here / "a.npz")


@attempt
def prepared_images_whose_header_lies(here: Path) -> Ended:
    assert chairs(here).code == 0
    images = next((here / "prepared").rglob("images.npy"))
    bombs.npy(images, (2**40, 1, 16, 16), bytes(64))
    return info_named("chairs")


def info_named(name: str) -> Ended:
    """Look into what was prepared."""
    return seatbelt("data", "info", name, "--sheet", "sheet.png")


@attempt
def safetensors_whose_length_lies(here: Path) -> Ended:
    path = here / RUN / "model.safetensors"
    path.write_bytes((2**62).to_bytes(8, "little") + path.read_bytes()[8:])
    return attack(here)


@attempt
def safetensors_of_a_shape_that_nothing_is_stored_of(here: Path) -> Ended:
    header = json.dumps({"a": {"dtype": "U8", "shape": [2**40], "data_offsets": [0, 8]}}).encode()
    path = here / RUN / "training.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))
    return attack(here)


def left_out(ended: Ended, name: str) -> Ended:
    """A table is made all the same, and says what is not in it."""
    return blocked_if(ended, ended.code == 2 or (ended.code == 0 and name in ended.err))


@attempt
def a_tiff_in_a_circle_of_pages(here: Path) -> Ended:
    ended = info(bombs.tiff_in_a_circle(here / "pictures" / "a.tif").parent)
    return blocked_if(ended, ended.code == 0)  # one page is what there is


def blocked_if(ended: Ended, right: bool) -> Ended:
    """A command that need not refuse, where it did the right thing."""
    if not right:
        return Ended(None, ended.out, ended.err or "not what it should be")
    return Ended(2, "", "seatbelt: it is right")


def spoiled_tar(here: Path, name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> Ended:
    """Chairs with one more member."""
    member = tarfile.TarInfo(name)
    member.type = kind
    member.linkname = link
    with tarfile.open(here / CHAIRS, "a") as archive:
        archive.addfile(member)
    return chairs(here)


VIEW = "renders/image_000_p020_t011_r096.png"


@attempt
def a_tar_with_a_name_that_leads_out(here: Path) -> Ended:
    return spoiled_tar(here, f"../outside/{VIEW}")


@attempt
def a_tar_with_an_absolute_name(here: Path) -> Ended:
    return spoiled_tar(here, f"{here}/outside/{VIEW}")


@attempt
def a_tar_with_a_link(here: Path) -> Ended:
    return spoiled_tar(here, f"beef/{VIEW}", tarfile.SYMTYPE, "/etc/passwd")


@attempt
def a_tar_with_a_hard_link(here: Path) -> Ended:
    return spoiled_tar(here, f"beef/{VIEW}", tarfile.LNKTYPE, "/etc/passwd")


@attempt
def a_tar_with_a_device(here: Path) -> Ended:
    return spoiled_tar(here, f"beef/{VIEW}", tarfile.CHRTYPE)


@attempt
def a_tar_with_a_pipe(here: Path) -> Ended:
    return spoiled_tar(here, f"beef/{VIEW}", tarfile.FIFOTYPE)


def spoiled_zip(here: Path, name: str, mode: int = 0o644) -> Ended:
    """CelebA with one more member."""
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    with zipfile.ZipFile(here / CELEBA / "img_align_celeba.zip", "a") as archive:
        archive.writestr(info, b"/etc/passwd")
    return celeba(here)


@attempt
def a_zip_with_a_name_that_leads_out(here: Path) -> Ended:
    return spoiled_zip(here, "../../outside/000001.jpg")


@attempt
def a_zip_with_an_absolute_name(here: Path) -> Ended:
    return spoiled_zip(here, f"{here}/outside/000001.jpg")


@attempt
def a_zip_with_backslashes(here: Path) -> Ended:
    ended = spoiled_zip(here, "..\\..\\outside\\000001.jpg")
    return blocked_if(ended, ended.code == 0)  # hidden, as it begins with a dot


@attempt
def a_zip_with_a_link(here: Path) -> Ended:
    return spoiled_zip(here, "img_align_celeba/000009.jpg", 0o120777)


@attempt
def a_note_on_prepared_data_that_leads_out(here: Path) -> Ended:
    assert chairs(here).code == 0
    note = here / "prepared" / "prepared" / "chairs.json"
    about = json.loads(note.read_text())
    (note.parent / about["folder"]).rename(here / "elsewhere")
    note.write_text(json.dumps({**about, "folder": "../../elsewhere"}))
    return info_named("chairs")


@attempt
def hdf5_that_links_to_another_file(here: Path) -> Ended:
    import h5py

    material.shapes_h5(here / "secret.h5")
    with h5py.File(here / "a.h5", "w") as file:
        file["images"] = h5py.ExternalLink("secret.h5", "images")
    return info(here / "a.h5")


@attempt
def hdf5_whose_data_are_another_file(here: Path) -> Ended:
    import h5py

    with h5py.File(here / "a.h5", "w") as file:
        file.create_dataset("images", (1, 8, 8, 1), "u1", external=[("/etc/passwd", 0, 64)])
    return info(here / "a.h5")


@attempt
def a_measurement_whose_name_leads_out(here: Path) -> Ended:
    path = here / RUN / "evaluation.json"
    evaluation = json.loads(path.read_text())
    evaluation["measurements"]["../../outside/noise"] = evaluation["measurements"]["noise"]
    path.write_text(json.dumps(evaluation))
    return left_out(table(here), "evaluation.json")


@attempt
def pickled_images(here: Path) -> Ended:
    np.savez(here / "a.npz", images=np.array([Command(f"touch {here / MARKER}")], dtype=object))
    return info(here / "a.npz")


@attempt
def pickled_prepared_images(here: Path) -> Ended:
    assert chairs(here).code == 0
    images = next((here / "prepared").rglob("images.npy"))
    np.save(images, np.array([Command(f"touch {here / MARKER}")], dtype=object), allow_pickle=True)
    return info_named("chairs")


@attempt
def a_pickle_as_faces(here: Path) -> Ended:
    torch.save(Command(f"touch {here / MARKER}"), here / "basel_face_renders.pth")
    return faces(here)


@attempt
def an_old_pickle_as_faces(here: Path) -> Ended:
    (here / "basel_face_renders.pth").write_bytes(pickled(here))
    return faces(here)


def faces(here: Path) -> Ended:
    """Look into the Basel faces."""
    return seatbelt("data", "info", "faces3d", "--path", str(here / "basel_face_renders.pth"))


@attempt
def a_pickle_as_weights(here: Path) -> Ended:
    (here / RUN / "model.safetensors").write_bytes(pickled(here))
    return attack(here)


@attempt
def a_torch_file_as_a_training_state(here: Path) -> Ended:
    torch.save(Command(f"touch {here / MARKER}"), here / RUN / "training.safetensors")
    return attack(here)


@attempt
def a_pickle_as_an_attack(here: Path) -> Ended:
    next((here / RUN / "attacks").glob("*[0-9a-f].safetensors")).write_bytes(pickled(here))
    return left_out(table(here), ".safetensors")


def config(here: Path, **changes: Any) -> Ended:
    """Another recipe of the model, as a hub may give it."""
    path = here / RUN / "config.json"
    recipe = json.loads(path.read_text())
    arguments = {**recipe["arguments"], **changes.pop("arguments", {})}
    path.write_text(json.dumps({**recipe, **changes, "arguments": arguments}))
    return attack(here)


@attempt
def a_config_that_names_a_function(here: Path) -> Ended:
    return config(here, model="os.system", arguments={"command": f"touch {here / MARKER}"})


@attempt
def a_config_with_another_factory(here: Path) -> Ended:
    return config(here, factory="os:system", auto_map={"AutoModel": "evil.Model"}, arguments={"network": "os.system"})


@attempt
def a_config_with_dunders(here: Path) -> Ended:
    return config(here, model="__class__", arguments={"__init__": "x", "__reduce__": ["os.system", "true"]})


@attempt
def a_config_of_a_model_that_fits_nowhere(here: Path) -> Ended:
    return config(here, arguments={"hidden_sizes": [2**31], "latent_sizes": [2**40, 2**31]})


@attempt
def a_config_with_code_beside_it(here: Path) -> Ended:
    for name in ("modeling.py", "__init__.py", "conftest.py", "sitecustomize.py"):
        (here / RUN / name).write_text(f"open({str(here / MARKER)!r}, 'w')")
    ended = attack(here)
    return blocked_if(ended, ended.code == 0)


@attempt
def a_program_as_a_picture(here: Path) -> Ended:
    (here / "pictures").mkdir()
    program = f"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%touch {here / MARKER}) (w) file\nshowpage\n"
    (here / "pictures" / "a.png").write_text(program)
    return info(here / "pictures")


@attempt
def toml_nested_deep(here: Path) -> Ended:
    (here / "sweep.toml").write_text(f"a = {'[' * 100_000}")
    return seatbelt("sweep", "sweep.toml", "--out", "out")


@attempt
def toml_of_a_sweep_without_end(here: Path) -> Ended:
    lists = "\n".join(f"{name} = {list(range(1, 200))}" for name in ("steps", "seed", "batch_size", "warm_up"))
    (here / "sweep.toml").write_text(f"[data]\nname = {json.dumps(str(here / IMAGES))}\n[training]\n{lists}\n")
    return seatbelt("sweep", "sweep.toml", "--out", "out")


@attempt
def a_pipe_as_data(here: Path) -> Ended:
    os.mkfifo(here / "a.npz")
    return info(here / "a.npz")


@attempt
def a_pipe_as_a_sweep(here: Path) -> Ended:
    os.mkfifo(here / "sweep.toml")
    return seatbelt("sweep", "sweep.toml", "--out", "out")


@attempt
def a_pipe_as_a_spec(here: Path) -> Ended:
    (here / RUN / "spec.json").unlink()
    os.mkfifo(here / RUN / "spec.json")
    return table(here)


@attempt
def a_device_without_end_as_data(here: Path) -> Ended:
    (here / "a.npz").symlink_to("/dev/zero")
    return info(here / "a.npz")


@attempt
def a_device_without_end_as_an_evaluation(here: Path) -> Ended:
    (here / RUN / "evaluation.json").unlink()
    (here / RUN / "evaluation.json").symlink_to("/dev/zero")
    return table(here)


MARKUP = "<img src=x onerror=alert(1)>"


@attempt
def markup_as_the_name_of_a_run(here: Path) -> Ended:
    (here / RUN).rename(here / MARKUP)
    return page(here, MARKUP)


@attempt
def markup_as_the_name_of_data(here: Path) -> Ended:
    images = material.images_npz(here / f"{MARKUP}.npz")
    material.whole_run(here, "marked", images)
    return page(here, "marked")


def page(here: Path, run: str) -> Ended:
    """Write the page: markup must be text in it, and a script in the data of the page must not end the script."""
    without_limit()
    ended = seatbelt("report", str(here / run), "--out", str(here / "report"))
    written = [path for path in (here / "report").rglob("*") if path.suffix in (".html", ".svg", ".md")]
    raw = [path.name for path in written if path.suffix != ".md" and MARKUP in path.read_text()]
    return blocked_if(ended, ended.code == 0 and bool(written) and not raw)


@attempt
def control_characters_in_a_name(here: Path) -> Ended:
    ended = seatbelt("table", "\x1b[2Jrun\r\n\x07", "--out", "a.csv")
    return blocked_if(ended, ended.code == 2 and "\x1b" not in ended.err and "\x07" not in ended.err)


@attempt
def control_characters_in_an_archive(here: Path) -> Ended:
    content = material.picture("JPEG")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("\x1b[2J\x07.jpg", content)
    (here / CELEBA / "img_align_celeba.zip").write_bytes(buffer.getvalue())
    ended = celeba(here)
    return blocked_if(ended, ended.code == 2 and "\x1b" not in ended.err and "\x07" not in ended.err)


KIND = Kind("hostile inputs", ("inputs", "blocked"), len(ATTEMPTS), prepare, case, least=0.5)
