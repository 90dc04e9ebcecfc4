"""Audits as readers see them: on the page, as pictures, and as findings that a gate can hold to a limit."""

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from seatbelt_vae.audits import Audit, AuditRecord
from seatbelt_vae.audits.record import IntervalRecord, Number
from seatbelt_vae.errors import InputError
from seatbelt_vae.measures import MEASURES
from seatbelt_vae.metrics import Interval
from seatbelt_vae.metrics import compare as compared
from seatbelt_vae.pixels import pixels, unit
from seatbelt_vae.report.chart_style import Layer, Row, Style, chart, rows_of, x_axis, y_axis
from seatbelt_vae.report.export import chart_svg, svg_files
from seatbelt_vae.report.gate import Finding, verdict
from seatbelt_vae.report.images import display_gain, distortion_pixels
from seatbelt_vae.report.pictures import PictureRow, Pictures, pictures_svg
from seatbelt_vae.report.sections import Figure, Part, Section
from seatbelt_vae.report.table import Cell, Column, Table
from seatbelt_vae.storage import write_bytes

SHOWN = 4
"""Pairs in the panel."""

WITHIN = 2
"""Which of the kept images: those of the worst attack within 0.3."""

HEADS = ("Source x", "What it says", "x* within 0.3", "Distortion d", "What it says of x*", "Target xₜ")

SHARE = x_axis("‖d‖ / ‖x − xₜ‖", (0, 1), tickCount=5)
"""The axis of relative distortion."""

NAMED = 0.85
"""Where the line of the identity ends and has its name, on the side where the blend is not."""

WORST = "worst of all attacks"
"""What the findings of an audit are of."""


def alone(record: AuditRecord) -> list[Finding]:
    """Every measure of an audit."""
    found = []
    for key, ends in record.measures.items():
        pairs = sum(value is not None for value in record.values[key])
        found.append(Finding(WORST, key, MEASURES[key], _interval(ends), math.nan, pairs, ""))
    return found


def compare(a: AuditRecord, b: AuditRecord) -> list[Finding]:
    """Every measure of one audit less that of another, over the same pairs.

    Raises:
        InputError: they are of other pairs, or of other suites.
    """
    for name in ("images_digest", "suite", "seed", "radius"):
        if getattr(a, name) != getattr(b, name):
            raise InputError(f"{a.model} and {b.model}: their audits differ in {name}; audit both in the same way")
    found = []
    for key in a.measures:
        before, after = (_numbers(each.values[key]) for each in (a, b))
        test = compared(before, after)
        judged = verdict(MEASURES[key], test.difference)
        found.append(Finding(WORST, key, MEASURES[key], test.difference, test.p_value, test.pairs, judged))
    return found


def audits_section(audits: Sequence[Audit]) -> Section:
    """A part of the page for each audit: its sentence, curves, measures and flags."""
    parts = []
    for slot, audit in enumerate(audits):
        record = audit.record
        key = f"audit-{slot + 1}"
        models = {record.model: slot}
        figures = [
            Figure(f"{key}-success", SUCCESS, partial(curve, record, slot)),
            Figure(f"{key}-damage", DAMAGE, partial(damage, record, slot)),
        ]
        tables = [measures_table(record, key, slot), flags_table(record, f"{key}-flags")]
        parts.append(Part(models, figures, tables, record.model, record.sentence))
    return Section("audits", "Audits", "Audits", parts)


SUCCESS = "The worst of all attacks on each pair, beside what needs no attack. Lower is more robust."
DAMAGE = "How far the output can be moved at all, L2 over the whole image. Lower is more robust."


def measures_table(record: AuditRecord, key: str, slot: int) -> Table:
    """The worst case over all attacks, and what no model sets."""
    names: list[tuple[str, int | None]] = [(record.model, slot)]
    names += [(name, None) for name in record.references]
    columns = {}
    for name, ends in record.measures.items():
        measure = MEASURES[name]
        column = Column(name, measure.title, measure.unit, measure.better, definition=measure.definition)
        cells: list[Cell | None] = [Cell.of(_interval(ends))]
        for known in record.references.values():
            cell = None
            if known.get(name) is not None:
                cell = Cell(_number(known[name]))
            cells.append(cell)
        columns[column] = cells
    note = f"Worst case over all attacks, mean over {record.pairs} pairs [95 % interval over pairs]."
    return Table.of(key, f"{record.model}: the worst of all attacks", names, columns, [note])


