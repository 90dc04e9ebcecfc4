import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from seatbelt_vae.experiments import Record
from seatbelt_vae.report.panels import grids
from seatbelt_vae.report.pictures import pictures_svg


def test_every_layer_has_its_grid(full: list[Record]) -> None:
    made = grids(full)
    assert [grid.title for grid in made] == [
        f"{full[0].label}, z",
        f"{full[1].label}, z",
        f"{full[2].label}, z₁ (bottom)",
        f"{full[2].label}, z₂",
        f"{full[2].label}, z₃ (top)",
    ]
    assert len({grid.key for grid in made}) == 5
    rows = made[0].pictures.rows
    assert [(row.label, row.lines) for row in rows] == [("dimension 5", ("2.5 nats",)), ("dimension 3", ("1.2 nats",))]


def test_runs_without_any_have_none(runs: list[Record]) -> None:
    assert grids(runs) == []


def test_the_sheet_holds_every_pixel(full: list[Record]) -> None:
    grid = grids(full)[0]
    images = full[0].measured["traversals"]["images_1"].numpy()
    assert grid.sheet.shape == (2 * 16 + 2, 5 * 16 + 4 * 2)
    assert np.array_equal(grid.sheet[18:34, 36:52], images[1, 2, 0])
    assert (grid.sheet[16:18] == 255).all()
    assert grid.uri.startswith("data:image/webp;base64,")


def test_the_figure_is_lossless_and_labelled(full: list[Record]) -> None:
    grid = grids(full)[2]
    svg = pictures_svg(grid.pictures)
    ElementTree.fromstring(svg)
    found = [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))
        for content in re.findall(r'href="data:image/png;base64,([^"]+)"', svg)
    ]
    assert any(np.array_equal(picture, grid.pictures.rows[1].tiles[3]) for picture in found)
    for words in ("dimension 5", "2.5 nats", "+3 s.d.", "(bottom)"):
        assert words in svg
