"""Pictures of an audit: the curve of success, and what the worst attacks on some pairs look like."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from seatbelt_vae.audits import Audit
from seatbelt_vae.audits.record import AuditRecord, Number
from seatbelt_vae.report.chart_style import Row, Style, chart, rows_of, x_axis, y_axis
from seatbelt_vae.report.export import chart_svg, svg_files
from seatbelt_vae.report.images import display_gain, distortion_pixels, pixels, unit
from seatbelt_vae.report.pictures import PictureRow, Pictures, pictures_svg
from seatbelt_vae.storage import write_bytes

SHOWN = 4
"""Pairs in the panel."""

WITHIN = 2
"""Which of the kept images: those of the worst attack within 0.3."""

HEADS = ("Source x", "What it says", "x* within 0.3", "Distortion d", "What it says of x*", "Target xₜ")


def write_pictures(audit: Audit, folder: Path) -> list[Path]:
    """Write ``curve`` and ``panel``, each as PNG, SVG and PDF.

    Raises:
        InputError: the extra that draws is not installed.
        RunError: the folder cannot be written.
    """
    written = []
    for name, svg in (("curve", chart_svg(curve(audit.record))), ("panel", pictures_svg(panel(audit)))):
        for ending, content in svg_files(svg).items():
            written.append(write_bytes(folder / f"{name}.{ending}", content))
    return written


def curve(record: AuditRecord) -> dict[str, Any]:
    """Success of the worst attack against relative distortion, beside blend, noise and identity."""
    ends = record.curve.success
    at = list(record.curve.distortion)
    worst = rows_of(
        "worst attack",
        x=at,
        y=_numbers([each.value for each in ends]),
        low=_numbers([each.low for each in ends]),
        high=_numbers([each.high for each in ends]),
    )
    style = Style({"worst attack": 0}, legend=False)
    x = x_axis("‖d‖ / ‖x − xₜ‖", (0, 1), tickCount=5)
    y = y_axis("Success, mean over pairs", (-0.03, 1.03))
    others: list[Row] = [
        *rows_of("blend", x=at, y=_numbers(list(record.curve.blend))),
        *rows_of("noise", x=at, y=_numbers(list(record.curve.noise))),
        *rows_of("identity", x=at, y=at),
    ]
    return chart([*style.marks(worst, x, y, "area", "line"), *style.yardsticks(others, x, y)])


def _numbers(values: list[Number]) -> list[float]:
    return [float("nan") if value is None else value for value in values]


def panel(audit: Audit) -> Pictures:
    """For a few pairs: source, what the model says of it, the worst x* within 0.3, and what it says of that."""
    bounds = audit.record.probe.bounds
    shown = range(min(SHOWN, audit.record.pairs))
    images = audit.tensors
    distortions = np.stack([_distortion(audit, pair) for pair in shown])
    gain = display_gain(distortions)
    rows = []
    for pair in shown:
        tiles = [
            images["source"][pair],
            images["source_reconstruction"][pair],
            images["worst"][pair, WITHIN],
            images["worst_reconstruction"][pair, WITHIN],
            images["target"][pair],
        ]
        drawn = [pixels(unit(tile, bounds)) for tile in tiles]
        drawn.insert(3, distortion_pixels(distortions[pair], gain))
        lines = (
            f"‖d‖/‖x − xₜ‖ = {float(images['worst_distortion'][pair, WITHIN]):.2f}",
            f"success = {float(images['worst_success'][pair, WITHIN]):.2f}",
        )
        rows.append(PictureRow(f"pair {pair + 1}", tuple(drawn), lines))
    title = f"The worst attacks on {audit.record.model}"
    return Pictures(title, tuple(rows), heads=HEADS, gain=gain, scaled=HEADS.index("Distortion d"))


def _distortion(audit: Audit, pair: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    bounds = audit.record.probe.bounds
    attacked = unit(torch.as_tensor(audit.tensors["worst"][pair, WITHIN]), bounds)
    return attacked - unit(audit.tensors["source"][pair], bounds)
