"""``seatbelt data``: what images there are, and what is in them."""

from pathlib import Path

from cyclopts import App

from seatbelt_vae.cli.console import columns, note, number, show
from seatbelt_vae.cli.options import Json
from seatbelt_vae.errors import InputError

app = App(name="data", help="List data sets, or look into one.", help_epilogue="Example: seatbelt data info sprites")


@app.command(name="list", help_epilogue="Example: seatbelt data list")
def list_(*, json: Json = False) -> None:
    """List the data sets that have a name.

    Args:
        json: Print one JSON document.
    """
    from seatbelt_vae.data import available, data_folder

    known = [
        (name, f"{text}; prepared" if (data_folder() / f"{name}.json").exists() else text) for name, text in available()
    ]
    paths = ("PATH", "an .npz file with the key images, or a folder of images")
    show([{"name": name, "description": text} for name, text in known], json, columns([*known, paths]))


@app.command(help_epilogue="Example: seatbelt data info sprites --size 32 --sheet sprites.png")
def info(
    name: str,
    /,
    *,
    path: str | None = None,
    size: int | None = None,
    grey: bool | None = None,
    count: int | None = None,
    seed: int = 0,
    sheet: Path | None = None,
    images: int = 50,
    json: Json = False,
) -> None:
    """Say what a data set holds and draw a contact sheet of it.

    Args:
        name: A name from the list, or a path to an .npz or a folder.
        path: Where the original of a named data set lies.
        size: Side of the images in pixels.
        grey: Turn colour into grey.
        count: Number of images, drawn at random.
        seed: Seed of that draw and of the images on the sheet.
        sheet: Where to write the contact sheet; NAME-sheet.png by default.
        images: Number of images on the sheet.
        json: Print one JSON document.
    """
    from seatbelt_vae.data import describe, load_dataset
    from seatbelt_vae.experiments import write_sheet

    options = {"path": path, "size": size, "grey": grey, "count": count, "seed": seed}
    dataset = load_dataset(name, **{key: value for key, value in options.items() if value is not None})
    document = describe(dataset)
    sheet = sheet or Path(f"{Path(name).resolve().stem}-sheet.png")
    if Path(name).is_dir() and sheet.resolve().is_relative_to(Path(name).resolve()):
        raise InputError(f"--sheet: {sheet} would lie among the images of {name}; choose another place")
    document["sheet"] = str(write_sheet(dataset, sheet, images, seed))
    show(document, json, columns([(key, number(value)) for key, value in document.items()]))


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
        json: Print one JSON document.
    """
    from seatbelt_vae.data import describe
    from seatbelt_vae.data import prepare as prepared

    dataset, about = prepared(name, source, size=size, grey=grey, check=not unchecked, progress=True)
    for line in about["notes"]:
        note(line)
    document = {**describe(dataset), **about}
    show(document, json, columns([(key, number(value)) for key, value in document.items()]))
