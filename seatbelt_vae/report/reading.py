"""How to read the page: definitions with units, what may be compared, and where every number comes from."""

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from seatbelt_vae.experiments.table import Record
from seatbelt_vae.report.formats import in_sentence, with_unit
from seatbelt_vae.report.sections import Section
from seatbelt_vae.report.tables import Table

LIBRARIES = ("seatbelt-vae", "torch", "numpy", "altair", "vl-convert-python")


def definitions(sections: Sequence[Section]) -> dict[str, str]:
    """What may be compared across models, then each column of the page: term and definition."""
    attacked: list[Table] = []
    others: list[Table] = []
    for section in sections:
        for part in section.parts:
            tables = attacked if section.key in ("table", "curves") else others
            tables += [*part.tables, *part.below]
    found = _comparable(attacked)
    for table in (*attacked, *others):
        for column in table.columns:
            if column.definition:
                found.setdefault(with_unit(column.title, column.unit), column.definition)
    return found


def _comparable(tables: Sequence[Table]) -> dict[str, str]:
    """Which columns may be compared across models, and which may not."""
    may: dict[str, None] = {}
    may_not: dict[str, None] = {}
    for table in tables:
        attack = in_sentence(table.title).partition(": ")[0]
        for column in table.columns:
            if not column.comparable:
                may_not[f"{column.title} of the {attack}"] = None
            elif column.definition:
                may[column.title] = None
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
