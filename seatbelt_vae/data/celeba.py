"""CelebA: 202 599 photographs of faces, cropped to the central 148 pixels and resized as is the custom.

References:
    Liu, Luo, Wang and Tang 2015, Deep Learning Face Attributes in the Wild (non-commercial research only).
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from torch import Tensor

from seatbelt_vae.data.archives import Pictures, zip_members
from seatbelt_vae.data.dataset import PARTITION, ImageDataset, labelled
from seatbelt_vae.data.options import Options
from seatbelt_vae.data.originals import Archive, Original
from seatbelt_vae.data.paths import load_path
from seatbelt_vae.data.pictures import USUAL
from seatbelt_vae.data.tables import read_table
from seatbelt_vae.errors import InputError

CROP = 148
ZIP = "img_align_celeba.zip"
IDENTITY = "identity_CelebA"
ATTRIBUTES = "list_attr_celeba"
PARTITIONS = "list_eval_partition"


def read(options: Options) -> ImageDataset:
    """Read an ``.npz``, or the folder of aligned photographs."""
    return replace(load_path(options, crop=CROP), name="celeba")


def archive(path: Path, size: int | None) -> Archive | None:
    """Read ``img_align_celeba.zip`` without unpacking it, with the text files beside it or in Anno and Eval.

    Identity, the 40 attributes (0 no, 1 yes) and the published partition become factors, each where its file is there,
    as ``.txt`` or as ``.csv``; with the partition, splits are the published ones.
    """
    path = _zip(path)
    if path.suffix.lower() != ".zip":
        return None
    members = [member for member in zip_members(path) if member.name.lower().endswith(".jpg")]
    if not members:
        raise InputError(f"{path}: holds no photographs (*.jpg), is it {ZIP}?")
    names = [PurePosixPath(member.name).name for member in members]
    columns: dict[str, Tensor] = {}
    tables = []
    notes = []
    for stem in (IDENTITY, ATTRIBUTES, PARTITIONS):
        table = _beside(path, stem)
        if table is None:
            notes.append(f"{stem}.txt is not beside {path.name}: what it says is left out")
            continue
        tables.append(table)
        columns |= _columns(stem, table, names)
    images = Pictures(members, size or USUAL, "RGB", CROP)
    hold_out = next((name for name in (PARTITION, "identity") if name in columns), None)
    dataset = labelled(images, columns, "celeba", hold_out)
    return Archive(dataset, (path, *tables), tuple(notes))


def _zip(path: Path) -> Path:
    """The archive in a folder, where the path is one that holds it."""
    return next(filter(Path.is_file, (path / ZIP, path / "Img" / ZIP)), path)


def _beside(path: Path, stem: str) -> Path | None:
    above = path.parent.parent
    folders = (path.parent, above / "Anno", above / "Eval")
    places = [folder / f"{stem}{suffix}" for folder in folders for suffix in (".txt", ".csv")]
    return next(filter(Path.is_file, places), None)


def _columns(stem: str, table: Path, names: Sequence[str]) -> dict[str, Tensor]:
    """Class indices: people have any numbers, attributes are −1 and 1, partitions 0, 1 and 2."""
    heading = {IDENTITY: "identity", PARTITIONS: PARTITION}.get(stem)
    if heading is None:
        attributes = read_table(table, names)
        return {name: (values > 0).long() for name, values in attributes.items()}
    values = read_table(table, names, (heading,))[heading]
    if heading == "identity":
        values = values.unique(return_inverse=True)[1]
    return {heading: values}


CELEBA = Original(
    "celeba",
    "photographs of faces (Liu et al. 2015), colour, central crop 148 to 64×64 (needs path=)",
    "celeba: needs path=FOLDER, where img_align_celeba.zip is unpacked (from https://mmlab.ie.cuhk.edu.hk/projects/"
    "CelebA.html, 202599 pictures of 178×218), or path=FILE.npz with the key 'images'",
    read,
    archive,
    packed=".zip",
)
