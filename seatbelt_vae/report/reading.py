"""How to read the page: definitions with units, what may be compared, and where every number comes from."""

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from seatbelt_vae.experiments import Record
from seatbelt_vae.measures import GAINED, REACHED
from seatbelt_vae.report.formats import in_sentence, with_unit
from seatbelt_vae.report.group import Group
from seatbelt_vae.report.sections import Section
from seatbelt_vae.report.tables import Column

LIBRARIES = ("seatbelt-vae", "torch", "numpy", "altair", "vl-convert-python")


def definitions(sections: Sequence[Section]) -> dict[str, str]:
    """Each column of the page: heading and definition."""
    found: dict[str, str] = {}
    for section in sections:
        for column in _columns(section):
            if column.definition:
                found.setdefault(with_unit(column.title, column.unit), column.definition)
    return found


def _columns(section: Section) -> Iterator[Column]:
    for part in section.parts:
        for table in (*part.tables, *part.below):
            yield from table.columns


def comparable(groups: Sequence[Group]) -> dict[str, str]:
    """Which columns may be compared across models, and which may not."""
    may: dict[str, None] = {}
    may_not: dict[str, None] = {}
    for group in groups:
        for measure in (*GAINED, *REACHED):
            title = group.worded(measure.title)
            if not group.comparable(measure):
                may_not[f"{title} of the {in_sentence(group.title)}"] = None
            elif measure.listed:
                may[title] = None
    found = {}
    if may:
        found["May be compared"] = f"Across models, on the same pairs and data: {'; '.join(may)}."
    if may_not:
        found["May not"] = (
            f"Between models of different latent spaces († in the tables): {'; '.join(may_not)}: it grows with 1/σ² "
            "and the size of the latent space, whatever the attack achieved."
        )
    return found


def provenance(record: Record) -> dict[str, str]:
    """Everything that was asked for, and how each attack was made: name and value."""
    known = flattened(record.settings)
    for place, sitting in enumerate(record.environment, start=1):
        name = "trained with"
        if len(record.environment) > 1:
            name += f", sitting {place}"
        known |= flattened(sitting, name)
    for place, attack in enumerate(record.attacks, start=1):
        known |= flattened(record.attacks[attack].result.settings, f"attack {place}")
    return known


def versions() -> str:
    """The libraries with which the page was written."""
    found = []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:  # run from a source tree that was never installed
            continue
    return ", ".join(found)


def flattened(value: Any, key: str = "") -> dict[str, str]:
    """Nested settings as one level of dotted names; what is None was not set and is left out.

    Example:
        >>> flattened({"model": {"name": "vae", "latent_sizes": [8, 4], "beta": None}})
        {'model.name': 'vae', 'model.latent_sizes': '8, 4'}
    """
    if value is None:
        return {}
    if isinstance(value, Mapping):
        found: dict[str, str] = {}
        for name, inner in value.items():
            found |= flattened(inner, f"{key}.{name}".lstrip("."))
        return found
    if isinstance(value, Sequence) and not isinstance(value, str):
        return {key: ", ".join(str(part) for part in value)}
    return {key: str(value)}
