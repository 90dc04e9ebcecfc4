"""Templates of the folder ``templates``, and how words are escaped in each kind of file."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from seatbelt_vae.pixels import data_uri
from seatbelt_vae.report.palette import colour_of, dash_of


@cache
def environment() -> Environment:
    """Where templates lie, and what they may call; what goes into HTML, SVG and XML is escaped.

    Filters: ``md`` (a cell of a Markdown table), ``tex`` (LaTeX), ``together`` (a heading with its arrow).
    """
    made = Environment(
        loader=PackageLoader("seatbelt_vae.report"),
        autoescape=_is_markup,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"md": md, "tex": tex, "together": _together}
    made.globals |= {"colour_of": colour_of, "dash_of": dash_of, "data_uri": data_uri}
    return made


def _is_markup(name: str | None) -> bool:
    return name is not None and name.endswith((".html.j2", ".svg.j2", ".xml.j2"))


def rendered(name: str, **values: object) -> str:
    """A template, filled."""
    return environment().get_template(name).render(**values)


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
_TEX_SYMBOLS |= {raised: f"$^{{{digit}}}$" for digit, raised in zip("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹", strict=True)}
_TEX = str.maketrans(_TEX_SYMBOLS)


def tex(words: object) -> str:
    r"""Characters as LaTeX in any encoding.

    Example:
        >>> print(tex("β=4, 50 %: −1.2×10⁻⁵"))
        $\beta$=4, 50 \%: $-$1.2$\times$10$^{-5}$
    """
    return str(words).translate(_TEX).replace("}$$^{", "")


def _together(heading: str) -> str:
    """A heading whose arrow does not fall on a line of its own."""
    for mark in "↑↓†":
        heading = heading.replace(f" {mark}", f"\u00a0{mark}")
    return heading
