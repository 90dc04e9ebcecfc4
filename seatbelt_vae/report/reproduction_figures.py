"""The figures of a reproduction: lines over β, effects by condition, and pictures."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from seatbelt_vae.experiments import AttackSpec, Record
from seatbelt_vae.experiments.table import measure_of
from seatbelt_vae.report.chart_style import WIDTH, Channel, Row, Style, at, chart, ends, layer, span, x_axis, y_axis
from seatbelt_vae.report.export import chart_svg
from seatbelt_vae.report.formats import slug, with_unit
from seatbelt_vae.report.group import Group, Trial
from seatbelt_vae.report.palette import QUIET
from seatbelt_vae.report.panels import grids, panels, reconstructions
from seatbelt_vae.report.pictures import Pictures, pictures_svg
from seatbelt_vae.reproduction import Images, Recipe, Results, Verdict, title_of, words

TidyRow = Mapping[str, Any]

Figure = tuple[str, str, str]
"""Its name among the files, a caption, and the SVG."""

ROW = 14
"""Points for each dot of a chart of effects."""


def figures(
    recipe: Recipe,
    drawings: Iterable[Sequence[str]],
    results: Results,
    images: Images,
    rows: Sequence[TidyRow],
    verdicts: Sequence[Verdict],
) -> Iterator[Figure]:
    """Draw a recipe."""
    for kind, *of in drawings:
        if kind in PICTURES:
            for key, figure in PICTURES[kind](recipe, results, images):
                name = slug(f"{recipe.name}-{images.label}-{key}")
                yield name, f"{images.label}, {key.replace('-', ' ')}", pictures_svg(figure)
            continue
        (measure,) = of
        title = title_of(measure)
        draw = line_chart
        wanted = [row for row in rows if row["measure"] == measure]
        if kind == "effects":
            title = f"effects on {title}"
            draw = effects_chart
            wanted = [each.plain() for each in verdicts if each.condition and each.measure == measure]
        for attack, mine in _by_attack(row for row in wanted if row["value"] is not None).items():
            caption = ", ".join(filter(None, (images.label, attack, title)))
            name = "-".join(filter(None, (recipe.name, kind, images.label, attack, measure)))
            yield slug(name), caption, chart_svg(draw(mine))


def _by_attack(rows: Iterable[TidyRow]) -> dict[str, list[TidyRow]]:
    found: dict[str, list[TidyRow]] = {}
    for row in rows:
        found.setdefault(row["attack"], []).append(row)
    return found


def line_chart(rows: Sequence[TidyRow]) -> dict[str, Any]:
    """A measure against β, a line for each model with its 95 % interval; a logarithmic axis for Δ."""
    drawn: list[Row] = []
    for row in rows:
        drawn.append({"model": row["family"], "x": float(row["beta"]), **_spot(row, "y")})
    betas = sorted({float(row["beta"]) for row in rows})
    margin = 0.04 * (betas[-1] - betas[0] or 1.0)
    x = x_axis("β", (betas[0] - margin, betas[-1] + margin), values=betas, format="~r")
    y = y_axis(_heading(rows[0]))
    if rows[0]["measure"].startswith("objective") and min(float(row["low"]) for row in drawn) > 0:
        y = y_axis(_heading(rows[0]), _around(drawn, 1.3), log=True)
    return chart(_style(drawn).marks(drawn, x, y, "line", "rule", "point"))


def effects_chart(rows: Sequence[TidyRow]) -> dict[str, Any]:
    """Effects by condition, in the colours of whose they are, with 95 % intervals and a line where there is none."""
    ratio = rows[0]["ratio"]
    drawn: list[Row] = [{"model": row["whose"], "condition": row["condition"], **_spot(row, "x")} for row in rows]
    none: Row = {"x": float(ratio), "low": float(ratio), "high": float(ratio)}
    domain = span([*drawn, none])
    if ratio:
        domain = _around([*drawn, none], 1.1)
    x = x_axis(_difference(rows[0]), domain, log=ratio, tickCount=5, format="~r")
    style = _style(drawn)
    conditions = list(dict.fromkeys(row["condition"] for row in drawn))
    axis = {"title": None, "grid": True, "labelLimit": WIDTH, "domain": False, "ticks": False}
    both: dict[str, Channel] = {
        "y": {"field": "condition", "type": "nominal", "sort": conditions, "axis": axis},
        "yOffset": {"field": "model", "type": "nominal", "sort": list(style.slots)},
        "color": style.colour,
    }
    layers = [
        layer([none], "rule", {"stroke": QUIET, "strokeDash": [3, 3]}, x=at(x, "x")),
        layer(drawn, "rule", {"strokeWidth": 1.4}, **both, x=at(x, "low"), x2={"field": "high"}),
        layer(drawn, "point", {"filled": True, "size": 60, "opacity": 1}, **both, x=at(x, "x")),
    ]
    return chart(layers, height=ROW * len(style.slots) * len(conditions))


def _difference(row: TidyRow) -> str:
    title = f"{title_of(row['measure'])}: "
    if row["ratio"]:
        title += "ratio"
    elif row["unit"]:
        title += f"difference in {row['unit']}"
    else:
        title += "difference"
    if better := measure_of(row["measure"]).better:
        title += f" ({better}: more robust)"
    return title


def _style(rows: Sequence[Row]) -> Style:
    """A colour for each model, in their order."""
    names = dict.fromkeys(str(row["model"]) for row in rows)
    return Style({name: slot for slot, name in enumerate(names)}, legend=True)


def _spot(row: TidyRow, field: str) -> Row:
    value: float = row["value"]
    return {field: value, **ends(value, row["low"], row["high"])}


def _around(rows: Sequence[Row], factor: float) -> tuple[float, float]:
    """The ends of a logarithmic axis on which all intervals have room."""
    return min(float(row["low"]) for row in rows) / factor, max(float(row["high"]) for row in rows) * factor


def _heading(row: TidyRow) -> str:
    return with_unit(row["title"], row["unit"])


Named = tuple[str, Pictures]
"""What a figure is called among the files, and what it shows."""


def panels_figures(recipe: Recipe, results: Results, images: Images) -> Iterator[Named]:
    """Six panels of the first pair under each of the recipe's strongest attacks, a row for each model."""
    for attack in recipe.attacks:
        trials = _trials(recipe, results, images, attack)
        if trials and attack.solver != "cold":
            group = Group(attack.objective, f"{images.label}: {words(attack)}", trials)
            yield f"panels-{attack.objective}", panels(group, 0)


