"""Every chart of a report with its caption: drawn without a legend for the page, with one for files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from seatbelt_vae.experiments.table import Record
from seatbelt_vae.report.charts import budget_chart, distortion_distortion_chart, layer_chart, training_chart
from seatbelt_vae.report.export import chart_svg
from seatbelt_vae.report.group import Group
from seatbelt_vae.report.history import RECORDED, training_rows
from seatbelt_vae.report.noise import noise_chart, noise_drop_chart, noisy


@dataclass(frozen=True)
class Figure:
    """A chart.

    Args:
        key: its anchor on the page and its name among the files.
        caption: what it shows.
        draw: draws it; takes ``legend``.
    """

    key: str
    caption: str
    draw: Callable[..., Any]

    def svg(self, *, legend: bool) -> str:
        """The chart as an SVG document."""
        return chart_svg(self.draw(legend=legend))


DISTORTION = (
    "What is left of the way to the target, against what the attack changed. Thin: each pair. The area below is AUDDC. "
    "Dots: f50, where half of the way is gone."
)

CURVES = {
    "success": ("success", "Success: 0 nothing gained, 1 as good as encoding the target itself."),
    "target-nll": (
        "nll",
        "How unlikely the target is given z* drawn from q(z|x*). Ticks: ±1.96 Monte-Carlo standard errors.",
    ),
    "objective": (
        "delta",
        "What the attack minimised. Where Δ holds a divergence between posteriors, heights may not be compared across "
        "models.",
    ),
    "distortion": ("relative_distortion", "How far the attack moved the image."),
}
"""By the end of a figure's name: the measure and the caption."""

LAYERS = {
    "success_at_0.5": "Best success within half the distance from source to target, by the layers aimed at; further "
    "right is less robust.",
    "auddc": "AUDDC by the layers aimed at; further left is less robust.",
}

DAMAGE = {
    "": ("damage", "How far the worst x* found within a radius moves the reconstruction; lower is more robust."),
    "-amplification": (
        "amplification",
        "How many times larger the reconstruction’s change is than the radius; lower is more robust.",
    ),
    "-nll": ("source_nll", "How unlikely the clean image is given z* drawn from q(z|x*); lower is more robust."),
}


def curve_figures(group: Group) -> list[Figure]:
    """The curves of one attack with a target."""
    first = partial(distortion_distortion_chart, group)
    made = [Figure(f"{group.key}-distortion-distortion", DISTORTION, first)]
    for end, (key, caption) in CURVES.items():
        made.append(Figure(f"{group.key}-{end}", caption, partial(budget_chart, group, key)))
    return made


def layer_figures(group: Group) -> list[Figure]:
    """What the same attack gains by the layers that it aims at."""
    made = []
    for key, caption in LAYERS.items():
        end = key.replace("_", "-")
        made.append(Figure(f"{group.key}-{end}", caption, partial(layer_chart, group, key)))
    return made


def damage_figures(group: Group) -> list[Figure]:
    """What a damage attack does within each radius."""
    made = []
    for end, (key, caption) in DAMAGE.items():
        made.append(Figure(f"{group.key}{end}", caption, partial(budget_chart, group, key)))
    return made


def noise_figures(records: Sequence[Record]) -> list[Figure]:
    """Robustness to noise, where it was measured."""
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


def training_figures(records: Sequence[Record]) -> list[Figure]:
    """The training curves that were recorded."""
    made = []
    for key, title in RECORDED.items():
        if any(training_rows(record, key) for record in records):
            made.append(Figure(f"training-{key}", "", partial(training_chart, records, key, title)))
    return made
