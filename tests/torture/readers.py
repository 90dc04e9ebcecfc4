"""Everything that is read from disk, each with the value that came of it."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.torture import material
from tests.torture.command import seatbelt

Read = Callable[[Path], object]


@dataclass(frozen=True)
class Subject:
    """A file to be damaged.

    Attributes:
        name: of the reader.
        folder: what is copied for a case.
        file: in it, that is damaged.
        read: reads the copy; the value is the same for the same content.
        sealed: whether its format, or a hash, would tell; if not, another value must come with another digest.
        words: a command that reads it too.
        weight: how often it has its turn.
    """

    name: str
    folder: Path
    file: str
    read: Read
    sealed: bool = True
    words: tuple[str, ...] = ()
    weight: int = 1


def data_value(name: str | Path, **options: Any) -> tuple[str, str]:
    """A data set's digest, and a hash of its images and factors."""
    from seatbelt_vae.data import load_dataset

    return of_dataset(load_dataset(name, **options))


def of_dataset(dataset: Any) -> tuple[str, str]:
    """The digest of a data set, and a hash of all that is in it."""
    indices = range(0, len(dataset), max(1, len(dataset) // 50))
    held = hashlib.sha256(dataset.images[list(indices)].numpy().tobytes())
    if dataset.factors is not None:
        held.update(dataset.factors.numpy().tobytes())
    held.update(repr((dataset.image_shape, dataset.factor_names, dataset.factor_sizes, dataset.hold_out)).encode())
    return dataset.digest, held.hexdigest()


def original(name: str) -> Read:
    """Read a published data set from where it lies, without keeping it."""

    def read(path: Path) -> tuple[str, str]:
        from seatbelt_vae.data.options import Options
        from seatbelt_vae.data.prepare import ORIGINALS

        archive = ORIGINALS[name].archive(path, 16)
        if archive is None:
            return data_value(name, path=path)
        return of_dataset(Options(path=path).apply(archive.dataset))

    return read


def prepared(path: Path) -> tuple[str, str]:
    """Read a data set that was prepared there."""
    os.environ["SEATBELT_DATA"] = str(path)
    return data_value("chairs")


def run_value(path: Path) -> str:
    """Everything that is known of a run, as tables and reports read it."""
    from seatbelt_vae.experiments import RunFolder

    folder = RunFolder.open(path)
    record = folder.record()
    held = [record.settings, record.evaluation, list(record.history), list(record.environment), folder.step]
    sums = [sum_of(folder.model().state_dict())]
    for name in record.measured:
        sums.append(sum_of(record.measured[name]))
    for name, attacked in record.attacks.items():
        held += [name, attacked.result.settings]
        sums += [sum_of(vars(attacked.result)), sum_of(vars(attacked.assessment)), str(attacked.result.budget)]
    return json.dumps([held, sums], sort_keys=True)


def sum_of(values: Any) -> str:
    """A hash of the tensors in a table."""
    from torch import Tensor

    held = hashlib.sha256()
    for name, value in sorted(values.items()):
        if isinstance(value, Tensor):
            held.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
            held.update(value.detach().contiguous().numpy().tobytes())
    return held.hexdigest()


def resumed(path: Path) -> str:
    """Go on with a run that was stopped; the weights at its end."""
    from seatbelt_vae.experiments import RunFolder, run_training

    folder = RunFolder.open(path)
    run_training(folder.spec, path, device="cpu")
    return sum_of(RunFolder.open(path).model().state_dict())


def a_spec(path: Path) -> tuple[str, str]:
    """The spec of a run in a TOML file: its digest and all of it."""
    from seatbelt_vae.experiments import ExperimentSpec

    spec = ExperimentSpec.read(path)
    return spec.digest, spec.model_dump_json()


def a_sweep(path: Path) -> tuple[str, str]:
    """The spec of a sweep in a TOML file."""
    from seatbelt_vae.experiments import SweepSpec

    spec = SweepSpec.read(path)
    names = [each.digest for each in spec.runs]
    return repr((names, spec.evaluate, spec.attacks)), repr(spec)


def a_store(path: Path) -> str:
    """How far the runs of a store are, and what is to be done to them."""
    from seatbelt_vae.experiments import RunFolder
    from seatbelt_vae.experiments.status import status
    from seatbelt_vae.experiments.tasks import Task

    task = Task.read(next((path / ".sweep").glob("*.json")))
    runs = sorted(found.parent for found in path.glob("*/spec.json"))
    return repr([task, *(status(RunFolder.open(run), task) for run in runs)])


def subjects(root: Path) -> list[Subject]:
    """Make every file, and say how it is read."""
    return [*data_subjects(root / "data"), *run_subjects(root / "runs")]


def data_subjects(root: Path) -> list[Subject]:
    """Files of data sets."""
    found = []
    made = {
        "npz": material.images_npz(folder(root, "npz") / "a.npz"),
        "npz, compressed": material.images_npz(folder(root, "npz2") / "a.npz", compressed=True),
        "npz of dSprites": material.dsprites_npz(folder(root, "dsprites") / "a.npz"),
    }
    for name, path in made.items():
        words = ("data", "info", path.name)
        found.append(Subject(name, path.parent, path.name, of_file(data_value, path.name), words=words, weight=2))
    shapes = material.shapes_h5(folder(root, "h5") / "a.h5")
    found.append(Subject("hdf5", shapes.parent, "a.h5", of_file(data_value, "a.h5"), sealed=False, weight=2))
    for kind in ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM"):
        place = folder(root, kind)
        for number in range(3):
            (place / f"{number}.{kind.lower()}").write_bytes(material.picture(kind, number))
        found.append(Subject(f"pictures, {kind}", place, f"1.{kind.lower()}", data_value, sealed=False))
    found += archive_subjects(root)
    return found


def archive_subjects(root: Path) -> list[Subject]:
    """Published archives, and what was prepared of one."""
    found = []
    celeba = material.celeba(root / "celeba")
    for file in sorted(path.name for path in celeba.iterdir()):
        found.append(Subject(f"celeba, {file}", celeba, file, original("celeba"), sealed=False))
    chairs = material.chairs_tar(folder(root, "chairs") / "rendered_chairs.tar")
    read = of_file(original("chairs"), chairs.name)
    found.append(Subject("chairs tar", chairs.parent, chairs.name, read, sealed=False, weight=2))
    for zipped in (True, False):
        faces = material.faces_pth(folder(root, f"faces-{zipped}") / "basel_face_renders.pth", zipped)
        read = of_file(original("faces3d"), faces.name)
        found.append(Subject(f"faces pth, zipped {zipped}", faces.parent, faces.name, read, sealed=False))
    place = folder(root, "prepared")
    os.environ["SEATBELT_DATA"] = str(place)
    material.done("data", "prepare", "chairs", "--source", str(chairs), "--size", "16", "--unchecked", to=root)
    for path in sorted(place.rglob("*")):
        if path.suffix in (".npy", ".json"):
            inside = str(path.relative_to(place))
            found.append(Subject(f"prepared, {path.name}", place, inside, prepared, weight=2))
    return found


def run_subjects(root: Path) -> list[Subject]:
    """Every file of a run, of a store and of what describes them."""
    from seatbelt_vae.experiments.tasks import record_failure

    images = material.images_npz(folder(root, "images") / "images.npz")
    run = material.whole_run(root, "run", images)
    found = []
    for path in sorted(run.rglob("*")):
        if path.is_file() and path.name != ".lock":
            words = ("table", "case", "--out", "table.csv")
            inside = str(path.relative_to(run))
            found.append(Subject(f"run, {kind_of(path)}", run, inside, run_value, words=words, weight=4))
    half = material.half_trained(root, "half", images)
    for name in ("training.safetensors", "metrics.jsonl", "spec.json", "environment.json"):
        found.append(Subject(f"unfinished run, {name}", half, name, resumed, weight=2))
    place = folder(root, "toml")
    material.sweep_toml(place / "sweep.toml", images)
    (place / "spec.toml").write_text((place / "sweep.toml").read_text().partition("seed =")[0])
    found.append(Subject("sweep toml", place, "sweep.toml", of_file(a_sweep, "sweep.toml"), sealed=False, weight=2))
    found.append(Subject("spec toml", place, "spec.toml", of_file(a_spec, "spec.toml"), sealed=False))
    store = root / "store"
    material.done("sweep", str(place / "sweep.toml"), "--out", str(store), "--device", "cpu", to=root)
    task = next((store / ".sweep").glob("*.json"))
    found.append(Subject("store, task", store, f".sweep/{task.name}", a_store))
    failed = next(store.glob("*/spec.json")).parent
    record_failure(failed, "out of memory", "no more")
    found.append(Subject("store, error", store, f"{failed.name}/error.json", a_store))
    return found


def kind_of(path: Path) -> str:
    """The name of a run's file, without that of its attack."""
    if path.parent.name == "attacks":
        return f"attack{path.name[path.name.index('.') :]}"
    return path.name


def folder(root: Path, name: str) -> Path:
    """A new folder."""
    (root / name).mkdir(parents=True)
    return root / name


def of_file(read: Read, name: str) -> Read:
    """Read a file in the folder."""
    return lambda place: read(place / name)


def by_command(words: tuple[str, ...], place: Path) -> str:
    """Read by a command; what is wrong with how it ended."""
    return seatbelt(*words, to=place).fault
