"""The pictures of a reproduction: six panels, reconstructions, noise, traversals, of each model's first run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from torch import Tensor

from seatbelt_vae.experiments import Assessment, AttackSpec, RunFolder
from seatbelt_vae.experiments.recipes import Recipe, Results
from seatbelt_vae.experiments.recipes.attacks import PATH, words
from seatbelt_vae.experiments.recipes.point import Point
from seatbelt_vae.report.export import SCALE, chart_svg, typeset
from seatbelt_vae.report.images import Pixels, data_uri, encoded, enlarge, pixels, unit
from seatbelt_vae.report.noise import noise_chart
from seatbelt_vae.report.palette import FONT
from seatbelt_vae.report.panel_drawing import panels_svg
from seatbelt_vae.report.panels import panels
from seatbelt_vae.report.runs import Comparison, ReportRun, Trial
from seatbelt_vae.report.traversals import grid_svg, grids

SHOWN = 8  # images in a row of reconstructions
TILE, GAP, LABEL = 56, 4, 150  # points

Named = tuple[str, str]
"""What a figure is called among the files, and its SVG."""


def panels_figures(recipe: Recipe, results: Results, data: str) -> Iterator[Named]:
    """Six panels of the first pair under each of the recipe's strongest attacks, a row for each model."""
    for attack in recipe.all_attacks(results.scale):
        trials = _trials(recipe, results, data, attack)
        if attack.solver == PATH and trials:
            comparison = Comparison(attack.mode, f"{data}: {words(attack)}", trials)
            yield f"panels-{attack.mode}", panels_svg(panels(comparison, 0))


def reconstruction_figures(recipe: Recipe, results: Results, data: str) -> Iterator[Named]:
    """The first sources of the pairs, and what each model makes of them."""
    for attack in recipe.all_attacks(results.scale)[:1]:
        trials = _trials(recipe, results, data, attack)
        if trials:
            first = trials[0]
            rows = [("original", _tiles(first.result.source, first.bounds))]
            rows += [(t.label, _tiles(t.assessment.source_reconstruction, t.bounds)) for t in trials]
            yield "reconstructions", rows_svg(f"{data}: reconstructions", rows)


def noise_figures(recipe: Recipe, results: Results, data: str) -> Iterator[Named]:
    """Smoothed histograms of log p(x|z*) at each scale of the noise, of the smallest and the largest β."""
    scale = results.scale
    chosen = [point for point in recipe.points(scale) if point.beta in (scale.betas[0], scale.high)]
    if runs := _measured(results, data, chosen, "noise"):
        yield "histograms", chart_svg(noise_chart(runs))


def traversal_figures(recipe: Recipe, results: Results, data: str) -> Iterator[Named]:
    """Every layer of every model."""
    for grid in grids(_measured(results, data, recipe.points(results.scale), "traversals")):
        yield grid.key, grid_svg(grid)


def rows_svg(title: str, rows: Sequence[tuple[str, Sequence[Pixels]]]) -> str:
    """Rows of pictures, each with its name at the left; every pixel a crisp square.

    Args:
        title: of the figure.
        rows: name and pictures.
    """
    count = max(len(tiles) for _, tiles in rows)
    width, height = LABEL + count * (TILE + GAP) - GAP, len(rows) * (TILE + GAP) - GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' font-family="{FONT}" font-size="11" fill="#111">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for place, (label, tiles) in enumerate(rows):
        top = place * (TILE + GAP)
        parts.append(f'<text x="0" y="{top + TILE / 2 + 4:g}">{escape(label)}</text>')
        parts += [
            f'<image x="{LABEL + column * (TILE + GAP)}" y="{top}" width="{TILE}" height="{TILE}"'
            f' image-rendering="optimizeSpeed" href="{data_uri(encoded(enlarge(tile, TILE * SCALE)))}"/>'
            for column, tile in enumerate(tiles)
        ]
    return typeset("\n".join([*parts, "</svg>"]))


def _tiles(images: Tensor, bounds: tuple[float, float]) -> list[Pixels]:
    return [pixels(unit(image, bounds)) for image in images[:SHOWN]]


def _trials(recipe: Recipe, results: Results, data: str, attack: AttackSpec) -> tuple[Trial, ...]:
    found: list[Trial] = []
    for point in recipe.points(results.scale):
        folders = results.folders(data, point)
        if folders and attack.name in folders[0].attacks:
            result, assessment = folders[0].attack(attack.name)
            assert isinstance(assessment, Assessment)
            found.append(Trial(_run(folders[0], point.label), len(found), result, assessment))
    return tuple(found)


def _measured(results: Results, data: str, points: Sequence[Point], name: str) -> list[ReportRun]:
    """The first run of each point, where that was measured."""
    first = [(point, results.folders(data, point)[0]) for point in points if results.seeds(data, point)]
    return [_run(folder, point.label, (name,)) for point, folder in first if folder.measured(name)]


def _run(folder: RunFolder, label: str, measured: tuple[str, ...] = ()) -> ReportRun:
    return ReportRun(
        name=folder.name,
        label=label,
        spec=folder.spec.model_dump(mode="json", exclude_none=True),
        evaluation=folder.evaluation,
        history=(),
        attacks=(),
        measured={name: folder.measured(name) for name in measured},
    )
