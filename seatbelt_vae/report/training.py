"""Training curves: the ELBO and its parts, whichever the runs have recorded."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from seatbelt_vae.experiments import Record
from seatbelt_vae.report.axes import Domain
from seatbelt_vae.report.chart_style import Row, Style, rows_of

if TYPE_CHECKING:
    import altair

RECORDED = {
    "elbo": "ELBO of the batch, no β (nats)",
    "log_likelihood": "log p(x|z) of the batch (nats)",
    "kl": "KL of all layers together (nats)",
}
"""What is drawn. The loss is not among it: losses of different objectives say nothing beside each other."""

LONGEST = 200
"""Points of a training curve; more than a chart of this width can show."""


def training_chart(
    records: Sequence[Record], key: str, title: str, *, legend: bool = True
) -> "altair.LayerChart | None":
    """A quantity of metrics.jsonl against the training step, or None where no run has recorded it.

    The axis begins at the 5 % quantile, or the first steps would leave no room for the rest.
    """
    rows: list[Row] = []
    for record in records:
        rows += training_rows(record, key)
    if not rows:
        return None
    style = Style({record.label: slot for slot, record in enumerate(records)}, legend)
    x = style.x("Training step", None, tickCount=4, format=",d")
    y = style.y(title, _most([float(row["y"]) for row in rows]))
    return style.finish(style.alt.layer(style.line(rows, x, y)))


def training_rows(record: Record, key: str) -> list[Row]:
    """A training curve, averaged in at most `LONGEST` bins of consecutive records."""
    points = []
    for row in record.history:
        value = _recorded(row, key)
        if _is_number(value):
            points.append((row["step"], value))
    if not points:
        return []
    bins = np.array_split(np.array(points, dtype=np.float64), min(LONGEST, len(points)))
    means = np.stack([part.mean(0) for part in bins])
    return rows_of(record.label, x=means[:, 0], y=means[:, 1])


def _recorded(row: Mapping[str, Any], key: str) -> Any:
    """A number of a record; ``kl`` is the sum of ``kl_1`` … ``kl_L`` where it is not recorded itself."""
    layers = [value for name, value in row.items() if re.fullmatch(r"kl_\d+", name)]
    if key == "kl" and key not in row and layers and all(_is_number(layer) for layer in layers):
        return sum(layers)
    return row.get(key)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _most(values: Sequence[float]) -> Domain:
    low = float(np.quantile(values, 0.05))
    high = max(values)
    if high <= low:
        return None
    margin = 0.05 * (high - low)
    return low - margin, high + margin
