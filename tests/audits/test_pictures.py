"""Pictures of an audit: the curve is that of the document, the panel shows the images that were kept."""

import torch

from seatbelt_vae.audits import Audit
from seatbelt_vae.pixels import pixels, unit
from seatbelt_vae.report.audit import HEADS, curve, panel


def test_the_curve_draws_the_document(honest: Audit) -> None:
    drawn = curve(honest.record)
    rows = [row for layer in drawn["layer"] for row in layer["data"]["values"]]
    identity = [row for row in rows if row["model"] == "identity"]
    assert all(row["x"] == row["y"] for row in identity)
    worst = [row["y"] for row in drawn["layer"][1]["data"]["values"]]
    assert worst == [each.value for each in honest.record.curve.success if each.value is not None]


def test_the_panel_shows_the_images(honest: Audit) -> None:
    figure = panel(honest)
    assert len(figure.rows) == 2
    for pair, row in enumerate(figure.rows):
        assert len(row.tiles) == len(HEADS)
        expected = pixels(unit(honest.tensors["worst"][pair, 2], (0.0, 1.0)))
        assert torch.equal(torch.from_numpy(row.tiles[2]), torch.from_numpy(expected))
