"""How large the paper is reproduced: in minutes, in hours on a laptop, or as it was. scales.toml has the sizes."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.spec import DataSpec
from seatbelt_vae.settings import near


@dataclass(frozen=True)
class Scale:
    """Sizes of everything.

    Attributes:
        name: what ``--scale`` calls it.
        size: side of the images, pixels.
        size_more: another side, to see what depends on it.
        network: of encoder and decoder.
        steps: of the training.
        batch_size: of the gradient.
        tc_samples: examples over which the total correlation is estimated.
        tc_more: other numbers of them, to see what depends on it.
        free_bits: nats of KL that each dimension has for nothing; 0.125 is in the authors' file names.
        free_more: other numbers of them.
        precision: of the networks in training.
        seeds: of the training.
        betas: β, ascending; the first is 1, where every model is trained on its ELBO.
        layers: L, ascending; the first is 1.
        deep: the L of what the paper shows for L = 4.
        robust_radii: of robust training, as shares of the median distance between two images.
        pairs: of source and target.
        lambdas: weights of the distortion, "paper" for its 51.
        output_every: an output attack, three times as dear, takes every so many of them.
        everywhere: attack every model in every way; else the models that no claim compares get the strongest latent
            attack alone.
        aggregate_samples: at which aggregate posteriors are evaluated.
        step_seconds: what a training step takes on one CPU core, about.
        solve_seconds: what one pair at one λ takes there, about.
        memory: of the device for the largest model, GB, about.
        count: images drawn of sprites; None for all. Other data are taken whole.
        hidden_sizes: of the conditionals between layers; None for the model's own.
        iterations: of one solve from a cold start at most; None for the solver's own.
        warm_iterations: of one that starts from what its neighbours found.
        samples: of the noise in output attacks; None for the attack's own.
    """

    name: str
    size: int
    size_more: int
    network: str
    steps: int
    batch_size: int
    tc_samples: int
    tc_more: tuple[int, ...]
    free_bits: float
    free_more: tuple[float, ...]
    precision: str
    seeds: tuple[int, ...]
    betas: tuple[float, ...]
    layers: tuple[int, ...]
    deep: int
    robust_radii: tuple[float, ...]
    pairs: int
    lambdas: str | tuple[float, ...]
    output_every: int
    everywhere: bool
    aggregate_samples: int
    step_seconds: float
    solve_seconds: float
    memory: float
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
    """Read one of the TOML files beside this module."""
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))


def _scale(name: str, table: Mapping[str, Any]) -> Scale:
    settings = {"name": name}
    for key, value in table.items():
        if isinstance(value, list):
            value = tuple(value)
        elif isinstance(value, dict):
            value = octaves(**value)
        settings[key] = value
    return Scale(**settings)


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
