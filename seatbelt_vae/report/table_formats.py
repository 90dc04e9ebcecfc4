"""A table as HTML, Markdown, CSV and LaTeX: always the value with its interval."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable
from html import escape

from seatbelt_vae.report.formats import number
from seatbelt_vae.report.palette import colour_of
from seatbelt_vae.report.tables import Cell, Column, Line, Table

FORMATS = ("csv", "md", "tex")


def cell_text(cell: Cell | None) -> str:
    """A cell in plain characters.

    Example:
        >>> cell_text(Cell(0.527, 0.44, 0.61)), cell_text(None), cell_text(Cell(0.1, -0.02, 0.2, note="p = 0.04"))
        ('0.53 [0.44, 0.61]', '–', '0.10 [−0.02, 0.20], p = 0.04')
        >>> cell_text(Cell(1.6, 7e-4, 3476, ratio=True)), cell_text(Cell(1.021, 1.013, 1.03, ratio=True))
        ('1.6 [7.0×10⁻⁴, 3476]', '1.021 [1.013, 1.030]')
    """
    if cell is None:
        return "–"
    if cell.words:
        return cell.words
    # Each end of a wide ratio has its own size: two digits each. Otherwise the spread decides how many decimals stand.
    wide = cell.ratio and cell.bounded and cell.high > 2 * cell.low
    spread = (cell.high - cell.low) / 2 if cell.bounded and not wide else None
    value, low, high = (number(part, spread, 2 if wide else 3) for part in (cell.value, cell.low, cell.high))
    ends = f" [{low}, {high}]" if cell.bounded else ""
    return value + ends + (f", {cell.note}" if cell.note else "")


def to_csv(table: Table) -> str:
    """Comma-separated, full precision: each column of numbers with its ``_low`` and ``_high`` (RFC 4180)."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["model", *(f"{column.key}{end}" for column in table.columns for end in ("", "_low", "_high"))])
    for line in table.lines:
        writer.writerow([line.label, *(value for cell in line.cells for value in _csv_values(cell))])
    return buffer.getvalue()


def _csv_values(cell: Cell | None) -> list[str]:
    if cell is None:
        return ["", "", ""]
    if cell.words:
        return [cell.words, "", ""]
    return ["" if math.isnan(value) else repr(value) for value in (cell.value, cell.low, cell.high)]


def to_markdown(table: Table) -> str:
    """A pipe table under a heading, with its notes."""
    head = ["Model", *(_with_unit(column) for column in table.columns)]
    rule = ["---", *("---:" for _ in table.columns)]
    rows = [[line.label, *(cell_text(cell) for cell in line.cells)] for line in table.lines]
    grid = ["| " + " | ".join(text.replace("|", "\\|") for text in row) + " |" for row in (head, rule, *rows)]
    return "\n".join([f"### {table.title}", "", *grid, "", *table.notes, ""])


def _with_unit(column: Column) -> str:
    return column.heading + (f" ({column.unit})" if column.unit else "")


_TEX_SYMBOLS = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "|": r"\textbar{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "−": "$-$", "×": r"$\times$", "Δ": r"$\Delta$", "β": r"$\beta$", "λ": r"$\lambda$",
    "γ": r"$\gamma$", "α": r"$\alpha$", "σ": r"$\sigma$", "‖": r"$\Vert$", "ₜ": "$_t$", "↑": r"$\uparrow$",
    "↓": r"$\downarrow$", "†": r"$^\dagger$", "–": "--", "≤": r"$\le$", "∞": r"$\infty$", "·": r"$\cdot$",
    "²": "$^2$", "ε": r"$\varepsilon$", "±": r"$\pm$", "‑": "-", "’": "'", "“": "``", "”": "''", "…": r"\ldots{}",
}  # fmt: skip
_TEX_SYMBOLS |= {lowered: f"$_{digit}$" for digit, lowered in enumerate("₀₁₂₃₄₅₆₇₈₉")}
_RAISED = dict(zip("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789", strict=True))