def reconstruction_figures(recipe: Recipe, results: Results, images: Images) -> Iterator[Named]:
    """The first sources of the pairs, and what each model makes of them."""
    trials = _trials(recipe, results, images, recipe.attacks[0])
    if trials:
        yield "reconstructions", reconstructions(f"{images.label}: reconstructions", trials)


def traversal_figures(recipe: Recipe, results: Results, images: Images) -> Iterator[Named]:
    """Every layer of every model."""
    for grid in grids(_first(recipe, results, images)):
        yield grid.key, grid.pictures


PICTURES: dict[str, Callable[[Recipe, Results, Images], Iterator[Named]]] = {
    "panels": panels_figures,
    "reconstructions": reconstruction_figures,
    "traversals": traversal_figures,
}
"""Pictures of runs, by kind."""


def _trials(recipe: Recipe, results: Results, images: Images, attack: AttackSpec) -> tuple[Trial, ...]:
    attacked = [record for record in _first(recipe, results, images) if attack.name in record.attacks]
    return tuple(Trial(record, attack.name, slot) for slot, record in enumerate(attacked))


def _first(recipe: Recipe, results: Results, images: Images) -> list[Record]:
    """The first run of each point."""
    found = []
    for point in recipe.runs:
        for record in results.records(images, point)[:1]:
            found.append(replace(record, label=point.label))
    return found
