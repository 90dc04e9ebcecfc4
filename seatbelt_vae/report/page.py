"""One page that opens offline: summary, tables, pictures under a slider, curves, how to read them, provenance."""

import json
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from markupsafe import Markup

from seatbelt_vae.audits import Audit
from seatbelt_vae.experiments import Record
from seatbelt_vae.experiments.spec import flat
from seatbelt_vae.report.audit import audits_section
from seatbelt_vae.report.compare import data_name
from seatbelt_vae.report.formats import plural, public, with_unit
from seatbelt_vae.report.group import Group
from seatbelt_vae.report.palette import DIVERGING, MODELS
from seatbelt_vae.report.sections import Figure, Section, sections
from seatbelt_vae.report.sheets import BUDGET, explorer
from seatbelt_vae.report.summary import summary
from seatbelt_vae.report.templating import rendered

LIBRARIES = ("seatbelt-vae", "torch", "numpy", "vl-convert-python")


def contents(records: Sequence[Record], groups: Sequence[Group], audits: Sequence[Audit] = ()) -> list[Section]:
    """The sections of a report."""
    held = []
    if audits:
        held.append(audits_section(audits))
    if records:
        held += sections(records, groups)
    return held


def page(
    records: Sequence[Record],
    groups: Sequence[Group],
    title: str = "",
    *,
    audits: Sequence[Audit] = (),
    budget: int = BUDGET,
) -> str:
    """The report as one HTML document that asks for nothing outside itself.

    Args:
        records: the models, with labels that differ.
        groups: the attacks on them.
        title: the page's title; made from the models and their data by default.
        audits: of models of any kind.
        budget: bytes for the slider's pictures.

    Raises:
        InputError: the extra that draws is not installed.
    """
    held = contents(records, groups, audits)
    said = [f"{audit.record.model}: {audit.record.sentence}" for audit in audits]
    if records:
        said += summary(records, groups)
    pictures = explorer([group for group in groups if group.targeted], budget)
    return rendered(
        "page.html.j2",
        title=title or default_title(records, len(audits)),
        summary=said,
        sections=held,
        drawn=drawn,
        definitions=definitions(held),
        provenance=[(record, provenance(record)) for record in records],
        versions=versions(),
        data=embedded({**pictures, "diverging": DIVERGING, "colours": MODELS}),
    )


def default_title(records: Sequence[Record], audits: int = 0) -> str:
    """What the page is called unless told otherwise."""
    if audits:
        withstand = "withstands" if len(records) + audits == 1 else "withstand"
        return f"How {plural(len(records) + audits, 'model')} {withstand} attack"
    data = " and ".join(sorted({data_name(record) for record in records}))
    if len(records) == 1:
        return f"How a model of {data} withstands attack"
    return f"How {len(records)} models of {data} withstand attack"


def definitions(held: Sequence[Section]) -> dict[str, str]:
    """Each column of the page: heading and definition."""
    found: dict[str, str] = {}
    for section in held:
        for part in section.parts:
            for table in part.tables:
                for column in table.columns:
                    found.setdefault(with_unit(column.title, column.unit), column.definition)
    return {title: definition for title, definition in found.items() if definition}


def provenance(record: Record) -> dict[str, Any]:
    """Everything that was asked for, where it was trained, and how each attack was made: name and value."""
    told = dict(record.settings)
    for place, sitting in enumerate(record.environment, start=1):
        name = "trained with"
        if len(record.environment) > 1:
            name += f", sitting {place}"
        told[name] = sitting
    for place, attacked in enumerate(record.attacks.values(), start=1):
        told[f"attack {place}"] = attacked.result.settings
    found = {name: value for name, value in flat(told).items() if value is not None}
    if "data.name" in found:
        found["data.name"] = public(found["data.name"])
    return found


def versions() -> str:
    """The libraries with which the page was written."""
    found = []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:  # run from a source tree that was never installed
            continue
    return ", ".join(found)


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