def tex(words: str) -> str:
    r"""Characters as LaTeX in any encoding.

    Example:
        >>> print(tex("β=4, 50 %: −1.2×10⁵"))
        $\beta$=4, 50 \%: $-$1.2$\times$10$^{5}$
    """
    out, power = "", ""
    for character in words + " ":
        if character in _RAISED:
            power += _RAISED[character]
            continue
        out, power = out + (f"$^{{{power}}}$" if power else ""), ""
        out += _TEX_SYMBOLS.get(character, character)
    return out[:-1]


def to_latex(table: Table) -> str:
    """A tabular with intervals smaller than values; needs LaTeX's package booktabs."""
    head = " & ".join([r"Model", *(rf"\shortstack{{{_tex_heading(column)}}}" for column in table.columns)])
    rows = [" & ".join([tex(line.label), *(_tex_cell(cell) for cell in line.cells)]) + r" \\" for line in table.lines]
    return "\n".join(
        [
            rf"% {table.title}",
            rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
            r"\toprule",
            head + r" \\",
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            *(f"% {note}" for note in table.notes),
            "",
        ]
    )


def _tex_heading(column: Column) -> str:
    return tex(column.heading) + (rf" \\ ({tex(column.unit)})" if column.unit else "")


def _tex_cell(cell: Cell | None) -> str:
    value, bracket, rest = cell_text(cell).partition(" [")
    return tex(value) + (rf" {{\scriptsize {tex(bracket.strip() + rest)}}}" if bracket else "")


def to_html(table: Table) -> str:
    """A table whose columns can be sorted, and whose rows become cards on a narrow screen."""
    heads = "".join(_html_head(column) for column in table.columns)
    rows = "".join(_html_row(line, table.columns) for line in table.lines)
    notes = "".join(f"<p class=note>{escape(note)}</p>" for note in table.notes)
    return (
        f'<div class=table><table role=table id="table-{escape(table.key)}"><caption>{escape(table.title)}</caption>'
        f"<thead role=rowgroup><tr role=row><th role=columnheader scope=col>{_button('Model')}</th>{heads}</tr></thead>"
        f"<tbody role=rowgroup>{rows}</tbody></table>{notes}</div>"
    )


def _button(title: str) -> str:
    return f"<button type=button class=sort>{escape(title)}</button>"


def _html_head(column: Column) -> str:
    unit = f" <span class=unit>{escape(column.unit)}</span>" if column.unit else ""
    kind = "" if column.comparable else " class=apart"
    hint = escape(column.definition)
    return f'<th role=columnheader scope=col{kind} title="{hint}">{_button(_together(column.heading))}{unit}</th>'


def _together(heading: str) -> str:
    """A heading whose arrow does not fall on a line of its own."""
    return heading.replace(" ↑", "\u00a0↑").replace(" ↓", "\u00a0↓").replace(" †", "\u00a0†")


def _html_row(line: Line, columns: tuple[Column, ...]) -> str:
    key = f'<span class=key style="background:{colour_of(line.slot)}"></span>'
    cells = "".join(_html_cell(cell, column) for cell, column in zip(line.cells, columns, strict=True))
    return f"<tr role=row><th role=rowheader scope=row>{key}{escape(line.label)}</th>{cells}</tr>"


def _html_cell(cell: Cell | None, column: Column) -> str:
    value, bracket, rest = cell_text(cell).partition(" [")
    ends, _, note = rest.partition("], ")
    interval = f" <span class=interval>[{escape(ends.rstrip(']'))}]</span>" if bracket else ""
    remark = f" <span class=interval>{escape(note)}</span>" if note else ""
    sort = "" if cell is None or math.isnan(cell.value) else f' data-value="{cell.value:.9g}"'
    kind = "" if column.comparable else " class=apart"
    content = f"<span class=value>{escape(value)}</span>{interval}{remark}"
    title = escape(_with_unit(column))
    return f'<td role=cell{kind} data-title="{title}"{sort}><span class=content>{content}</span></td>'


WRITERS: dict[str, Callable[[Table], str]] = {"csv": to_csv, "md": to_markdown, "tex": to_latex}
