"""What an experiment is, complete and frozen: data, model, objective, training. Its hash names the run."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from seatbelt_vae.data.resize import height_width
from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.toml import read_toml
from seatbelt_vae.models import Architecture, variant_of
from seatbelt_vae.models.variants import USUAL
from seatbelt_vae.objectives import (
    AVAE,
    ELBO,
    HFVAE,
    Adversarial,
    BetaTC,
    BetaVAE,
    Denoising,
    FactorVAE,
    HoldMSE,
    SmoothEncoder,
)
from seatbelt_vae.settings import Count, Section, Seed, build, checked, known_to, near, section, shown, table
from seatbelt_vae.training import Settings

OBJECTIVES: dict[str, type[Any]] = {
    "elbo": ELBO,
    "beta-vae": BetaVAE,
    "factor-vae": FactorVAE,
    "hfvae": HFVAE,
    "beta-tc": BetaTC,
}
"""Objectives by the name that a spec uses."""

ROBUST: dict[str, type[Any]] = {
    "adversarial": Adversarial,
    "smooth-encoder": SmoothEncoder,
    "avae": AVAE,
    "denoising": Denoising,
    "hold-mse": HoldMSE,
}
"""Ways of robust training by the name that a spec uses."""


def _written(size: Any) -> int | str:
    """A size as files have it: a side, or ``48x64``."""
    try:
        height, width = height_width(size)
    except InputError as error:
        words = "Must be a side from 1 to 1024 pixels, or height and width such as 48x64"
        raise PydanticCustomError("size", words) from error
    if height == width:
        return height
    return f"{height}x{width}"


class DataSpec(Section):
    """Which images.

    Attributes:
        name: sprites, dsprites, chairs, faces3d, celeba, or a path to an .npz or a folder of images.
        path: where the original of a named data set lies.
        size: side of the images in pixels, or height and width such as 48x64, resized where need be (as stored).
        grey: turn colour into grey.
        count: number of images to draw, at random by `seed` (all).
        hold_out: the factor whose values training and test do not share; none for none.
        seed: of that draw and of the split into training and test. Kept apart from the seed of the training.
        test: share of the images kept for measuring.
        digest: SHA-256 of the data, filled in when it is read; if given, the data must agree.
    """

    name: str = "sprites"
    path: str | None = None
    size: Annotated[int | str, BeforeValidator(_written)] | None = None
    grey: bool | None = None
    count: Count | None = None
    hold_out: str | None = None
    seed: Seed = 0
    test: Annotated[float, Field(gt=0, lt=1)] = 0.1
    digest: str | None = None


class ModelSpec(table("ModelTable", Architecture)):  # type: ignore[misc]
    """Which model.

    Attributes:
        name: vae, beta-vae, factor-vae, hfvae, beta-tcvae, dlgm, ladder-vae, biva, beta-tcdlgm, seatbelt or
            lipschitz-vae; it also decides the default objective.
    """

    name: str = "seatbelt"


class ObjectiveSpec(section("ObjectiveTable", OBJECTIVES, without=("step",))):  # type: ignore[misc]
    """What is optimised. A setting that is left out has the default of the objective.

    Attributes:
        name: elbo, beta-vae, beta-tc, factor-vae or hfvae (the model's own).
    """

    name: str | None = None

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        """Every objective that has a setting must agree with it."""
        given = self.model_dump()
        for kind in OBJECTIVES.values():
            if kind is not FactorVAE:  # which has a network; its settings are those of others
                kind(**known_to(kind, given))
        return self


class RobustSpec(section("RobustTable", ROBUST, without=("base", "done", "multiplier"))):  # type: ignore[misc]
    """How the model is made robust while it is trained; not at all by default.

    Attributes:
        method: adversarial, smooth-encoder, avae, denoising or hold-mse; several are applied inside out.
        radius: largest distortion, as a share of the median distance between two training images.
    """

    method: str | tuple[str, ...] | None = None

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods, the innermost first."""
        if isinstance(self.method, str):
            return (self.method,)
        return self.method or ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Every setting must mean something to a method."""
        given = self.model_dump(exclude={"method"}, exclude_none=True)
        taken: set[str] = set()
        for name in self.methods:
            known = known_to(ROBUST.get(name, Section), given)
            build(ROBUST, name, {"base": ELBO(), **known}, "method")
            taken |= set(known)
        for setting, value in given.items():
            if setting not in taken:
                raise InputError(f"{setting}: {value} means nothing to the method {self.method}")
        return self


class TrainingSpec(table("TrainingTable", Settings)):  # type: ignore[misc]
    """How long and how fast; see `seatbelt_vae.training.train`."""


class ExperimentSpec(Section):
    """Everything that decides a trained model. Same spec, same run.

    Attributes:
        data: which images.
        model: which model.
        objective: what is optimised.
        robust: how it is made robust.
        training: how long and how fast.

    Example:
        >>> spec = ExperimentSpec.of({"model": {"name": "vae"}, "training": {"steps": 100}})
        >>> spec.run_name
        'vae-...'
    """

    data: DataSpec = DataSpec()
    model: ModelSpec = ModelSpec()
    objective: ObjectiveSpec = ObjectiveSpec()
    robust: RobustSpec = RobustSpec()
    training: TrainingSpec = TrainingSpec()

    @classmethod
    def of(cls, tables: Mapping[str, Any], source: str = "spec") -> Self:
        """Check tables of settings.

        Args:
            tables: ``{"model": {"name": "vae"}, …}``; what is left out has its default.
            source: where they come from, put before the message if they are wrong.

        Raises:
            InputError: a setting is unknown (with the nearest that exists) or out of range.
        """
        return checked(cls, tables, source)

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a spec from a TOML file.

        Raises:
            InputError: the file is missing, is not TOML, or a setting is wrong.
        """
        return cls.of(read_toml(path), str(path))

    def changed(self, **tables: Mapping[str, Any]) -> Self:
        """Give the spec with some settings replaced, checked.

        Args:
            tables: ``model={"layers": 3}`` and so on.

        Raises:
            InputError: a setting is unknown or out of range.

        Example:
            >>> ExperimentSpec().changed(training={"steps": 3}).training.steps
            3
        """
        merged = self.model_dump()
        for name, settings in tables.items():
            merged[name] = {**merged.get(name, {}), **settings}
        return self.of(merged)

    @property
    def objective_name(self) -> str:
        """The objective, that of the model where none is named.

        Raises:
            InputError: there is no such model or objective.
        """
        variant = variant_of(self.model.name)
        name: str = self.objective.name or variant.objective
        if name not in OBJECTIVES:
            hint = near(name, OBJECTIVES)
            raise InputError(f"objective: {shown(name)} is unknown{hint}, use one of {', '.join(OBJECTIVES)}")
        return name

    @property
    def identity(self) -> dict[str, dict[str, Any]]:
        """The settings that make this run another than the rest: those off their default, in a fixed order.

        Data with a digest are known by it: a file that was moved is the same data.
        """
        tables = self.model_dump(mode="json", exclude_defaults=True)
        if self.model.network == USUAL.network:  # what earlier versions had as the default
            tables["model"].pop("network")
        if self.data.digest:
            tables["data"].pop("name", None)
            tables["data"].pop("path", None)
        return {name: dict(sorted(settings.items())) for name, settings in sorted(tables.items()) if settings}

    @property
    def digest(self) -> str:
        """SHA-256 of the identity, hexadecimal."""
        return hashlib.sha256(json.dumps(self.identity).encode()).hexdigest()

    @property
    def run_name(self) -> str:
        """A folder's name: model, layers, β and the first of the digest, such as ``seatbelt-L3-b4-1a2b3c4d``."""
        parts = [self.model.name, *self.robust.methods]
        layers = self.model.layers
        if self.model.latent_sizes:
            layers = len(self.model.latent_sizes)
        if layers:
            parts.append(f"L{layers}")
        if self.objective.beta is not None:
            parts.append(f"b{self.objective.beta:g}")
        return "-".join([*parts, self.digest[:8]])

    def differences(self, other: "ExperimentSpec") -> list[str]:
        """Name the settings in which two specs differ: ``"training.steps is 10 there, 20 here"``; other is there."""
        mine = flat(self.identity)
        theirs = flat(other.identity)
        found = []
        for name in {**mine, **theirs}:
            if mine.get(name) != theirs.get(name):
                found.append(f"{name} is {_value(other, name)} there, {_value(self, name)} here")
        return found


def flat(tables: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Bring tables within tables to one, and lists to JSON text.

    Example:
        >>> flat({"elbo": -1.5, "model": {"layers": 2, "latent_sizes": [8, 4]}})
        {'elbo': -1.5, 'model.layers': 2, 'model.latent_sizes': '[8, 4]'}
    """
    row: dict[str, Any] = {}
    for name, value in tables.items():
        if isinstance(value, Mapping):
            row |= flat(value, f"{above}{name}.")
        elif isinstance(value, list | tuple):
            row[above + name] = json.dumps(value)
        else:
            row[above + name] = value
    return row


def _value(spec: ExperimentSpec, name: str) -> str:
    section, key = name.split(".")
    value = str(getattr(getattr(spec, section), key))
    if key == "digest":
        return value[:12]
    return value