def flags_table(record: AuditRecord, key: str) -> Table:
    """The signs of false robustness that were found, what to do, and what else was looked for."""
    raised = {name: flag for name, flag in record.flags.items() if flag.raised}
    columns: dict[Column, list[Cell]] = {Column("value", "value"): [], Column("rule", "raised where"): []}
    notes = []
    for name, flag in raised.items():
        for column, cell in zip(columns, (Cell(_number(flag.value)), Cell(words=flag.rule)), strict=True):
            columns[column].append(cell)
        against = "speaks against the numbers"
        if flag.information:
            against = "for information"
        notes.append(f"{_words(name)}, {against}: {flag.advice}")
    others = [_words(name) for name in record.flags if name not in raised]
    notes.append(f"Looked for and not found: {', '.join(others) or 'nothing else'}.")
    names = [(_words(name), None) for name in raised]
    return Table.of(key, f"{record.model}: signs of false robustness", names, columns, notes, head="Sign")


def _words(flag: str) -> str:
    return flag.replace("_", " ")


def write_pictures(audit: Audit, folder: Path) -> list[Path]:
    """Write ``curve`` and, of pictures, ``panel``, each as PNG, SVG and PDF.

    Raises:
        InputError: the extra that draws is not installed.
        RunError: the folder cannot be written.
    """
    written = []
    drawings = {"curve": chart_svg(curve(audit.record))}
    if are_pictures(audit.record):
        drawings["panel"] = pictures_svg(panel(audit))
    for name, svg in drawings.items():
        for ending, content in svg_files(svg).items():
            written.append(write_bytes(folder / f"{name}.{ending}", content))
    return written


def curve(record: AuditRecord, slot: int = 0, *, legend: bool = False) -> dict[str, Any]:
    """Success of the worst attack against relative distortion, beside blend, noise and identity."""
    at = list(record.curve.distortion)
    y = y_axis("Success, mean over pairs", (-0.03, 1.03))
    blend = _numbers(record.curve.blend)
    others = [*rows_of("blend", x=at, y=blend), *rows_of("noise", x=at, y=_numbers(record.curve.noise))]
    lines = _along(record, record.curve.success, y, others, slot, legend)
    diagonal = rows_of("identity", x=[0.0, NAMED], y=[0.0, NAMED])
    above = np.interp(NAMED, at, blend) >= NAMED
    style = Style({record.model: slot}, legend)
    return chart([*lines, *style.yardsticks(diagonal, SHARE, y, below=bool(above))])


def damage(record: AuditRecord, slot: int = 0, *, legend: bool = False) -> dict[str, Any]:
    """Damage of the worst attack against relative distortion, in the data's units."""
    return chart(_along(record, record.curve.damage, y_axis("‖rec(x*) − rec(x)‖, mean over pairs"), [], slot, legend))


def _along(
    record: AuditRecord,
    band: Sequence[IntervalRecord],
    y: dict[str, Any],
    others: list[Row],
    slot: int,
    legend: bool,
) -> list[Layer]:
    """Layers of the model and of what no model sets."""
    rows = rows_of(
        record.model,
        x=record.curve.distortion,
        y=_numbers([each.value for each in band]),
        low=_numbers([each.low for each in band]),
        high=_numbers([each.high for each in band]),
    )
    style = Style({record.model: slot}, legend)
    return [*style.marks(rows, SHARE, y, "area", "line"), *style.yardsticks(others, SHARE, y)]


def _interval(ends: IntervalRecord) -> Interval:
    return Interval(*_numbers([ends.value, ends.low, ends.high]))


def _numbers(values: Sequence[Number]) -> list[float]:
    return [_number(value) for value in values]


def _number(value: Number) -> float:
    if value is None:
        return math.nan
    return value


def are_pictures(record: AuditRecord) -> bool:
    """Whether what was audited can be shown: grey or colour, and no volume or signal."""
    shape = record.probe.image_shape
    return len(shape) == 3 and shape[0] in (1, 3)


def panel(audit: Audit) -> Pictures:
    """For a few pairs: source, what the model says of it, the worst x* within 0.3, and what it says of that.

    Raises:
        InputError: volumes, signals, or another number of channels.
    """
    if not are_pictures(audit.record):
        raise InputError(f"images of shape {audit.record.probe.image_shape}: are no pictures, and not shown")
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
