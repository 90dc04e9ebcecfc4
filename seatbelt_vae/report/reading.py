"""How to read the page: definitions with units, what may be compared, and where every number comes from."""

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from seatbelt_vae.experiments.table import Record
from seatbelt_vae.measures import GAINED, REACHED
from seatbelt_vae.report.clean import clean_columns, clean_tables
from seatbelt_vae.report.formats import in_sentence, with_unit
from seatbelt_vae.report.group import Group
from seatbelt_vae.report.tables import Column, column

TERMS = (
    ("x, xₜ, x*, d", "Source, target and adversarial image; x* = x + d stays inside the data’s range."),
    ("‖d‖", "Un-squared L2 norm of d over the whole image, in the units of the data. ‖d‖/‖x − xₜ‖ is relative to the "
     "distance from source to target: 1 is as far as replacing the one by the other."),
    ("λ", "Weight of ‖d‖ in what the attack minimises, Δ = r + λ‖d‖. At λ = 0 (drawn apart, at the left end) the "
     "distortion is free. The figures show the largest λ that gave the smallest Δ above the mean Δ over λ."),
    ("ε", "Radius of the ball ‖d‖ ≤ ε inside which an attack minimised r alone; it takes the place of λ."),
    ("Success s", "1 − (‖rec(x*) − xₜ‖ − ‖rec(xₜ) − xₜ‖) / (‖rec(x) − xₜ‖ − ‖rec(xₜ) − xₜ‖). 0: nothing gained; 1: as "
     "good as encoding the target itself. Comparable across models."),
    ("Intervals", "95 % over pairs of images, from the bootstrap (studentised in tables, expanded percentile in "
     "curves; Student’s t below 8 pairs). They say how much the choice of pairs matters, not what another training "
     "seed would give."),
    ("Identity", "What returns every image as it is. No model sets it, so it stands in italics in tables, in grey "
     "in curves."),
    ("Distortion pictures", "For grey images blue is darker, white unchanged, red brighter than the original; for "
     "colour images mid-grey is unchanged. The factor by which they are multiplied is stated beside them."),
)  # fmt: skip

LIBRARIES = ("seatbelt-vae", "torch", "numpy", "altair", "vl-convert-python")


def definitions(records: Sequence[Record], groups: Sequence[Group]) -> list[tuple[str, str]]:
    """What may be compared across models, the symbols, then each column that there is: term and definition.

    Args:
        records: the models.
        groups: the attacks with a target on them.
    """
    return [*_comparable(groups), *TERMS, *_columns(groups), *_clean(records)]


def _shown(group: Group) -> list[Column]:
    keys = [measure.key for measure in GAINED if measure.listed]
    keys += [measure.key for measure in REACHED if group.has(measure.key)]
    return [column(group, key) for key in keys]


def _comparable(groups: Sequence[Group]) -> list[tuple[str, str]]:
    """Which columns may be compared across models, and which may not."""
    may: dict[str, None] = {}
    may_not: dict[str, None] = {}
    for group in groups:
        for shown in _shown(group):
            if shown.comparable:
                may[shown.title] = None
            else:
                may_not[f"{shown.title} of the {in_sentence(group.title)}"] = None
    entries = []
    if may:
        entries.append(("May be compared", f"Across models, on the same pairs and data: {'; '.join(may)}."))
    if may_not:
        reason = "it grows with 1/σ² and the size of the latent space, whatever the attack achieved"
        words = f"Between models of different latent spaces († in the tables): {'; '.join(may_not)}: {reason}."
        entries.append(("May not", words))
    return entries


def _columns(groups: Sequence[Group]) -> list[tuple[str, str]]:
    """Each column once; where attacks differ in what it means, once for each meaning."""
    meant: dict[str, dict[str, list[str]]] = {}
    for group in groups:
        for shown in _shown(group):
            title = with_unit(shown.title, shown.unit)
            attacks = meant.setdefault(title, {}).setdefault(shown.definition, [])
            attacks.append(group.title)
    entries = []
    for title, definitions_of in meant.items():
        for definition, attacks in definitions_of.items():
            term = title
            if len(definitions_of) > 1:
                term += f", {in_sentence(' and '.join(attacks))}"
            entries.append((term, definition))
    return entries


def _clean(records: Sequence[Record]) -> list[tuple[str, str]]:
    shown = {each.key for table in clean_tables(records) for each in table.columns}
    entries = []
    for each in clean_columns():
        if each.key in shown:
            entries.append((with_unit(each.title, each.unit), each.definition))
    return entries


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
