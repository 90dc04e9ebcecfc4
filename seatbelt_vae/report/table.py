"""A table of typed cells, and its text as Markdown, LaTeX, CSV and HTML: always the value with its interval."""

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from seatbelt_vae.metrics import Interval
from seatbelt_vae.report.formats import number, with_unit
from seatbelt_vae.report.templating import rendered

ARROWS = {"higher": " ↑", "lower": " ↓", "": ""}


@dataclass(frozen=True)
class Column:
    """A column.

    Args:
        key: its name in CSV files.
        title: its heading.
        unit: nats and so on.
        better: which way is better; empty where neither is.
        comparable: whether models of other latent spaces may be compared by it.
        definition: how to read it.
    """

    key: str
    title: str
    unit: str = ""
    better: str = ""
    comparable: bool = True
    definition: str = ""

    @property
    def heading(self) -> str:
        """Title with an arrow to what is better, and the mark of what may not be compared across models."""
        heading = self.title + ARROWS[self.better]
        if not self.comparable:
            heading += " †"
        return heading

    @property
    def with_unit(self) -> str:
        """Heading and unit."""
        return with_unit(self.heading, self.unit)


@dataclass(frozen=True)
class Cell:
    """A value with the ends of its 95 % interval (NaN where there is none), or words.

    Args:
        value: the number; NaN for a cell of words.
        low: low end.
        high: high end.
        words: shown in place of a number.
        note: shown after it, such as a p-value.
        ratio: the interval is multiplicative, as that of a geometric mean.

    Example:
        >>> str(Cell(0.527, 0.44, 0.61)), str(Cell(0.1, -0.02, 0.2, note="p = 0.04"))
        ('0.53 [0.44, 0.61]', '0.10 [−0.02, 0.20], p = 0.04')
        >>> str(Cell(1.6, 7e-4, 3476, ratio=True)), str(Cell(1.021, 1.013, 1.03, ratio=True))
        ('1.6 [7.0×10⁻⁴, 3476]', '1.021 [1.013, 1.030]')
    """

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    words: str = ""
    note: str = ""
    ratio: bool = False

    @classmethod
    def of(cls, interval: Interval, note: str = "", ratio: bool = False) -> "Cell":
        """A cell from an interval."""
        return cls(interval.value, interval.low, interval.high, note=note, ratio=ratio)

    @property
    def bounded(self) -> bool:
        """Whether it has an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def texts(self) -> tuple[str, str]:
        """The value, and its interval (empty where there is none).

        Each end of a wide ratio has its own size: two digits each. Otherwise the spread decides how many decimals
        stand.
        """
        if self.words:
            return self.words, ""
        if not self.bounded:
            return number(self.value), ""
        digits = 3
        spread: float | None = (self.high - self.low) / 2
        if self.ratio and self.high > 2 * self.low:
            digits = 2
            spread = None
        low = number(self.low, spread, digits)
        high = number(self.high, spread, digits)
        return number(self.value, spread, digits), f"[{low}, {high}]"

    def __str__(self) -> str:
        text = " ".join(self.texts).rstrip()
        if self.note:
            text += f", {self.note}"
        return text


@dataclass(frozen=True)
class Line:
    """A row.

    Args:
        label: the model.
        slot: its place in the report; None for what is no model.
        cells: one for each column; None: not measured.
    """

    label: str
    slot: int | None
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class Table:
    """Rows under one title.

    Args:
        key: name of its files.
        title: its caption.
        columns: one for each cell of a row.
        lines: its rows.
        notes: sentences below it.
        head: what its rows are.
    """

    key: str
    title: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()
    head: str = "Model"

    @classmethod
    def of(
        cls,
        key: str,
        title: str,
        names: Sequence[tuple[str, int | None]],
        columns: Mapping[Column, Sequence[Cell | None]],
        notes: Sequence[str],
        head: str = "Model",
    ) -> "Table":
        """A table from its columns; what is no model and has no cell is left out."""
        lines = []
        rows = list(zip(*columns.values(), strict=True)) or [()] * len(names)
        for (label, slot), row in zip(names, rows, strict=True):
            if slot is not None or any(row):
                lines.append(Line(label, slot, row))
        return cls(key, title, tuple(columns), tuple(lines), tuple(notes), head)


def to_markdown(table: Table) -> str:
    """A pipe table under a heading, with its notes."""
    return rendered("table.md.j2", table=table)


def to_latex(table: Table) -> str:
    """A tabular with intervals smaller than values; needs LaTeX's package booktabs."""
    return rendered("table.tex.j2", table=table)


def to_csv(table: Table) -> str:
    """Comma-separated, full precision: each column of numbers with its ``_low`` and ``_high`` (RFC 4180)."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    head = [table.head.lower()]
    for column in table.columns:
        key = column.key.replace("@", "_")
        head += [key, f"{key}_low", f"{key}_high"]
    writer.writerow(head)
    for line in table.lines:
        row = [line.label]
        for cell in line.cells:
            row += _csv_values(cell or Cell())
        writer.writerow(row)
    return buffer.getvalue()


def _csv_values(cell: Cell) -> Sequence[str]:
    if cell.words:
        return [cell.words, "", ""]
    numbers = map(repr, (cell.value, cell.low, cell.high))
    return [text.replace("nan", "") for text in numbers]


WRITERS: dict[str, Callable[[Table], str]] = {"csv": to_csv, "md": to_markdown, "tex": to_latex}
"""Files of a table, by their endings."""
