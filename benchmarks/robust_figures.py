"""Figures of docs/robust.md, in the style of the report's charts."""

from pathlib import Path

from robust import load
from robust_runs import SHARES, Run, Runs, stacked
from torch import Tensor

from seatbelt_vae.attacks import reconstruct
from seatbelt_vae.data import ImageDataset, pairs
from seatbelt_vae.metrics import interval
from seatbelt_vae.pixels import pixels, unit
from seatbelt_vae.report.chart_style import Layer, Row, Style, chart, span, x_axis, y_axis
from seatbelt_vae.report.export import chart_svg
from seatbelt_vae.report.pictures import PictureRow, Pictures, pictures_svg
from seatbelt_vae.storage import read_tensors

FIVE_PERCENT = 1
TEN_PERCENT = 2
SIDE = 80.0
"""Points of a picture."""
ROWS = 4
FAR = 1.5
"""Times a plain VAE's error, beyond which a model has no place in the figure."""
FAMILIES = {
    "plain": "plain",
    "adversarial": "adversarial",
    "denoising": "denoising",
    "smooth": "smooth encoder",
    "avae": "AVAE",
    "both": "adversarial and smooth",
}
ORDER = ("plain", "adversarial, MSE held", "adversarial", "denoising", "smooth encoder")
"""Those that have the same colour in every figure."""


def family(run: Run) -> str:
    """Which way of training, in words."""
    words = FAMILIES[run.inner]
    if run.record["method"] == "held":
        return f"{words}, MSE held"
    return words


def pareto_figure(runs: Runs, data: str) -> str:
    """Damage at 5 % against the MSE: a point for each VAE of a data set, but for those that reconstruct far worse."""
    rows: list[Row] = []
    for run in runs:
        plain = runs.plain_of(run) or run
        if run.data == data and run.record["model"] == "vae" and run.record["mse"] < FAR * plain.record["mse"]:
            found = interval(run.each("damage_each")[:, FIVE_PERCENT])
            ends: Row = {"y": found.value, "low": found.low, "high": found.high}
            rows.append({"model": family(run), "x": 1000 * run.record["mse"], **ends})
    present = {str(row["model"]) for row in rows}
    order = [*ORDER, *sorted(present - set(ORDER))]
    style = Style({name: slot for slot, name in enumerate(order) if name in present}, legend=True)
    places: list[Row] = [{"low": row["x"], "high": row["x"]} for row in rows]
    top = max(float(row["high"]) for row in rows)
    x = x_axis("mean squared error of held-out images, 10⁻³", span(places), tickCount=5)
    y = y_axis(f"damage within 5 % of the median distance, {data}", (0, 1.05 * top))
    return drawn([*style.yardsticks(identity(runs, data, rows), x, y), *style.marks(rows, x, y, "rule", "point")])


def identity(runs: Runs, data: str, rows: list[Row]) -> list[Row]:
    """The damage of a perfect autoencoder, which is the radius, from the left end to the right."""
    run = next(run for run in runs if run.data == data)
    radius = SHARES[FIVE_PERCENT] * float(run.record["apart"])
    ends = [float(row["x"]) for row in rows]
    return [{"model": "identity", "x": end, "y": radius} for end in (min(ends), max(ends))]


def curve_figure(runs: Runs, data: str, key: str, title: str, column: int | None = None) -> str:
    """A measure against training steps, of the plain and the robust model that were measured on their way."""
    rows: list[Row] = []
    names = {"VAE": "plain", "robust VAE": "adversarial"}
    for name, training in names.items():
        for step, run in runs.points(f"{data}-burgess-{training}").items():
            found = interval(stacked([run], key, column))
            ends: Row = {"y": found.value, "low": found.low, "high": found.high}
            rows.append({"model": name, "x": step, **ends})
    style = Style({name: slot for slot, name in enumerate(names)}, legend=True)
    x = x_axis("training steps", (0, max(float(row["x"]) for row in rows) * 1.05), tickCount=5)
    y = y_axis(title, (0, 1.05 * max(float(row["high"]) for row in rows)))
    return drawn(style.marks(rows, x, y, "line", "rule", "point"))


def drawn(layers: list[Layer]) -> str:
    """Layers as an SVG."""
    return chart_svg(chart(layers))


def panels_figure(runs: Runs, folder: Path, name: str, images: ImageDataset) -> str:
    """Images of a data set, their worst at 10 % distortion for either model, and what it makes of them, as an SVG."""
    _, plain, robust = next(each for each in runs.strong() if each[0] == name)
    source = pairs(images.split(0.1, 0).test, ROWS, 0).source
    columns: list[Tensor] = []
    heads: list[str] = []
    for title, run in (("VAE", plain[0]), ("robust VAE", robust[0])):
        model = load(folder / run.name, images.image_shape)
        worst = worst_images(folder, run)[:ROWS]
        columns += [source, reconstruct(model, source), worst, reconstruct(model, worst)]
        heads += [f"{title}: x", "rec(x)", "x*", "rec(x*)"]
    rows = []
    for place in range(ROWS):
        tiles = [pixels(unit(column[place], (0.0, 1.0))) for column in columns]
        rows.append(PictureRow("", tuple(tiles)))
    title = "images and their worst images at 10 % distortion"
    return pictures_svg(Pictures(title, tuple(rows), heads=tuple(heads), side=SIDE, left=0))


def worst_images(folder: Path, run: Run) -> Tensor:
    """The worst images of the run's own search at 10 %, (P, C, H, W)."""
    (path,) = sorted((folder / "strong").glob(f"{run.name}.restarts*.safetensors"))[-1:]
    return read_tensors(path)["adversarial"][:, TEN_PERCENT]
