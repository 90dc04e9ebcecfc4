"""What a report holds, section by section: every table and every figure once, for the page and for the files."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from seatbelt_vae.experiments import Record
from seatbelt_vae.experiments.table import measure_of
from seatbelt_vae.report.charts import budget_chart, distortion_distortion_chart, layer_chart
from seatbelt_vae.report.clean import clean_tables
from seatbelt_vae.report.compare import layer_groups
from seatbelt_vae.report.export import chart_svg
from seatbelt_vae.report.group import Group
from seatbelt_vae.report.noise import noise_chart, noise_drop_chart, noisy
from seatbelt_vae.report.summary import verdict
from seatbelt_vae.report.tables import (
    Table,
    amplification_table,
    attack_table,
    damage_table,
    layer_table,
    objective_table,
)
from seatbelt_vae.report.training import RECORDED, training_chart, training_rows
from seatbelt_vae.report.traversals import Grid, grids


@dataclass(frozen=True)
class Figure:
    """A chart: without a legend for the page, with one for files.

    Args:
        key: its anchor on the page and its name among the files.
        caption: what it shows.
        draw: draws it as a chart of altair; takes ``legend``.
    """

    key: str
    caption: str
    draw: Callable[..., Any]

    def svg(self, *, legend: bool) -> str:
        """The chart as an SVG document."""
        return chart_svg(self.draw(legend=legend))


@dataclass(frozen=True)
class Part:
    """Tables and figures of the same models, such as those of one attack.

    Args:
        models: their names and places in the report.
        tables: that stand before the figures.
        figures: the charts.
        below: tables that stand after them.
        title: its heading.
        words: a sentence on it.
    """

    models: Mapping[str, int]
    tables: Sequence[Table] = ()
    figures: Sequence[Figure] = ()
    below: Sequence[Table] = ()
    title: str = ""
    words: str = ""


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Args:
        key: its anchor.
        name: in the navigation.
        title: its heading.
        parts: tables and figures.
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

LAYERS = ("success_at_0.5", "auddc")
"""Measures by which layers are set against each other."""

DISTORTION = (
    "What is left of the way to the target, against what the attack changed. Thin: each pair. The area below is AUDDC. "
    "Dots: f50, where half of the way is gone."
)


def sections(records: Sequence[Record], groups: Sequence[Group]) -> list[Section]:
    """Everything there is on some models.

    Args:
        records: the models.
        groups: the attacks on them.
    """
    targeted = [group for group in groups if group.targeted]
    damages = [group for group in groups if not group.targeted]
    symbols = " and ".join(dict.fromkeys(group.symbol for group in targeted))
    clean = {table.key: table for table in clean_tables(records)}
    noise = clean.pop("clean-noise", None)
    models = {record.label: slot for slot, record in enumerate(records)}
    noise_part = Part(models, figures=_noise(records), below=[noise] if noise else [])
    made = [
        Section("table", "Table", "Models under attack", [Part({}, [attack_table(group)]) for group in targeted]),
        Section("curves", "Curves", f"Along {symbols}", [_curves(group) for group in targeted]),
        Section("layers", "Layers", "Layer by layer", [_layers(group) for group in layer_groups(records)]),
        Section("damage", "Damage", "Damage without a target", [_damage(group) for group in damages]),
        Section("noise", "Noise", "Noise", _filled(noise_part)),
        Section("clean", "Models", "Without an attack", _filled(Part({}, tuple(clean.values())))),
        Section("traversals", "Traversals", "What the latents draw", grids=grids(records)),
        Section("training", "Training", "Training", _filled(Part(models, figures=_training(records)))),
    ]
    return [section for section in made if section.parts or section.grids]


def _filled(part: Part) -> list[Part]:
    if part.tables or part.figures or part.below:
        return [part]
    return []


def _curves(group: Group) -> Part:
    figures = [Figure(f"{group.key}-distortion-distortion", DISTORTION, partial(distortion_distortion_chart, group))]
    figures += _along(group, CURVES)
    return Part(group.models, (), figures, [objective_table(group)], group.title, verdict(group))


def _damage(group: Group) -> Part:
    return Part(group.models, [damage_table(group), amplification_table(group)], _along(group, DAMAGE))


def _along(group: Group, curves: Mapping[str, str]) -> list[Figure]:
    made = []
    for key, name in curves.items():
        made.append(Figure(_name(group, name), _caption(group, key), partial(budget_chart, group, key)))
    return made


def _layers(group: Group) -> Part:
    figures = []
    for key in LAYERS:
        name = _name(group, key.replace("_", "-"))
        figures.append(Figure(name, _caption(group, key), partial(layer_chart, group, key)))
    return Part(group.models, [layer_table(group)], figures)


def _name(group: Group, name: str) -> str:
    return f"{group.key}-{name}".removesuffix("-")


def _caption(group: Group, key: str) -> str:
    """What the catalogue says of a measure."""
    measure = measure_of(key)
    caption = group.worded(measure.definition)
    if key == "nll":
        caption += " Ticks: ±1.96 Monte-Carlo standard errors."
    if not group.comparable(measure):
        caption += " Heights may not be compared across models."
    elif measure.better:
        caption += f" {measure.better.capitalize()} is more robust."
    return caption


def _noise(records: Sequence[Record]) -> list[Figure]:
    if not noisy(records):
        return []
    return [
        Figure(
            "noise-histograms",
            "Smoothed histograms over held-out images: how well z* drawn from q(z|x + noise) explains the clean x.",
            partial(noise_chart, records),
        ),
        Figure(
            "noise-drop",
            "What noise takes from log p(x|z*), mean over images with 1.96 standard errors; lower is more robust.",
            partial(noise_drop_chart, records),
        ),
    ]


def _training(records: Sequence[Record]) -> list[Figure]:
    made = []
    for key, title in RECORDED.items():
        if any(training_rows(record, key) for record in records):
            made.append(Figure(f"training-{key}", "", partial(training_chart, records, key, title)))
    return made
