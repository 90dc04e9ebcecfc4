"""Tables of what the models are without an attack: a table for each group of measurements."""

import math
from collections.abc import Sequence

from seatbelt_vae.experiments import Cell as Place
from seatbelt_vae.experiments import Record
from seatbelt_vae.experiments import Table as Numbers
from seatbelt_vae.experiments.table import measure_of
from seatbelt_vae.measures import DISENTANGLEMENT, EVIDENCE, IMAGES, WEIGHTS, Measure
from seatbelt_vae.report.formats import number
from seatbelt_vae.report.tables import Cell, Column, Line, Table

_ENDS = "[± 1.96 standard errors]; ↑ higher, ↓ lower is better."

GROUPS = (
    (
        "evidence",
        "How well the models explain images",
        EVIDENCE,
        f"Means over held-out images {_ENDS} Layers are listed bottom first.",
    ),
    (
        "disentanglement",
        "Disentanglement of the top layer",
        DISENTANGLEMENT,
        f"Of the top layer, over all training images {_ENDS}",
    ),
    ("images", "Reconstructions, not attacked", IMAGES, f"Means over held-out images {_ENDS}"),
    ("weights", "Weights and training", WEIGHTS, "Encoder, then decoder. Neither way is better."),
)
"""Key, title, measures and note of each table, in their order."""


def clean_tables(records: Sequence[Record]) -> tuple[Table, ...]:
    """What the models are without an attack; columns and tables of which no run has a number are left out."""
    numbers = Numbers(records)
    made = []
    for key, title, measures, note in GROUPS:
        columns = [_column(measure) for measure in measures if measure.listed]
        made.append(_table(numbers, f"clean-{key}", title, columns, note))
    made.append(_noise(numbers))
    return tuple(table for table in made if table.columns)


def _column(measure: Measure) -> Column:
    return Column(measure.key, measure.title, measure.unit, measure.better, definition=measure.definition)


def _noise(numbers: Numbers) -> Table:
    """What noise costs, a column for each scale."""
    columns = []
    for scale in noise_scales(numbers):
        columns.append(
            Column(
                key=f"noise_drop@{scale:g}",
                title=f"scale {scale:g}",
                unit="nats",
                better="lower",
                definition="What noise of this standard deviation, for data in [−1, 1], takes from log p(x|z*).",
            )
        )
    note = "log p(x|z) less log p(x|z*), z* drawn from q(z|x + noise) [1.96 standard errors over images]; ↓ lower is "
    return _table(numbers, "clean-noise", "What noise costs", columns, note + "more robust.")


def noise_scales(numbers: Numbers) -> list[float]:
    """The scales at which any of the models was measured."""
    scales: set[float] = set()
    for record in numbers.records:
        scales |= set(numbers.values(Place(record), "noise_scales").tolist())
    return sorted(scales)


def _table(numbers: Numbers, key: str, title: str, columns: Sequence[Column], note: str) -> Table:
    kept = []
    made = []
    for column in columns:
        cells = [_cell(numbers, record, column.key) for record in numbers.records]
        if any(cells):
            kept.append(column)
            made.append(cells)
    rows = list(zip(*made, strict=True)) or [()] * len(numbers.records)
    lines = []
    for slot, (record, row) in enumerate(zip(numbers.records, rows, strict=True)):
        lines.append(Line(record.label, slot, row))
    return Table(key, title, tuple(kept), tuple(lines), (note,))


def _cell(numbers: Numbers, record: Record, key: str) -> Cell | None:
    """A measurement: a number with its error, or one for each layer or part; each may lack a number."""
    place = Place(record)
    values = numbers.values(place, key).tolist()
    if not values:
        return None
    measure = measure_of(key)
    if "@" not in key and numbers.places(place, key) != [""]:
        return Cell(words=", ".join(_words(value, measure) for value in values))
    (value,) = values
    if math.isnan(value):
        return None
    half = 1.96 * float(numbers.errors(place, key)[0])
    return Cell(value, value - half, value + half)


def _words(value: float, measure: Measure) -> str:
    if measure.whole and not math.isnan(value):
        return str(int(value))
    return number(value)
