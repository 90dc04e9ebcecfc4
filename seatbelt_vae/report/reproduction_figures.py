"""The figures of a reproduction: lines over β, maps over β × L, effects by condition, costs, and pictures."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from seatbelt_vae.experiments import AttackSpec, Record
from seatbelt_vae.experiments.table import measure_of
from seatbelt_vae.report.chart_style import HEIGHT, WIDTH, Row, Style, span, spot
from seatbelt_vae.report.export import chart_svg
from seatbelt_vae.report.formats import number, with_unit
from seatbelt_vae.report.group import Group, Trial
from seatbelt_vae.report.kind import slug
from seatbelt_vae.report.noise import noise_chart
from seatbelt_vae.report.palette import INK, QUIET
from seatbelt_vae.report.panels import panels, reconstructions
from seatbelt_vae.report.pictures import pictures_svg
from seatbelt_vae.report.traversals import grids
from seatbelt_vae.reproduction import Images, Recipe, Results, Verdict, title_of, words

TidyRow = Mapping[str, Any]

Figure = tuple[str, str, str]
"""Its name among the files, a caption, and the SVG."""

COLOURS = "viridis"
DARK = 0.55
"""Share of the colours' range above which a cell is light, and its number dark."""

ROW = 14
"""Points for each dot of a chart of effects."""


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
    for kind, *of in recipe.drawings:
        if kind in PICTURES:
            if kind == "noise" or not hidden:
                yield from _pictures(recipe, results, images, kind)
            continue
        (measure,) = of
        title = title_of(measure)
        if kind == "effects":
            title = f"effects on {title}"
        for attack, chart in _charts(kind, measure, rows, verdicts):
            caption = ", ".join(_said(images.label, attack, title))
            name = "-".join(_said(recipe.name, kind, images.label, attack, measure))
            yield slug(name), caption, chart_svg(chart)


def _pictures(recipe: Recipe, results: Results, images: Images, kind: str) -> Iterator[Figure]:
    for key, svg in PICTURES[kind](recipe, results, images):
        yield slug(f"{recipe.name}-{images.label}-{key}"), f"{images.label}, {key.replace('-', ' ')}", svg


def _charts(
    kind: str,
    measure: str,
    rows: Sequence[TidyRow],
    verdicts: Sequence[Verdict],
) -> Iterator[tuple[str, Any]]:
    """A chart for each attack."""
    if kind == "effects":
        for attack, found in _effects(measure, verdicts).items():
            yield attack, effects_chart(found)
        return
    groups: dict[str, list[TidyRow]] = {}
    for row in rows:
        if row["measure"] == measure:
            groups.setdefault(row["attack"], []).append(row)
    for attack, mine in groups.items():
        if kind == "lines":
            yield attack, line_chart(mine)
        elif kind == "map":
            yield attack, map_chart([row for row in mine if row["model"] != "beta-tcdlgm"])
        else:
            yield attack, pareto_chart(mine, _values(rows, "mse"))


def _effects(measure: str, verdicts: Sequence[Verdict]) -> dict[str, list[Verdict]]:
    """What is known of a measure under some condition, by attack."""
    groups: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        known = verdict.condition and not math.isnan(verdict.effect.value)
        if known and verdict.measure == measure:
            groups.setdefault(verdict.attack, []).append(verdict)
    return groups


def _values(rows: Sequence[TidyRow], measure: str) -> dict[str, float]:
    """The values of a measure by the models' labels."""
    return {row["label"]: row["value"] for row in rows if row["measure"] == measure}


def _said(*words: str) -> list[str]:
    return [word for word in words if word]


def _slots(names: Iterable[str]) -> dict[str, int]:
    """A colour for each name, in their order."""
    return {name: slot for slot, name in enumerate(dict.fromkeys(names))}


