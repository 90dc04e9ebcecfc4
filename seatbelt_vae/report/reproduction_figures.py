"""The figures of a reproduction: lines over β, maps over β × L, effects by condition, costs, and pictures."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from seatbelt_vae.experiments.attack_spec import AttackSpec
from seatbelt_vae.experiments.table import Record, measure_of
from seatbelt_vae.report.chart_style import HEIGHT, WIDTH, Row, Style, span, spot
from seatbelt_vae.report.compare import Group, Trial, slug
from seatbelt_vae.report.export import chart_svg
from seatbelt_vae.report.formats import number, with_unit
from seatbelt_vae.report.images import pixels, unit
from seatbelt_vae.report.noise import noise_chart
from seatbelt_vae.report.palette import INK, QUIET
from seatbelt_vae.report.pictures import panels, pictures_svg, reconstructions
from seatbelt_vae.report.traversals import grid_pictures, grids
from seatbelt_vae.reproduction import Drawing, Images, Recipe, Results, Verdict, title_of, words

TidyRow = Mapping[str, Any]

Figure = tuple[str, str, str]
"""Its name among the files, a caption, and the SVG."""

COLOURS = "viridis"
DARK = 0.55
"""Share of the colours' range above which a cell is light, and its number dark."""

SHOWN = 8
"""Images in a row of reconstructions."""

ROW = 14
"""Points for each dot of a chart of effects."""

CHARTS = ("lines", "map", "pareto")


def figures(
    recipe: Recipe,
    results: Results,
    images: Images,
    rows: Sequence[TidyRow],
    verdicts: Sequence[Verdict],
    *,
    hidden: bool = False,
) -> Iterator[Figure]:
    """Draw a recipe.

    Args:
        recipe: what to draw.
        results: the runs.
        images: of which data.
        rows: what `seatbelt_vae.reproduction.tidy` gave of them.
        verdicts: on its claims.
        hidden: show no image.
    """
    for drawing in recipe.drawings:
        if drawing.kind in CHARTS:
            yield from _charts(recipe, drawing, rows)
        elif drawing.kind == "effects":
            yield from _effects(recipe, drawing, verdicts)
        elif drawing.kind == "noise":
            yield from _noise(recipe, results, images)
        elif not hidden:
            yield from PICTURES[drawing.kind](recipe, results, images)


def _charts(recipe: Recipe, drawing: Drawing, rows: Sequence[TidyRow]) -> Iterator[Figure]:
    for (data, attack), mine in _grouped(rows).items():
        drawn = [row for row in mine if row["measure"] == drawing.measure]
        if drawing.kind == "map":
            drawn = [row for row in drawn if row["model"] != "beta-tcdlgm"]
        if not drawn:
            continue
        name = _name(recipe.name, drawing.kind, data, attack, drawing.measure)
        caption = ", ".join(part for part in (data, attack, drawn[0]["title"]) if part)
        if drawing.kind == "lines":
            chart = line_chart(drawn)
        elif drawing.kind == "map":
            chart = map_chart(drawn)
        else:
            chart = pareto_chart(drawn, [row for row in rows if row["data"] == data])
        yield name, caption, chart_svg(chart)


def _effects(recipe: Recipe, drawing: Drawing, verdicts: Sequence[Verdict]) -> Iterator[Figure]:
    groups: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in verdicts:
        known = verdict.condition and not math.isnan(verdict.effect.value)
        if known and verdict.measure == drawing.measure:
            groups.setdefault((verdict.data, verdict.attack), []).append(verdict)
    for (data, attack), mine in groups.items():
        name = _name(recipe.name, drawing.kind, data, attack, drawing.measure)
        where = ", ".join(part for part in (data, attack) if part)
        yield name, f"{where}, effects on {title_of(drawing.measure)}", chart_svg(effects_chart(mine))


def _grouped(rows: Sequence[TidyRow]) -> dict[tuple[str, str], list[TidyRow]]:
    groups: dict[tuple[str, str], list[TidyRow]] = {}
    for row in rows:
        groups.setdefault((row["data"], row["attack"]), []).append(row)
    return groups


def _name(*parts: str) -> str:
    return slug("-".join(part for part in parts if part))


