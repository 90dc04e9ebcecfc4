"""What a report holds, section by section: every table and every figure once, for the page and for the files."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from seatbelt_vae.experiments import Record
from seatbelt_vae.experiments.table import measure_of
from seatbelt_vae.report.charts import (
    RECORDED,
    budget_chart,
    distortion_distortion_chart,
    noise_chart,
    training_chart,
    training_rows,
)
from seatbelt_vae.report.export import chart_svg
from seatbelt_vae.report.group import Group
from seatbelt_vae.report.panels import Grid, grids
from seatbelt_vae.report.summary import verdict
from seatbelt_vae.report.table import Table
from seatbelt_vae.report.tables import amplification_table, attack_table, clean_tables, damage_table, objective_table


@dataclass(frozen=True)
class Figure:
    """A chart: without a legend for the page, with one for files.

    Args:
        key: its anchor on the page and its name among the files.
        caption: what it shows.
        draw: draws it; takes ``legend``.
    """

    key: str
    caption: str
    draw: Callable[..., dict[str, Any]]

    def svg(self, *, legend: bool) -> str:
        """The chart as an SVG document."""
        return chart_svg(self.draw(legend=legend))


@dataclass(frozen=True)
class Part:
    """Figures of some models, such as those of one attack, and the tables below them.

    Args:
        models: their names and places in the report.
        figures: the charts.
        tables: the numbers.
        title: its heading.
        words: a sentence on it.
    """

    models: Mapping[str, int]
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()
    title: str = ""
    words: str = ""


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Args:
        key: its anchor.
        name: in the navigation.
        title: its heading.
        parts: figures and tables.
        grids: traversals.
    """

    key: str
    name: str
    title: str
    parts: Sequence[Part] = ()
    grids: Sequence[Grid] = ()


CURVES = {"success": "success", "nll": "target-nll", "delta": "objective", "relative_distortion": "distortion"}
"""Measures of an attack with a target that are drawn along its budgets, and what the figures are called."""

DAMAGE = {"damage": "", "amplification": "amplification", "source_nll": "nll"}
"""The same without a target."""

DISTORTION = (
    "What is left of the way to the target, against what the attack changed. Thin: each pair. The area below is AUDDC. "
    "Dots: f50, where half of the way is gone."
)
NOISE = "What noise takes from log p(x|z*), mean over images with 1.96 standard errors; lower is more robust."


def sections(records: Sequence[Record], groups: Sequence[Group]) -> list[Section]:
    """Everything there is on some models."""
    targeted = [group for group in groups if group.targeted]
    damages = [group for group in groups if not group.targeted]
    symbols = " and ".join(dict.fromkeys(group.symbol for group in targeted))
    models = {record.label: slot for slot, record in enumerate(records)}
    clean = list(clean_tables(records))
    noise = [table for table in clean if table.key == "clean-noise"]
    noise_figures = [Figure("noise-drop", NOISE, partial(noise_chart, records)) for _ in noise]
    others = [table for table in clean if table not in noise]
    training = []
    for key in RECORDED:
        if any(training_rows(record, key) for record in records):
            training.append(Figure(f"training-{key}", "", partial(training_chart, records, key)))
    made = [
        Section("table", "Table", "Models under attack", [Part({}, (), [attack_table(group)]) for group in targeted]),
        Section("curves", "Curves", f"Along {symbols}", [_curves(group) for group in targeted]),
        Section("damage", "Damage", "Damage without a target", [_damage(group) for group in damages]),
        Section("noise", "Noise", "Noise", [Part(models, noise_figures, noise)]),
        Section("clean", "Models", "Without an attack", [Part({}, (), others)]),
        Section("traversals", "Traversals", "What the latents draw", grids=grids(records)),
        Section("training", "Training", "Training", [Part(models, training)]),
    ]
    return [section for section in made if section.grids or any(part.figures or part.tables for part in section.parts)]


def _curves(group: Group) -> Part:
    first = Figure(f"{group.key}-distortion-distortion", DISTORTION, partial(distortion_distortion_chart, group))
    figures = [first, *_along(group, CURVES)]
    return Part(group.models, figures, [objective_table(group)], group.title, verdict(group))


def _damage(group: Group) -> Part:
    return Part(group.models, _along(group, DAMAGE), [damage_table(group), amplification_table(group)])


def _along(group: Group, curves: Mapping[str, str]) -> list[Figure]:
    made = []
    for key, name in curves.items():
        name = f"{group.key}-{name}".removesuffix("-")
        made.append(Figure(name, _caption(group, key), partial(budget_chart, group, key)))
    return made


def _caption(group: Group, key: str) -> str:
    """What the catalogue says of a measure."""
    measure = measure_of(key)
    caption = group.worded(measure.definition)
    if not group.comparable(measure):
        return f"{caption} Heights may not be compared across models."
    if measure.better:
        caption += f" {measure.better.capitalize()} is more robust."
    return caption
