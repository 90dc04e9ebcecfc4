"""The paper's numbers, to stand beside ours. paper.toml has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seatbelt_vae.reproduction.points import Point
from seatbelt_vae.reproduction.scales import read_toml


@dataclass(frozen=True)
class Paper:
    """The paper's numbers.

    Attributes:
        betas: β of its curves.
        layers: L of its curves, by model.
        curves: each a table of data, measure, the attack's objective, and values at `betas` by model.
        effects: ratios by name, data and the attack's objective.
    """

    betas: tuple[float, ...]
    layers: Mapping[str, int]
    curves: tuple[Mapping[str, Any], ...]
    effects: Mapping[str, Mapping[str, Mapping[str, float]]]


PAPER = Paper(**read_toml("paper.toml"))
"""What is read of it."""


def kind_of_data(name: str) -> str:
    """Which of the paper's data sets a name means; the name itself where none.

    Example:
        >>> kind_of_data("chairs_mesh64"), kind_of_data("faces3d"), kind_of_data("sprites")
        ('chairs', 'faces', 'sprites')
    """
    for kind in ("chairs", "faces", "celeba"):
        if kind in name.lower():
            return kind
    return name


def effect(name: str, data: str) -> Mapping[str, float]:
    """An effect that the paper prints, as a ratio by the attack's objective; empty where it prints none.

    Example:
        >>> effect("beta", "chairs"), effect("depth", "faces3d")
        ({'latent': 1000.0, 'output': 1.2}, {})
    """
    by_data = PAPER.effects[name]
    return by_data.get(kind_of_data(data), by_data.get("any", {}))


def printed(data: str, point: Point, measure: str, attack: str = "") -> float | None:
    """The paper's value, None where it has none.

    Example:
        >>> printed("chairs", Point("seatbelt", 4, 10), "elbo")
        -1380
    """
    if point.settings or point.layers != PAPER.layers.get(point.model) or point.beta not in PAPER.betas:
        return None
    for curve in PAPER.curves:
        if (curve["data"], curve["measure"], curve["attack"]) == (kind_of_data(data), measure, attack):
            value: float = curve[point.model][PAPER.betas.index(point.beta)]
            return value
    return None
