"""Chairs: 1393 CAD models seen from 62 views, in grey as the paper uses them.

References:
    Aubry, Maturana, Efros, Russell and Sivic 2014, Seeing 3D chairs: exemplar part-based 2D-3D alignment.
"""

import re
from dataclasses import replace
from pathlib import Path

import torch

from seatbelt_vae.data.archives import Pictures, tar_members
from seatbelt_vae.data.dataset import ImageDataset, labelled
from seatbelt_vae.data.options import Options
from seatbelt_vae.data.originals import Archive, Original
from seatbelt_vae.data.paths import load_path
from seatbelt_vae.data.pictures import USUAL
from seatbelt_vae.errors import InputError

IMAGES = 1393 * 62
FACTOR_NAMES = ("model", "elevation", "azimuth")
VIEW = re.compile(r"(?:^|/)(?P<model>[^/]+)/renders/image_\d+_p(?P<elevation>\d+)_t(?P<azimuth>\d+)_r\d+\.png$")


def read(options: Options) -> ImageDataset:
    """Read an ``.npz``, or the unpacked folder: one subfolder a chair, whose splits keep the chairs apart."""
    chairs = load_path(replace(options, grey=True), factor="model")
    if "model" in chairs.factor_names:
        chairs = replace(chairs, hold_out="model")
    return replace(chairs, name="chairs").grey()


def archive(path: Path, size: int | None) -> Archive | None:
    """Read ``rendered_chairs.tar`` without unpacking it: grey, sorted by name, model, elevation and azimuth known."""
    if path.suffix.lower() != ".tar":
        return None
    members, views = [], []
    for member in tar_members(path):
        view = VIEW.search(member.name)
        if view is not None:
            members.append(member)
            views.append(view)
    if not members:
        raise InputError(f"{path}: holds no MODEL/renders/image_*.png, is it rendered_chairs.tar?")
    columns = {}
    for name in FACTOR_NAMES:
        labels = [view[name] for view in views]
        number = {label: i for i, label in enumerate(sorted(set(labels)))}
        columns[name] = torch.tensor([number[label] for label in labels])
    images = Pictures(members, size or USUAL, "L")
    dataset = labelled(images, columns, "chairs", hold_out="model")
    notes: tuple[str, ...] = ()
    if len(members) != IMAGES:
        known = f"the published one {IMAGES}; its authors give no checksum"
        notes = (f"{path.name}: holds {len(members)} images, {known}",)
    return Archive(dataset, (path,), notes)


CHAIRS = Original(
    "chairs",
    "renders of chair models (Aubry et al. 2014), grey; splits keep the models apart (needs path=)",
    "chairs: needs path=FOLDER, where rendered_chairs.tar is unpacked (from https://www.di.ens.fr/willow/research/"
    "seeing3Dchairs/data/rendered_chairs.tar: 1393 models × 62 views), or path=FILE.npz with the key 'images'",
    read,
    archive,
    packed=".tar",
)
