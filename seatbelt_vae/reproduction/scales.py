"""How large the paper is reproduced: in minutes, in hours on a laptop, or as it was. scales.toml has the sizes."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments import DataSpec
from seatbelt_vae.settings import near

Setting = tuple[str, Any]
"""A setting of a spec by table and name, such as ``("objective.estimator", "mss")``."""

Condition = tuple[Setting, ...]
"""What is set otherwise than at the scale; nothing for what the figures show."""


@dataclass(frozen=True)
class Scale:
    """Sizes of everything, as scales.toml explains them. What it leaves out is the model's or the attack's own."""

    name: str
    size: int
    network: str
    steps: int
    batch_size: int
    tc_samples: int
    free_bits: float
    precision: str
    seeds: tuple[int, ...]
    betas: tuple[float, ...]
    layers: tuple[int, ...]
    deep: int
    pairs: int
    lambdas: str | tuple[float, ...]
    output_every: int
    everywhere: bool
    aggregate_samples: int
    step_seconds: float
    solve_seconds: float
    memory: float
    conditions: Mapping[str, tuple[Condition, ...]]
    count: int | None = None
    hidden_sizes: tuple[int, ...] | None = None
    iterations: int | None = None
    warm_iterations: int | None = None
    samples: int | None = None

    @property
    def high(self) -> float:
        """The largest β."""
        return self.betas[-1]

    def data(self, name: str) -> DataSpec:
        """The data of a name or path at this scale."""
        count = None
        if name == "sprites":
            count = self.count
        return DataSpec(name=name, size=self.size, count=count)


def octaves(low: float, high: float, step: float) -> tuple[float, ...]:
    """Powers of two at equal steps of the exponent.

    Example:
        >>> octaves(-1, 1, 1)
        (0.5, 1.0, 2.0)
    """
    count = round((high - low) / step) + 1
    return tuple(2.0 ** (low + step * place) for place in range(count))


def read_toml(name: str) -> dict[str, Any]:
    """Read one of the TOML files beside this module; its lists become tuples."""
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    tables: dict[str, Any] = _frozen(tomllib.loads(text))
    return tables


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(each) for each in value)
    if isinstance(value, dict):
        return {name: _frozen(each) for name, each in value.items()}
    return value


def _condition(tables: dict[str, dict[str, Any]]) -> Condition:
    found = []
    for table, settings in tables.items():
        for name, value in settings.items():
            found.append((f"{table}.{name}", value))
    return tuple(found)


def _scale(name: str, table: dict[str, Any]) -> Scale:
    settings = dict(table)
    if isinstance(settings["lambdas"], dict):
        settings["lambdas"] = octaves(**settings["lambdas"])
    conditions = {}
    for study, several in table["conditions"].items():
        conditions[study] = tuple(_condition(each) for each in several)
    settings["conditions"] = conditions
    return Scale(name, **settings)


SCALES = {name: _scale(name, table) for name, table in read_toml("scales.toml").items()}
"""Scales by name."""


def scale_of(name: str) -> Scale:
    """Look a scale up.

    Raises:
        InputError: there is none of that name.

    Example:
        >>> scale_of("laptop").betas
        (1, 4, 10)
    """
    if name not in SCALES:
        raise InputError(f"--scale: {name!r} is unknown{near(name, SCALES)}, use one of {', '.join(SCALES)}")
    return SCALES[name]
