"""One page that opens offline: summary, tables, pictures under a slider, curves, how to read them, provenance."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from seatbelt_vae.report.charts import (
    distortion_chart,
    distortion_distortion_chart,
    objective_chart,
    success_chart,
    target_nll_chart,
)
from seatbelt_vae.report.export import chart_svg
from seatbelt_vae.report.palette import DIVERGING, MODELS, colour_of, dash_of
from seatbelt_vae.report.reading import provenance, reading, versions
from seatbelt_vae.report.runs import Comparison, ReportRun, data_name
from seatbelt_vae.report.sheets import BUDGET, explorer
from seatbelt_vae.report.summary import summary, verdict
from seatbelt_vae.report.table_formats import to_html
from seatbelt_vae.report.tables import attack_table, clean_table
from seatbelt_vae.report.training import training_charts

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


def page(
    runs: Sequence[ReportRun],
    compared: Sequence[Comparison],
    title: str | None = None,
    *,
    budget: int = BUDGET,
) -> str:
    """The report as one HTML document that asks for nothing outside itself.

    Args:
        runs: the models, with labels that differ.
        compared: the attacks on them.
        title: the page's title; made from the models and their data by default.
        budget: bytes for the slider's pictures, before base64.

    Returns:
        The document.

    Raises:
        InputError: the extra that draws is not installed.
    """
    sections = [section for section in _sections(runs, compared) if section]
    return Template(_part("page.html")).substitute(
        title=escape(title or default_title(runs)),
        css=_part("page.css"),
        summary="\n".join(f'<p class="summary">{escape(sentence)}</p>' for sentence in summary(runs, compared)),
        navigation=" ".join(f'<a href="#{key}">{escape(name)}</a>' for key, name, _ in sections),
        sections="\n".join(body for _, _, body in sections),
        data=embedded({**explorer(compared, budget), "diverging": DIVERGING, "colours": MODELS}),
        script=_part("page.js"),
    )


def default_title(runs: Sequence[ReportRun]) -> str:
    """What the page is called unless told otherwise."""
    data = sorted({data_name(run) for run in runs})
    count = "a model" if len(runs) == 1 else f"{len(runs)} models"
    return f"How {count} of {' and '.join(data)} withstand{'s' * (len(runs) == 1)} attack"


def embedded(value: Any) -> str:
    r"""JSON that may stand inside a script element: no tag can be closed or opened by it.

    Example:
        >>> print(embedded("</script>"))
        "\u003c/script>"
    """
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c")


def _part(name: str) -> str:
    return (files("seatbelt_vae.report") / "page" / name).read_text(encoding="utf-8")


def _sections(runs: Sequence[ReportRun], compared: Sequence[Comparison]) -> Iterator[tuple[str, str, str]]:
    """Anchor, name and body of each section."""
    tables = [to_html(attack_table(comparison)) for comparison in compared] + [to_html(clean_table(runs))]
    yield _section("table", "Models compared", "Table", "".join(tables))
    if compared:
        yield "pictures", "Pictures", Template(_part("explorer.html")).substitute(note=escape(_PICTURES))
        yield _section("curves", "Along λ", "Curves", "".join(_curves(comparison) for comparison in compared))
    if charts := training_charts(runs, legend=False):
        drawn = (_figure(f"training-{key}", chart, "") for key, chart in charts)
        yield _section("training", "Training", "Training", _legend(runs) + _grid(drawn))
    yield _section("reading", "How to read this", "How to read this", reading(compared))
    yield _section("provenance", "Provenance", "Provenance", "".join(map(provenance, runs)) + versions())


_PICTURES = (
    "These pictures are compressed to fit on the page; the files in the folder figures hold every pixel as it was. "
    "x* is drawn as x + d."
)


def _section(key: str, title: str, name: str, body: str) -> tuple[str, str, str]:
    heading = f'<h2 id="{key}-title">{escape(title)}</h2>'
    return key, name, f'<section id="{key}" aria-labelledby="{key}-title">{heading}{body}</section>'


def _curves(comparison: Comparison) -> str:
    drawn = (
        _figure(f"{comparison.key}-{key}", draw(comparison, legend=False), caption) for key, draw, caption in CURVES
    )
    runs = [(trial.label, trial.slot) for trial in comparison.trials]
    return f"<h3>{escape(comparison.title)}</h3><p>{escape(verdict(comparison))}</p>{_legend_of(runs)}{_grid(drawn)}"


def _grid(figures: Iterator[str]) -> str:
    return f"<div class=curves>{''.join(figures)}</div>"


def _figure(key: str, chart: Any, caption: str) -> str:
    svg = anchored(chart_svg(chart), key)
    words = escape(caption or key.replace("-", " "))
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{words}" ', 1)
    return f'<figure id="{key}">{svg}<figcaption>{escape(caption)}</figcaption></figure>'


def anchored(svg: str, key: str) -> str:
    """An SVG whose identifiers are its own, so that several can stand in one page.

    Example:
        >>> anchored('<clipPath id="clip1"/><g clip-path="url(#clip1)"/>', "a")
        '<clipPath id="a-clip1"/><g clip-path="url(#a-clip1)"/>'
    """
    return svg.replace(' id="', f' id="{key}-').replace("url(#", f"url(#{key}-")


def _legend(runs: Sequence[ReportRun]) -> str:
    return _legend_of([(run.label, slot) for slot, run in enumerate(runs)])


def _legend_of(models: Sequence[tuple[str, int]]) -> str:
    items = "".join(
        f'<li><svg viewBox="0 0 34 10" aria-hidden="true"><path d="M0 5H34" stroke="{colour_of(slot)}"'
        f' stroke-width="2.5" stroke-dasharray="{" ".join(map(str, dash_of(slot)))}"/></svg>{escape(label)}</li>'
        for label, slot in models
    )
    return f"<ul class=legend>{items}</ul>"