def line_chart(rows: Sequence[TidyRow]) -> Any:
    """A measure against β, a line for each model with its 95 % interval; a logarithmic axis for Δ.

    Args:
        rows: of one measure, data set and attack.
    """
    drawn: list[Row] = []
    for row in rows:
        drawn.append({"model": row["family"], "x": float(row["beta"]), **_heights(row)})
    style = Style(_slots(str(row["model"]) for row in drawn), legend=True)
    betas = sorted({float(row["beta"]) for row in rows})
    margin = 0.04 * (betas[-1] - betas[0] or 1.0)
    x = style.x("β", (betas[0] - margin, betas[-1] + margin), values=betas, format="~r")
    log = _logarithmic(rows)
    domain = None
    if log:
        domain = _around(drawn, 1.3)
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
        ink = INK if _brightness(row["value"], values, reverse) > DARK else "#ffffff"
        place = {"beta": f"{row['beta']:g}", "layers": f"{row['layers']}"}
        drawn.append({**place, "value": row["value"], "words": number(row["value"], digits=2), "ink": ink})
    betas = sorted({str(row["beta"]) for row in drawn}, key=float)
    layers = sorted({str(row["layers"]) for row in drawn}, key=int)
    above = {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "end", "titleX": -10, "titleY": -10}
    x = alt.X("beta:O", sort=betas, axis=alt.Axis(title="β", labelAngle=0))
    y = alt.Y("layers:O", sort=layers[::-1], axis=alt.Axis(title=f"L   ·   {_heading(rows[0])}", **above))
    kinds = {True: "log", False: "linear"}
    scale = alt.Scale(type=kinds[_logarithmic(rows)], scheme=COLOURS, reverse=reverse, nice=False)
    cells = style.chart(drawn).mark_rect(aria=False)
    cells = cells.encode(x=x, y=y, color=alt.Color("value:Q", scale=scale, legend=None))
    texts = style.chart(drawn).mark_text(fontSize=13, aria=False)
    texts = texts.encode(x=x, y=y, text="words:N", color=alt.Color("ink:N", scale=None))
    chart = style.finish(alt.layer(cells, texts).resolve_scale(color="independent"))
    return chart.properties(width=min(WIDTH, 64 * len(betas)), height=min(HEIGHT, 40 * len(layers)))


def pareto_chart(rows: Sequence[TidyRow], errors: Mapping[str, float]) -> Any:
    """A measure against the MSE, what robustness costs: a point for each model and way of training it.

    Args:
        rows: of one measure, data set and attack.
        errors: the MSE by label; a model without one is left out.
    """
    drawn: list[Row] = []
    for row in rows:
        if row["label"] in errors:
            model, _, way = str(row["label"]).partition(", ")
            drawn.append({"model": model, "way": way or "plain", "x": errors[row["label"]], **_heights(row)})
    style = Style(_slots(str(row["model"]) for row in drawn), legend=True)
    places: list[Row] = [{"low": row["x"], "high": row["x"]} for row in drawn]
    x = style.x(title_of("mse"), span(places), tickCount=5, format="~g")
    y = style.y(_heading(rows[0]), span(drawn))
    legend = style.alt.Legend(title=None, orient="bottom", columns=1, labelLimit=WIDTH, symbolFillColor=QUIET)
    shape = style.alt.Shape("way:N", sort=None, legend=legend)
    points = style.chart(drawn).mark_point(filled=True, size=60, opacity=1, aria=False)
    points = points.encode(x=x, y=style.alt.Y("y:Q", **y), color=style.colour(), shape=shape)
    return style.finish(style.alt.layer(*style.whiskers(drawn, x, y), points))


def effects_chart(verdicts: Sequence[Verdict]) -> Any:
    """Effects by condition, in the colours of whose they are, with 95 % intervals and a line where there is none.

    Args:
        verdicts: of one measure, data set and attack, each with its `condition`.
    """
    first = verdicts[0]
    neutral = float(first.ratio)
    slots = _slots(verdict.whose for verdict in verdicts)
    conditions = list(_slots(verdict.condition for verdict in verdicts))
    style = Style(slots, legend=True)
    rows: list[Row] = []
    for verdict in verdicts:
        rows.append({"model": verdict.whose, "condition": verdict.condition, **spot(verdict.effect)})
    ends: list[Row] = [*rows, {"low": neutral, "high": neutral}]
    domain = span(ends)
    if first.ratio:
        domain = _around(ends, 1.1)
    x = partial(style.x, _difference(first), domain, log=first.ratio, tickCount=5, format="~r")
    none = style.chart([{"x": neutral}]).mark_rule(stroke=QUIET, strokeDash=[3, 3], aria=False).encode(x=x())
    spots = style.spots(rows, lambda field: x(field=field), "condition", conditions, grid=True)
    return style.finish(style.alt.layer(none, *spots)).properties(height=ROW * len(slots) * len(conditions))


