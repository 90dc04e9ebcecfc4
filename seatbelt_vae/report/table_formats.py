"""A table as HTML, Markdown, LaTeX and CSV: always the value with its interval."""

import csv
import io
import math
from collections.abc import Callable
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from seatbelt_vae.report.palette import colour_of, dash_of
from seatbelt_vae.report.tables import Cell, Table, cell_text

FORMATS = ("csv", "md", "tex")


@cache
def environment() -> Environment:
    """Where the templates lie, and what they may call; what goes into HTML is escaped.

    Filters: ``text`` (a `Cell` in plain characters), ``md`` (a cell of a Markdown table), ``tex`` (LaTeX).
    """
    made = Environment(
        loader=PackageLoader("seatbelt_vae.report"),
        autoescape=_is_html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"text": cell_text, "md": md, "tex": tex}
    made.globals |= {"colour_of": colour_of, "dash_of": dash_of, "together": _together}
    return made


def _is_html(name: str | None) -> bool:
    return name is not None and name.endswith(".html.j2")


def rendered(name: str, **values: object) -> str:
    """A template of the folder ``templates``, filled."""
    return environment().get_template(name).render(**values)


def to_html(table: Table) -> Markup:
    """A table whose columns can be sorted, and whose rows become cards on a narrow screen."""
    macros = environment().get_template("table.html.j2").module
    return Markup(macros.table_of(table))  # type: ignore[attr-defined]


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
    head = ["model"]
    for column in table.columns:
        key = column.key.replace("@", "_")
        head += [key, f"{key}_low", f"{key}_high"]
    writer.writerow(head)
    for line in table.lines:
        row = [line.label]
        for cell in line.cells:
            row += _csv_values(cell)
        writer.writerow(row)
    return buffer.getvalue()


WRITERS: dict[str, Callable[[Table], str]] = {"csv": to_csv, "md": to_markdown, "tex": to_latex}


def _csv_values(cell: Cell | None) -> list[str]:
    if cell is None:
        return ["", "", ""]
    if cell.words:
        return [cell.words, "", ""]
    values = []
    for value in (cell.value, cell.low, cell.high):
        values.append("" if math.isnan(value) else repr(value))
    return values


def md(words: object) -> str:
    r"""Words that stand in a cell of a Markdown table: a bar would end it.

    Example:
        >>> print(md("p(x|z)"))
        p(x\|z)
    """
    return str(words).replace("|", "\\|")


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


def tex(words: object) -> str:
    r"""Characters as LaTeX in any encoding.

    Example:
        >>> print(tex("β=4, 50 %: −1.2×10⁵"))
        $\beta$=4, 50 \%: $-$1.2$\times$10$^{5}$
    """
    out = ""
    power = ""
    for character in str(words):
        if character in _RAISED:
            power += _RAISED[character]
            continue
        out += _tex_power(power) + _TEX_SYMBOLS.get(character, character)
        power = ""
    return out + _tex_power(power)


def _tex_power(power: str) -> str:
    if not power:
        return ""
    return f"$^{{{power}}}$"


def _together(heading: str) -> str:
    """A heading whose arrow does not fall on a line of its own."""
    for mark in "↑↓†":
        heading = heading.replace(f" {mark}", f"\u00a0{mark}")
    return heading
