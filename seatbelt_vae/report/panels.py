"""The six pictures of Fig 1 of an attack, what models make of images, and traversals of their latents."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from seatbelt_vae.experiments import Record
from seatbelt_vae.pixels import Pixels, data_uri, pixels, unit
from seatbelt_vae.report.formats import budget_text, number
from seatbelt_vae.report.group import Group, Trial
from seatbelt_vae.report.images import display_gain, distortion_pixels, mosaic
from seatbelt_vae.report.kind import layer_name
from seatbelt_vae.report.palette import colour_of
from seatbelt_vae.report.pictures import PictureRow, Pictures

TITLES = ("Original x", "Reconstruction", "Adversarial x*", "Distortion d", "Reconstruction of x*", "Target xₜ")

SHOWN = 8
"""Images in a row of reconstructions."""

ENDS = ("−3 s.d.", "mean", "+3 s.d.")


def panels(group: Group, pair: int, shown: Sequence[int] = ()) -> Pictures:
    """The six pictures of one pair under one attack, a row for each model.

    Args:
        group: the attack on each model.
        pair: which pair, from 0.
        shown: the index of the budget shown, for each model; by default the one of the paper's rule: the largest λ
            that gave the smallest Δ above the mean Δ over λ.

    Returns:
        The figure; distortions share one gain, the largest power of two at which none saturates.

    Raises:
        IndexError: there is no such pair.
    """
    places = shown or [int(trial.attacked.shown[pair]) for trial in group.trials]
    distortions = []
    for trial, place in zip(group.trials, places, strict=True):
        distortions.append(_distortion(trial, pair, place))
    gain = display_gain(np.stack(distortions))
    rows = []
    for trial, place in zip(group.trials, places, strict=True):
        tiles = tuple(_six(trial, pair, place, gain))
        lines = tuple(_numbers(group, trial, pair, place))
        rows.append(PictureRow(trial.label, tiles, lines, colour_of(trial.slot)))
    title = f"{group.title}, pair {pair + 1}"
    return Pictures(title, tuple(rows), heads=TITLES, gain=gain, scaled=TITLES.index("Distortion d"))


def _distortion(trial: Trial, pair: int, place: int) -> NDArray[np.float64]:
    original = unit(trial.result.source[pair], trial.bounds)
    adversarial = unit(trial.result.adversarial[pair, place], trial.bounds)
    return adversarial - original


def _six(trial: Trial, pair: int, place: int, gain: float) -> Iterator[Pixels]:
    result = trial.result
    seen = trial.attacked.assessment
    yield _tile(trial, result.source[pair])
    yield _tile(trial, seen.source_reconstruction[pair])
    yield _tile(trial, result.adversarial[pair, place])
    yield distortion_pixels(_distortion(trial, pair, place), gain)
    yield _tile(trial, seen.adversarial_reconstruction[pair, place])
    yield _tile(trial, result.target[pair])


def _tile(trial: Trial, image: Tensor) -> Pixels:
    return pixels(unit(image, trial.bounds))


def _numbers(group: Group, trial: Trial, pair: int, place: int) -> Iterator[str]:
    """What the attack gained, a few short lines."""

    def value(key: str) -> float:
        return float(group.values(trial, key)[pair, place])

    yield f"{group.symbol} = {budget_text(group.symbol, group.budgets[place])}"
    yield f"‖d‖ = {number(value('distortion'))}"
    yield f"‖d‖/‖x − xₜ‖ = {number(value('relative_distortion'))}"
    yield f"success = {number(value('success'), 0.05)}"


def reconstructions(title: str, trials: Sequence[Trial]) -> Pictures:
    """The first sources of the pairs, and what each model makes of them."""
    first = trials[0]
    rows = [_row("original", first, first.result.source)]
    for trial in trials:
        rows.append(_row(trial.label, trial, trial.attacked.assessment.source_reconstruction))
    return Pictures(title, tuple(rows), side=56, gap=4)


def _row(label: str, trial: Trial, images: Tensor) -> PictureRow:
    return PictureRow(label, tuple(_tile(trial, image) for image in images[:SHOWN]))


@dataclass(frozen=True, eq=False)
class Grid:
    """One model's traversal of one layer.

    Args:
        key: a name for files.
        slot: the model's place in the report.
        pictures: a row for each of the most active dimensions.
    """

    key: str
    slot: int
    pictures: Pictures

    @property
    def title(self) -> str:
        """The model and the layer."""
        return self.pictures.title

    @property
    def sheet(self) -> Pixels:
        """All pictures in one."""
        rows = self.pictures.rows
        return mosaic([tile for row in rows for tile in row.tiles], len(rows[0].tiles), gap=2)

    @property
    def uri(self) -> str:
        """The same, small enough for a page."""
        return data_uri(self.sheet, "WEBP", quality=78, method=6)


def grids(records: Sequence[Record]) -> list[Grid]:
    """Every layer of every model whose traversals were made, bottom first."""
    made = []
    for slot, record in enumerate(records):
        tensors = record.measured.get("traversals", {})
        layers = sum(name.startswith("images_") for name in tensors)
        for layer in range(layers):
            key = f"traversal-{slot + 1}-z{layer + 1}"
            title = f"{record.label}, {layer_name(layer, layers)}"
            made.append(Grid(key, slot, _traversal(title, slot, tensors, layer + 1)))
    return made


def _traversal(title: str, slot: int, tensors: Mapping[str, Tensor], layer: int) -> Pictures:
    """Each row is one dimension: its number, and what it holds of an image in nats."""
    images = np.moveaxis(tensors[f"images_{layer}"].numpy(), 2, -1)
    if images.shape[-1] == 1:
        images = images[..., 0]
    dimensions = tensors[f"dimensions_{layer}"].tolist()
    kl = tensors[f"kl_{layer}"].tolist()
    rows = []
    for dimension, nats, tiles in zip(dimensions, kl, images, strict=True):
        words = f"{number(nats, digits=2)} nats"
        rows.append(PictureRow(f"dimension {dimension + 1}", tuple(tiles), (words,), colour_of(slot)))
    columns = images.shape[1]
    feet = [""] * columns
    feet[0], feet[columns // 2], feet[-1] = ENDS
    return Pictures(title, tuple(rows), feet=tuple(feet), side=64, left=96, gap=2)
