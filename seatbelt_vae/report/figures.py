"""Every chart of a report with its caption: drawn without a legend for the page, with one for files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from seatbelt_vae.report.charts import (
    distortion_chart,
    distortion_distortion_chart,
    objective_chart,
    success_chart,
    target_nll_chart,
)
from seatbelt_vae.report.damage import DamageComparison
from seatbelt_vae.report.damage_charts import damage_chart, source_nll_chart
from seatbelt_vae.report.export import chart_svg
from seatbelt_vae.report.layer_charts import layer_chart
from seatbelt_vae.report.layers import LayerComparison
from seatbelt_vae.report.noise import noise_chart, noise_drop_chart, noisy
from seatbelt_vae.report.runs import Comparison, ReportRun
from seatbelt_vae.report.training import training_charts


@dataclass(frozen=True)
class Figure:
    """A chart.

    Attributes:
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


CURVES: tuple[tuple[str, Callable[..., Any], str], ...] = (
    (
        "distortion-distortion",
        distortion_distortion_chart,
        "What is left of the way to the target, against what the attack changed. Thin: each pair. The area below is "
        "AUDDC.",
    ),
    ("success", success_chart, "Success: 0 nothing gained, 1 as good as encoding the target itself."),
    (
        "target-nll",
        target_nll_chart,
        "How unlikely the target is given z* drawn from q(z|x*). Ticks: ±1.96 Monte-Carlo standard errors.",
    ),
    (
        "objective",
        objective_chart,
        "What the attack minimised. Where Δ holds a divergence between posteriors, heights may not be compared across "
        "models.",
    ),
    ("distortion", distortion_chart, "How far the attack moved the image."),
)


def curve_figures(comparison: Comparison) -> list[Figure]:
    """The curves of one attack."""
    return [Figure(f"{comparison.key}-{key}", caption, partial(draw, comparison)) for key, draw, caption in CURVES]


def layer_figures(comparison: LayerComparison) -> list[Figure]:
    """What the same attack gains by the layers that it aims at."""
    asked = {measure.key: measure for measure in comparison.measures}
    captions = {
        "success_at_0.5": "Best success within half the distance from source to target, by the layers aimed at; "
        "further right is less robust.",
        "auddc": "AUDDC by the layers aimed at; further left is less robust.",
    }
    return [
        Figure(f"{comparison.key}-{key.replace('_', '-')}", caption, partial(layer_chart, comparison, asked[key]))
        for key, caption in captions.items()
    ]


def damage_figures(comparison: DamageComparison) -> list[Figure]:
    """What a damage attack does within each radius."""
    return [
        Figure(
            comparison.key,
            "How far the worst x* found within a radius moves the reconstruction; lower is more robust.",
            partial(damage_chart, comparison),
        ),
        Figure(
            f"{comparison.key}-nll",
            "How unlikely the clean image is given z* drawn from q(z|x*); lower is more robust.",
            partial(source_nll_chart, comparison),
        ),
    ]


def noise_figures(runs: Sequence[ReportRun]) -> list[Figure]:
    """Robustness to noise, where it was measured."""
    if not noisy(runs):
        return []
    return [
        Figure(
            "noise-histograms",
            "Smoothed histograms over held-out images: how well z* drawn from q(z|x + noise) explains the clean x.",
            partial(noise_chart, runs),
        ),
        Figure(
            "noise-drop",
            "What noise takes from log p(x|z*), mean over images with 1.96 standard errors; lower is more robust.",
            partial(noise_drop_chart, runs),
        ),
    ]


def training_figures(runs: Sequence[ReportRun]) -> list[Figure]:
    """The training curves that were recorded."""
    return [Figure(f"training-{key}", "", partial(draw, runs)) for key, draw in training_charts(runs)]
