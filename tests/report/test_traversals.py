import io
import re
from base64 import b64decode
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from seatbelt_vae.report.runs import ReportRun
from seatbelt_vae.report.traversals import grid_html, grid_svg, grids, sheet


def test_every_layer_has_its_grid(full: list[ReportRun]) -> None:
    made = grids(full)
    assert [(grid.run.label, grid.name) for grid in made] == [
        (full[0].label, "z"),
        (full[1].label, "z"),
        (full[2].label, "z₁ (bottom)"),
        (full[2].label, "z₂"),
        (full[2].label, "z₃ (top)"),
    ]
    assert len({grid.key for grid in made}) == 5
    assert made[0].rows == ["dimension 5: 2.5 nats", "dimension 3: 1.2 nats"]


def test_runs_without_any_have_none(runs: list[ReportRun]) -> None:
    assert grids(runs) == []


def test_the_sheet_holds_every_pixel(full: list[ReportRun]) -> None:
    grid = grids(full)[0]
    images = full[0].measured["traversals"]["images_1"].numpy()
    page = sheet(grid, gap=1, times=2)
    assert page.shape == (2 * 2 * 16 + 1, 5 * 2 * 16 + 4)
    assert np.array_equal(page[33:65:2, 66:98:2], images[1, 2, 0])
    assert (page[32] == 255).all()


def test_the_figure_is_lossless_and_labelled(full: list[ReportRun]) -> None:
    svg = grid_svg(grids(full)[2])
    ElementTree.fromstring(svg)
    source = re.search(r'href="data:image/png;base64,([^"]+)"', svg)
    assert source
    picture = np.asarray(Image.open(io.BytesIO(b64decode(source[1]))))
    assert np.array_equal(picture, sheet(grids(full)[2], 6, 12))
    for words in ("dimension 5", "2.5 nats", "+3 s.d."):
        assert words in svg


def test_on_the_page_rows_are_text(full: list[ReportRun]) -> None:
    html = grid_html(grids(full)[0])
    assert "<li><b>5</b> 2.5</li>" in html
    assert "data:image/webp;base64," in html
    assert 'alt="VAE, z: 2 dimensions, each moved' in html