def line_chart(rows: Sequence[TidyRow]) -> Any:
    """A measure against β, a line for each model with its 95 % interval; a logarithmic axis for Δ.

    Args:
        rows: of one measure, data set and attack.
    """
    families = dict.fromkeys(str(row["family"]) for row in rows)
    style = Style({family: slot for slot, family in enumerate(families)}, legend=True)
    drawn = []
    for row in rows:
        ends = _ends(row)
        drawn.append({"model": row["family"], "x": float(row["beta"]), "y": row["value"], **ends})
    betas = sorted({float(row["beta"]) for row in rows})
    margin = 0.04 * (betas[-1] - betas[0] or 1.0)
    x = style.x("β", (betas[0] - margin, betas[-1] + margin), values=betas, format="~r")
    log = _logarithmic(rows)
    domain = None
    if log:
        lowest = min(float(row["low"]) for row in drawn)
        highest = max(float(row["high"]) for row in drawn)
        domain = (lowest / 1.3, highest * 1.3)
    y = style.y(_heading(rows[0]), domain, log=log)
    layers = [style.line(drawn, x, y), *style.whiskers(drawn, x, y), style.dots(drawn, x, y)]
    return style.finish(style.alt.layer(*layers))


def map_chart(rows: Sequence[TidyRow]) -> Any:
    """A measure over β and L: brighter is more robust, the number in each cell is the mean.

    Args:
        rows: of one measure, data set and attack; a row a cell.
    """
    style = Style({}, legend=False)
    alt = style.alt
    values = [float(row["value"]) for row in rows]
    reverse = rows[0]["better"] == "lower"
    drawn: list[Row] = []
    for row in rows:
        dark = _brightness(float(row["value"]), values, reverse) > DARK
        drawn.append(
            {
                "beta": f"{row['beta']:g}",
                "layers": f"{row['layers']}",
                "value": row["value"],
                "words": number(row["value"], digits=2),
                "ink": INK if dark else "#ffffff",
            }
        )
    betas = sorted({str(row["beta"]) for row in drawn}, key=float)
    layers = sorted({str(row["layers"]) for row in drawn}, key=int)
    title = f"L   ·   {_heading(rows[0])}"
    place = {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "end", "titleX": -10, "titleY": -10}
    x = alt.X("beta:O", sort=betas, axis=alt.Axis(title="β", labelAngle=0))
    y = alt.Y("layers:O", sort=layers[::-1], axis=alt.Axis(title=title, **place))
    kind = "log" if _logarithmic(rows) else "linear"
    scale = alt.Scale(type=kind, scheme=COLOURS, reverse=reverse, nice=False)
    cells = style.chart(drawn).mark_rect(aria=False)
    cells = cells.encode(x=x, y=y, color=alt.Color("value:Q", scale=scale, legend=None))
    texts = style.chart(drawn).mark_text(fontSize=13, aria=False)
    texts = texts.encode(x=x, y=y, text="words:N", color=alt.Color("ink:N", scale=None))
    chart = style.finish(alt.layer(cells, texts).resolve_scale(color="independent"))
    return chart.properties(width=min(WIDTH, 64 * len(betas)), height=min(HEIGHT, 40 * len(layers)))


def pareto_chart(rows: Sequence[TidyRow], others: Sequence[TidyRow]) -> Any:
    """A measure against the MSE, a point for each model: what robustness costs.

    Args:
        rows: of one measure, data set and attack.
        others: all rows of the data, those of the MSE among them.
    """
    errors = {row["label"]: row["value"] for row in others if row["measure"] == "mse"}
    style = Style({str(row["label"]): slot for slot, row in enumerate(rows)}, legend=True)
    drawn = []
    for row in rows:
        if row["label"] in errors:
            drawn.append({"model": row["label"], "x": errors[row["label"]], "y": row["value"], **_ends(row)})
    x = style.x(title_of("mse"), None, tickCount=5, format="~g")
    y = style.y(_heading(rows[0]), None)
    return style.finish(style.alt.layer(*style.whiskers(drawn, x, y), style.dots(drawn, x, y)))


def effects_chart(verdicts: Sequence[Verdict]) -> Any:
    """Effects by condition, in the colours of whose they are, with 95 % intervals and a line where there is none.

    Args:
        verdicts: of one measure, data set and attack, each with its `condition`.
    """
    first = verdicts[0]
    neutral = 1.0 if first.ratio else 0.0
    slots = {whose: slot for slot, whose in enumerate(dict.fromkeys(verdict.whose for verdict in verdicts))}
    conditions = list(dict.fromkeys(verdict.condition for verdict in verdicts))
    style = Style(slots, legend=True)
    rows: list[Row] = []
    for verdict in verdicts:
        rows.append({"model": verdict.whose, "condition": verdict.condition, **spot(verdict.effect)})
    domain = span([*rows, {"low": neutral, "high": neutral}])
    if first.ratio:
        lowest = min(float(row["low"]) for row in rows)
        highest = max(float(row["high"]) for row in rows)
        domain = (min(lowest, neutral) / 1.1, max(highest, neutral) * 1.1)
    x = partial(style.x, _difference(first), domain, log=first.ratio, tickCount=5, format="~r")
    none = style.chart([{"x": neutral}]).mark_rule(stroke=QUIET, strokeDash=[3, 3], aria=False).encode(x=x())
    spots = style.spots(rows, lambda field: x(field=field), "condition", conditions, grid=True)
    return style.finish(style.alt.layer(none, *spots)).properties(height=ROW * len(slots) * len(conditions))