def _difference(verdict: Verdict) -> str:
    title = f"{title_of(verdict.measure)}: "
    if verdict.ratio:
        title += "ratio"
    elif verdict.unit:
        title += f"difference in {verdict.unit}"
    else:
        title += "difference"
    if better := measure_of(verdict.measure).better:
        title += f" ({better}: more robust)"
    return title


def _heights(row: TidyRow) -> dict[str, Any]:
    """The value and the ends of its interval; they are the value where there is none."""
    value = row["value"]
    found = {"y": value, "low": value, "high": value}
    for end in ("low", "high"):
        if row[end] is not None:
            found[end] = row[end]
    return found


def _around(rows: Sequence[Row], factor: float) -> tuple[float, float]:
    """The ends of a logarithmic axis on which all intervals have room."""
    return min(float(row["low"]) for row in rows) / factor, max(float(row["high"]) for row in rows) * factor


def _heading(row: TidyRow) -> str:
    return with_unit(str(row["title"]), str(row["unit"]))


def _logarithmic(rows: Sequence[TidyRow]) -> bool:
    ends = [row[key] for row in rows for key in ("value", "low") if row[key] is not None]
    return str(rows[0]["measure"]).startswith("objective") and min(ends) > 0


def _brightness(value: float, values: Sequence[float], reverse: bool) -> float:
    low = min(values)
    high = max(values)
    if high == low:
        return float(reverse)
    share = (value - low) / (high - low)
    if reverse:
        return 1 - share
    return share


Named = tuple[str, str]
"""What a figure is called among the files, and its SVG."""


def panels_figures(recipe: Recipe, results: Results, images: Images) -> Iterator[Named]:
    """Six panels of the first pair under each of the recipe's strongest attacks, a row for each model."""
    for attack in recipe.attacks:
        trials = _trials(recipe, results, images, attack)
        if trials and attack.solver != "cold":
            group = Group(attack.objective, f"{images.label}: {words(attack)}", trials)
            yield f"panels-{attack.objective}", pictures_svg(panels(group, 0))


def reconstruction_figures(recipe: Recipe, results: Results, images: Images) -> Iterator[Named]:
    """The first sources of the pairs, and what each model makes of them."""
    trials = _trials(recipe, results, images, recipe.attacks[0])
    if trials:
        yield "reconstructions", pictures_svg(reconstructions(f"{images.label}: reconstructions", trials))


def traversal_figures(recipe: Recipe, results: Results, images: Images) -> Iterator[Named]:
    """Every layer of every model."""
    for grid in grids(_first(recipe, results, images)):
        yield grid.key, pictures_svg(grid.pictures)


def noise_figures(recipe: Recipe, results: Results, images: Images) -> Iterator[Named]:
    """Smoothed histograms of log p(x|z*) at each scale of the noise, of the smallest and the largest β."""
    ends = results.scale.betas[0], results.scale.high
    runs = {point: attacks for point, attacks in recipe.runs.items() if point.beta in ends}
    records = _first(replace(recipe, runs=runs), results, images)
    if records:
        yield "histograms", chart_svg(noise_chart(records))


PICTURES: dict[str, Callable[[Recipe, Results, Images], Iterator[Named]]] = {
    "panels": panels_figures,
    "reconstructions": reconstruction_figures,
    "traversals": traversal_figures,
    "noise": noise_figures,
}
"""Pictures of runs, by kind."""


def _trials(recipe: Recipe, results: Results, images: Images, attack: AttackSpec) -> tuple[Trial, ...]:
    attacked = [record for record in _first(recipe, results, images) if attack.name in record.attacks]
    return tuple(Trial(record, slot, attack.name) for slot, record in enumerate(attacked))


def _first(recipe: Recipe, results: Results, images: Images) -> list[Record]:
    """The first run of each point."""
    found = []
    for point in recipe.runs:
        for record in results.records(images, point)[:1]:
            found.append(replace(record, label=point.label))
    return found
