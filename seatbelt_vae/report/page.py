"""One page that opens offline: summary, tables, pictures under a slider, curves, how to read them, provenance."""

import json
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from seatbelt_vae.experiments import Record
from seatbelt_vae.report.compare import data_name
from seatbelt_vae.report.group import Group
from seatbelt_vae.report.palette import DIVERGING, MODELS
from seatbelt_vae.report.reading import comparable, definitions, provenance, versions
from seatbelt_vae.report.sections import Figure, sections
from seatbelt_vae.report.sheets import BUDGET, explorer
from seatbelt_vae.report.summary import summary
from seatbelt_vae.report.table_formats import rendered


def page(records: Sequence[Record], groups: Sequence[Group], title: str = "", *, budget: int = BUDGET) -> str:
    """The report as one HTML document that asks for nothing outside itself.

    Args:
        records: the models, with labels that differ.
        groups: the attacks on them.
        title: the page's title; made from the models and their data by default.
        budget: bytes for the slider's pictures, before base64.

    Returns:
        The document.

    Raises:
        InputError: the extra that draws is not installed.
    """
    targeted = [group for group in groups if group.targeted]
    held = sections(records, groups)
    data = {**explorer(targeted, budget), "diverging": DIVERGING, "colours": MODELS}
    return rendered(
        "page.html.j2",
        title=title or default_title(records),
        summary=summary(records, targeted),
        sections=held,
        drawn=drawn,
        comparable=comparable(targeted),
        definitions=definitions(held),
        provenance=[(record, provenance(record)) for record in records],
        versions=versions(),
        data=embedded(data),
    )


def default_title(records: Sequence[Record]) -> str:
    """What the page is called unless told otherwise."""
    data = " and ".join(sorted({data_name(record) for record in records}))
    if len(records) == 1:
        return f"How a model of {data} withstands attack"
    return f"How {len(records)} models of {data} withstand attack"


def embedded(value: Any) -> Markup:
    r"""JSON that may stand inside a script element: no tag can be closed or opened by it.

    Example:
        >>> print(embedded("</script>"))
        "\u003c/script>"
    """
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))


def drawn(figure: Figure) -> Markup:
    """A chart for the page, with words for those who do not see it."""
    words = figure.caption or figure.key.replace("-", " ")
    svg = anchored(figure.svg(legend=False), figure.key)
    label = Markup('<svg role="img" aria-label="{}" ').format(words)
    return Markup(svg.replace("<svg ", label, 1))


def anchored(svg: str, key: str) -> str:
    """An SVG whose identifiers are its own, so that several can stand in one page.

    Example:
        >>> anchored('<clipPath id="clip1"/><g clip-path="url(#clip1)"/>', "a")
        '<clipPath id="a-clip1"/><g clip-path="url(#a-clip1)"/>'
    """
    return svg.replace(' id="', f' id="{key}-').replace("url(#", f"url(#{key}-")
