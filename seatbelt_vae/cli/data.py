"""``seatbelt data``: what images there are, and what is in them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cyclopts import App

from seatbelt_vae.cli.console import columns, note, number, show
from seatbelt_vae.cli.options import Json, Settings, takes
from seatbelt_vae.data import available, data_folder, describe, load_dataset
from seatbelt_vae.data import prepare as prepared
from seatbelt_vae.data.options import Options
from seatbelt_vae.data.sheet import write_sheet
from seatbelt_vae.errors import InputError

app = App(name="data", help_epilogue="Example: seatbelt data info sprites", help_format="plaintext")


@app.command(name="list", help_epilogue="Example: seatbelt data list")
def list_(*, json: Json = False) -> None:
    """List the data sets that have a name."""
    known = dict(available())
    for name in known:
        if (data_folder() / f"{name}.json").exists():
            known[name] += "; prepared"
    document = [{"name": name, "description": text} for name, text in known.items()]
    paths = ("PATH", "an .npz file with the key images, or a folder of images")
    show(document, json, columns([*known.items(), paths]))


@app.command(help_epilogue="Example: seatbelt data info sprites --size 32 --sheet sprites.png")
@takes(reading=Options)
def info(name: str, /, *, reading: Settings, sheet: Path | None = None, images: int = 50, json: Json = False) -> None:
    """Say what a data set holds and draw a contact sheet of it.

    Args:
        name: A name from the list, or a path to an .npz or a folder.
        sheet: Where to write the contact sheet; NAME-sheet.png by default.
        images: Number of images on the sheet.
    """
    dataset = load_dataset(name, **reading)
    folder = Path(name).resolve()
    sheet = sheet or Path(f"{folder.stem}-sheet.png")
    if folder.is_dir() and sheet.resolve().is_relative_to(folder):
        raise InputError(f"--sheet: {sheet} would lie among the images of {name}; choose another place")
    written = write_sheet(dataset, sheet, images, reading.get("seed", 0))
    _describe({**describe(dataset), "sheet": str(written)}, json)


@app.command(help_epilogue="Example: seatbelt data prepare chairs --source rendered_chairs.tar")
def prepare(
    name: str,
    /,
    *,
    source: Path | None = None,
    size: int | None = None,
    grey: bool = False,
    unchecked: bool = False,
    json: Json = False,
) -> None:
    """Read what the authors of a data set publish, once; --data NAME then finds it, and training maps it.

    It is kept in the folder that the variable SEATBELT_DATA names, or else in the user's cache.

    Args:
        name: dsprites, chairs, faces3d or celeba.
        source: dsprites_....npz (downloaded by default), rendered_chairs.tar, basel_face_renders.pth, or
            img_align_celeba.zip with its text files beside it; or a folder of images, or an .npz with the key images.
        size: Side of the images in pixels; 64 by default for chairs and celeba, as stored for the others.
        grey: Turn colour into grey.
        unchecked: Take a file of a published name with another checksum.
    """
    dataset, about = prepared(name, source, size=size, grey=grey, check=not unchecked, progress=True)
    for line in about["notes"]:
        note(line)
    _describe({**describe(dataset), **about}, json)


def _describe(document: Mapping[str, Any], json: bool) -> None:
    show(document, json, columns([(key, number(value)) for key, value in document.items()]))
