"""How to read the page: definitions with units, what may be compared, and where every number comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from seatbelt_vae.report.clean import clean_columns, clean_tables
from seatbelt_vae.report.formats import in_sentence
from seatbelt_vae.report.measures import measures
from seatbelt_vae.report.runs import Comparison, ReportRun

_TERMS = (
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
    ("Distortion pictures", "For grey images blue is darker, white unchanged, red brighter than the original; for "
     "colour images mid-grey is unchanged. The factor by which they are multiplied is stated beside them."),
)  # fmt: skip


def reading(runs: Sequence[ReportRun], compared: Sequence[Comparison]) -> str:
    """Definitions: what may be compared across models, the symbols, then each column that there is."""
    entries = "".join(
        f"<dt>{escape(term)}</dt><dd>{escape(definition)}</dd>"
        for term, definition in [*_comparable(compared), *_TERMS, *_columns(compared), *_clean(runs)]
    )
    files_note = (
        "Every figure lies as PNG, SVG and PDF in the folder figures beside this page, every table as CSV, Markdown "
        "and LaTeX in the folder tables."
    )
    return f"<dl class=terms>{entries}</dl><p class=note>{files_note}</p>"


def _comparable(compared: Sequence[Comparison]) -> list[tuple[str, str]]:
    """Which columns may be compared across models, and which may not."""
    columns = [(m, comparison) for comparison in compared for m in measures(comparison)]
    may = dict.fromkeys(m.title for m, _ in columns if m.comparable)
    may_not = dict.fromkeys(f"{m.title} of the {in_sentence(c.title)}" for m, c in columns if not m.comparable)
    entries = [("May be compared", "Across models, on the same pairs and data: " + "; ".join(may) + ".")] if may else []
    if may_not:
        words = "; ".join(may_not)
        reason = "it grows with 1/σ² and the size of the latent space, whatever the attack achieved"
        entries.append(("May not", f"Between models of different latent spaces († in the tables): {words}: {reason}."))
    return entries


def _columns(compared: Sequence[Comparison]) -> list[tuple[str, str]]:
    """Each column once; where attacks differ in what it means, once for each meaning."""
    meant: dict[tuple[str, str], list[str]] = {}
    for comparison in compared:
        for measure in measures(comparison):
            meant.setdefault((_named(measure.title, measure.unit), measure.definition), []).append(comparison.title)
    titles = [title for title, _ in meant]
    entries = [
        (title + (f", {in_sentence(' and '.join(attacks))}" if titles.count(title) > 1 else ""), definition)
        for (title, definition), attacks in meant.items()
    ]
    return entries


def _clean(runs: Sequence[ReportRun]) -> list[tuple[str, str]]:
    shown = {column.key for table in clean_tables(runs) for column in table.columns}
    return [(_named(column.title, column.unit), column.definition) for column in clean_columns() if column.key in shown]


def _named(title: str, unit: str) -> str:
    return f"{title} ({unit})" if unit else title


def provenance(run: ReportRun) -> str:
    """Everything that was asked for, and how each attack was made."""
    known = flattened(run.spec)
    for place, sitting in enumerate(run.environment, start=1):
        known |= flattened(sitting, "trained with" if len(run.environment) == 1 else f"trained with, sitting {place}")
    results = [result for result, _ in (*run.attacks, *run.damages)]
    for place, result in enumerate(results, start=1):
        known |= flattened(result.settings, f"attack {place}")
    rows = "".join(f"<div><dt>{escape(key)}</dt><dd>{escape(value)}</dd></div>" for key, value in known.items())
    title = run.label if run.label == run.name else f"{run.label} · {run.name}"
    return f"<details><summary>{escape(title)}</summary><dl class=settings>{rows}</dl></details>"


def versions() -> str:
    """The libraries with which the page was written."""
    found = []
    for name in ("seatbelt-vae", "torch", "numpy", "altair", "vl-convert-python"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:  # run from a source tree that was never installed
            continue
    return f"<p class=note>This page was written with {escape(', '.join(found))}.</p>"


def flattened(value: Any, key: str = "") -> dict[str, str]:
    """Nested settings as one level of dotted names; what is None was not set and is left out.

    Example:
        >>> flattened({"model": {"name": "vae", "latent_sizes": [8, 4], "beta": None}})
        {'model.name': 'vae', 'model.latent_sizes': '8, 4'}
    """
    if isinstance(value, Mapping):
        parts = (flattened(inner, f"{key}.{name}" if key else str(name)) for name, inner in value.items())
        return {name: text for part in parts for name, text in part.items()}
    if value is None:
        return {}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return {key: ", ".join(str(part) for part in value)}
    return {key: str(value)}
