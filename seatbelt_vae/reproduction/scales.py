"""How large the paper is reproduced: in minutes, in hours on a laptop, or as it was. scales.toml has the sizes."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.spec import DataSpec
from seatbelt_vae.settings import near

Setting = tuple[str, Any]
"""A setting of a spec by table and name, such as ``("objective.estimator", "mss")``."""

Condition = tuple[Setting, ...]
"""What is set otherwise than at the scale; nothing for what the figures show."""


@dataclass(frozen=True)
class Scale:
    """Sizes of everything.

    Attributes:
        name: what ``--scale`` calls it.
        size: side of the images, pixels.
        network: of encoder and decoder.
        steps: of the training.
        batch_size: of the gradient.
        tc_samples: examples over which the total correlation is estimated.
        free_bits: nats of KL that each dimension has for nothing; 0.125 is in the authors' file names.
        precision: of the networks in training.
        seeds: of the training.
        betas: β, ascending; the first is 1, where every model is trained on its ELBO.
        layers: L, ascending; the first is 1.
        deep: the L of what the paper shows for L = 4.
        pairs: of source and target.
        lambdas: weights of the distortion, "paper" for its 51.
        output_every: an output attack, three times as dear, takes every so many of them.
        everywhere: attack every model in every way; else the models that no claim compares get the strongest latent
            attack alone.
        aggregate_samples: at which aggregate posteriors are evaluated.
        step_seconds: what a training step takes on one CPU core, about.
        solve_seconds: what one pair at one λ takes there, about.
        memory: of the device for the largest model, GB, about.
        choices: conditions: what could have been chosen otherwise at the same cost.
        sizes: conditions: what there could be more of; at the scale of the paper, less of some.
        ways: conditions: plain and robust training.
        count: images drawn of sprites; None for all. Other data are taken whole.
        hidden_sizes: of the conditionals between layers; None for the model's own.
        iterations: of one solve from a cold start at most; None for the solver's own.
        warm_iterations: of one that starts from what its neighbours found.
        samples: of the noise in output attacks; None for the attack's own.
    """

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
    choices: tuple[Condition, ...]
    sizes: tuple[Condition, ...]
    ways: tuple[Condition, ...]
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
    for kind in ("choices", "sizes", "ways"):
        settings[kind] = tuple(_condition(each) for each in table[kind])
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
