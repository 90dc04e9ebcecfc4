"""The paper's numbers, to stand beside ours. paper.toml has them."""

from collections.abc import Mapping
from dataclasses import dataclass

from seatbelt_vae.reproduction.points import Point
from seatbelt_vae.reproduction.scales import read_toml


@dataclass(frozen=True)
class Curve:
    """What the paper draws against β.

    Attributes:
        data: of which images.
        measure: its key.
        attack: the attack's objective, empty without one.
        values: by model, at each of `BETAS`.
    """

    data: str
    measure: str
    attack: str
    values: Mapping[str, tuple[float, ...]]


_TABLES = read_toml("paper.toml")

BETAS: tuple[float, ...] = tuple(_TABLES["betas"])
"""β of the curves."""

LAYERS: Mapping[str, int] = _TABLES["layers"]
"""L of the curves, by model."""


def _curve(table: Mapping[str, object]) -> Curve:
    values = {}
    for model in LAYERS:
        values[model] = tuple(table[model])  # type: ignore[arg-type]
    return Curve(str(table["data"]), str(table["measure"]), str(table["attack"]), values)


CURVES = tuple(_curve(table) for table in _TABLES["curves"])
"""Every curve."""


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
    """An effect that the paper prints, as a ratio by attack or model; empty where it prints none.

    Args:
        name: "beta", "depth", "encoder" or "decoder".
        data: name of the images.

    Example:
        >>> effect("beta", "chairs"), effect("depth", "faces3d")
        ({'latent': 1000.0, 'output': 1.2}, {})
    """
    by_data = _TABLES["effects"][name]
    found: Mapping[str, float] = by_data.get(kind_of_data(data), by_data.get("any", {}))
    return found


def printed(data: str, point: Point, measure: str, attack: str = "") -> float | None:
    """The paper's value, None where it has none.

    Example:
        >>> printed("chairs", Point("seatbelt", 4, 10), "elbo")
        -1380
    """
    if point.settings or point.layers != LAYERS.get(point.model) or point.beta not in BETAS:
        return None
    for curve in CURVES:
        if (curve.data, curve.measure, curve.attack) == (kind_of_data(data), measure, attack):
            return curve.values[point.model][BETAS.index(point.beta)]
    return None