def _difference(verdict: Verdict) -> str:
    kind = "difference"
    if verdict.ratio:
        kind = "ratio"
    elif verdict.unit:
        kind = f"difference in {verdict.unit}"
    better = measure_of(verdict.measure).better
    title = f"{title_of(verdict.measure)}: {kind}"
    if better:
        title += f" ({better}: more robust)"
    return title


def _ends(row: TidyRow) -> dict[str, Any]:
    """The ends of an interval, the value where there is none."""
    ends = {}
    for end in ("low", "high"):
        ends[end] = row["value"] if row[end] is None else row[end]
    return ends


def _heading(row: TidyRow) -> str:
    return with_unit(str(row["title"]), str(row["unit"]))


def _logarithmic(rows: Sequence[TidyRow]) -> bool:
    ends = [row[key] for row in rows for key in ("value", "low") if row[key] is not None]
    return str(rows[0]["measure"]).startswith("objective") and min(ends) > 0


def _brightness(value: float, values: Sequence[float], reverse: bool) -> float:
    low = min(values)
    high = max(values)
    if high == low:
        share = 0.0
    else:
        share = (value - low) / (high - low)
    return 1 - share if reverse else share


def _panels(recipe: Recipe, results: Results, images: Images) -> Iterator[Figure]:
    """Six panels of the first pair under each of the recipe's strongest attacks, a row for each model."""
    for attack in recipe.attacks:
        trials = _trials(recipe, results, images, attack)
        if attack.solver != "cold" and trials:
            group = Group(attack.objective, f"{images.label}: {words(attack)}", trials)
            yield _picture(recipe, images, f"panels-{attack.objective}", pictures_svg(panels(group, 0)))


def _reconstructions(recipe: Recipe, results: Results, images: Images) -> Iterator[Figure]:
    """The first sources of the pairs, and what each model makes of them."""
    trials = _trials(recipe, results, images, recipe.attacks[0])
    if not trials:
        return
    rows = [("original", trials[0].result.source)]
    for trial in trials:
        rows.append((trial.label, trial.attacked.assessment.source_reconstruction))
    tiles = []
    for label, shown in rows:
        tiles.append((label, [pixels(unit(image, trials[0].bounds)) for image in shown[:SHOWN]]))
    svg = pictures_svg(reconstructions(f"{images.label}: reconstructions", tiles))
    yield _picture(recipe, images, "reconstructions", svg)


def _traversals(recipe: Recipe, results: Results, images: Images) -> Iterator[Figure]:
    """Every layer of every model."""
    for grid in grids(_first(recipe, results, images, "traversals")):
        yield _picture(recipe, images, grid.key, pictures_svg(grid_pictures(grid)))


def _noise(recipe: Recipe, results: Results, images: Images) -> Iterator[Figure]:
    """Smoothed histograms of log p(x|z*) at each scale of the noise, of the smallest and the largest β."""
    scale = results.scale
    ends = {point: attacks for point, attacks in recipe.runs.items() if point.beta in (scale.betas[0], scale.high)}
    records = _first(replace(recipe, runs=ends), results, images, "noise")
    if records:
        yield _picture(recipe, images, "histograms", chart_svg(noise_chart(records)))


PICTURES = {"panels": _panels, "reconstructions": _reconstructions, "traversals": _traversals}


def _picture(recipe: Recipe, images: Images, key: str, svg: str) -> Figure:
    return _name(recipe.name, images.label, key), f"{images.label}, {key.replace('-', ' ')}", svg


def _trials(recipe: Recipe, results: Results, images: Images, attack: AttackSpec) -> tuple[Trial, ...]:
    found: list[Trial] = []
    for record in _first(recipe, results, images):
        if attack.name in record.attacks:
            found.append(Trial(record, len(found), attack.name))
    return tuple(found)


def _first(recipe: Recipe, results: Results, images: Images, measured: str = "") -> list[Record]:
    """The first run of each point, where something was measured."""
    found = []
    for point in recipe.runs:
        for record in results.records(images, point)[:1]:
            if not measured or record.measured.get(measured):
                found.append(replace(record, label=point.label))
    return found


def shown_data(images: Sequence[Images], hidden: Collection[str]) -> list[Images]:
    """The data whose images may be shown."""
    return [each for each in images if each.label not in hidden]
