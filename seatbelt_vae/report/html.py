"""One page that opens offline: summary, tables, pictures under a slider, curves, how to read them, provenance."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from seatbelt_vae.report.clean import clean_tables
from seatbelt_vae.report.damage import DamageComparison, damage_comparisons, damage_table
from seatbelt_vae.report.figures import (
    Figure,
    curve_figures,
    damage_figures,
    layer_figures,
    noise_figures,
    training_figures,
)
from seatbelt_vae.report.layers import LayerComparison, layer_comparisons, layer_table
from seatbelt_vae.report.palette import DIVERGING, MODELS, colour_of, dash_of
from seatbelt_vae.report.reading import provenance, reading, versions
from seatbelt_vae.report.runs import Comparison, ReportRun, data_name
from seatbelt_vae.report.sheets import BUDGET, explorer
from seatbelt_vae.report.summary import summary, verdict
from seatbelt_vae.report.table_formats import to_html
from seatbelt_vae.report.tables import attack_table, objective_table
from seatbelt_vae.report.traversals import Grid, grid_html, grids


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
    clean = {table.key: to_html(table) for table in clean_tables(runs)}
    if compared:
        yield _section("table", "Models under attack", "Table", "".join(to_html(attack_table(c)) for c in compared))
        pictures = Template(_part("explorer.html")).substitute(note=escape(_PICTURES))
        yield "pictures", "Pictures", pictures
        weights = " and ".join(dict.fromkeys(comparison.weight for comparison in compared))
        yield _section("curves", f"Along {weights}", "Curves", "".join(map(_curves, compared)))
    if layers := layer_comparisons(runs):
        yield _section("layers", "Layer by layer", "Layers", "".join(map(_layers, layers)))
    if damages := damage_comparisons(runs):
        yield _section("damage", "Damage without a target", "Damage", "".join(map(_damage, damages)))
    noise = clean.pop("clean-noise", "")
    if noise or noise_figures(runs):
        yield _section("noise", "Noise", "Noise", _legend(runs) + _grid(noise_figures(runs)) + noise)
    if clean:
        yield _section("clean", "Without an attack", "Models", "".join(clean.values()))
    if drawn := grids(runs):
        yield _section("traversals", "What the latents draw", "Traversals", _TRAVERSALS + _traversals(drawn))
    if figures := training_figures(runs):
        yield _section("training", "Training", "Training", _legend(runs) + _grid(figures))
    yield _section("reading", "How to read this", "How to read this", reading(runs, compared))
    yield _section("provenance", "Provenance", "Provenance", "".join(map(provenance, runs)) + versions())


_PICTURES = (
    "These pictures are compressed to fit on the page; the files in the folder figures hold every pixel as it was. "
    "x* is drawn as x + d."
)


def _section(key: str, title: str, name: str, body: str) -> tuple[str, str, str]:
    heading = f'<h2 id="{key}-title">{escape(title)}</h2>'
    return key, name, f'<section id="{key}" aria-labelledby="{key}-title">{heading}{body}</section>'


def _curves(comparison: Comparison) -> str:
    head = f"<h3>{escape(comparison.title)}</h3><p>{escape(verdict(comparison))}</p>"
    drawn = _legend_of(_models(comparison)) + _grid(curve_figures(comparison))
    return head + drawn + to_html(objective_table(comparison))


def _damage(comparison: DamageComparison) -> str:
    return to_html(damage_table(comparison)) + _legend_of(_models(comparison)) + _grid(damage_figures(comparison))


def _layers(comparison: LayerComparison) -> str:
    return to_html(layer_table(comparison)) + _legend_of(_models(comparison)) + _grid(layer_figures(comparison))


_TRAVERSALS = (
    "<p>Each row moves one dimension through the range that the data take in it, from −3 to +3 standard deviations "
    "about its mean, and leaves the others where one held-out image puts them; the layers below follow. Shown are the "
    "dimensions that hold most of an image, by number and nats.</p>"
)


def _traversals(drawn: Sequence[Grid]) -> str:
    return f"<div class=traversals>{''.join(map(grid_html, drawn))}</div>"


def _grid(figures: Iterable[Figure]) -> str:
    return f"<div class=curves>{''.join(map(_figure, figures))}</div>"


def _figure(figure: Figure) -> str:
    svg = anchored(figure.svg(legend=False), figure.key)
    words = escape(figure.caption or figure.key.replace("-", " "))
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{words}" ', 1)
    return f'<figure id="{figure.key}">{svg}<figcaption>{escape(figure.caption)}</figcaption></figure>'


def anchored(svg: str, key: str) -> str:
    """An SVG whose identifiers are its own, so that several can stand in one page.

    Example:
        >>> anchored('<clipPath id="clip1"/><g clip-path="url(#clip1)"/>', "a")
        '<clipPath id="a-clip1"/><g clip-path="url(#a-clip1)"/>'
    """
    return svg.replace(' id="', f' id="{key}-').replace("url(#", f"url(#{key}-")


def _legend(runs: Sequence[ReportRun]) -> str:
    return _legend_of([(run.label, slot) for slot, run in enumerate(runs)])


def _models(comparison: Comparison | LayerComparison | DamageComparison) -> list[tuple[str, int]]:
    return list(dict.fromkeys((trial.label, trial.slot) for trial in comparison.trials))


def _legend_of(models: Sequence[tuple[str, int]]) -> str:
    items = "".join(
        f'<li><svg viewBox="0 0 34 10" aria-hidden="true"><path d="M0 5H34" stroke="{colour_of(slot)}"'
        f' stroke-width="2.5" stroke-dasharray="{" ".join(map(str, dash_of(slot)))}"/></svg>{escape(label)}</li>'
        for label, slot in models
    )
    return f"<ul class=legend>{items}</ul>"
