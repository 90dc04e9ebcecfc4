"""What an experiment is, complete and frozen: data, model, objective, training. Its hash names the run."""

import difflib
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.toml import dump_toml, parse_toml, read_text

Count = Annotated[int, Field(ge=1)]
Weight = Annotated[float, Field(ge=0)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]


class Section(BaseModel):
    """A table of a spec: frozen, no unknown settings, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Checked = TypeVar("Checked", bound=Section)


def checked(kind: type[Checked], settings: Mapping[str, Any], source: str) -> Checked:
    """Make a section, or say in one line what is wrong.

    Args:
        kind: the section's class.
        settings: its settings.
        source: where they come from, put before the message.

    Raises:
        InputError: a setting is unknown (with the nearest that exists) or out of range.
    """
    try:
        return kind.model_validate(dict(settings))
    except ValidationError as error:
        problems = "; ".join(_explain(kind, problem) for problem in error.errors())
        raise InputError(f"{source}: {problems}") from error


class DataSpec(Section):
    """Which images.

    Attributes:
        name: a name that ``seatbelt data list`` shows, or a path to an .npz or a folder of images.
        path: where the original of a named data set lies.
        size: side of the images in pixels, resized where need be; as stored by default.
        grey: turn colour into grey.
        count: number of images to draw, at random by `seed`; all by default.
        hold_out: the factor whose values training and test do not share; "none" for none.
        seed: of that draw and of the split into training and test. Kept apart from the seed of the training.
        test: share of the images kept for measuring.
        digest: SHA-256 of the data, filled in when it is read; if given, the data must agree.
    """

    name: str = "sprites"
    path: str | None = None
    size: Count | None = None
    grey: bool | None = None
    count: Count | None = None
    hold_out: str | None = None
    seed: Seed = 0
    test: Annotated[float, Field(gt=0, lt=1)] = 0.1
    digest: str | None = None


class ModelSpec(Section):
    """Which model.

    Attributes:
        name: one of the paper's lineage; it also decides the default objective.
        layers: number of stochastic layers L.
        latent_sizes: dimensions of z_1 … z_L. Default: the first L of (96, 48, 24, 12, 6), of (256, 128, 64, 32) for
            colour images, and 32 for L = 1.
        network: "conv", "mlp" or "tiny".
        hidden_sizes: widths of the conditionals' networks; the model's own by default.
        likelihood: "bernoulli" by default, "gaussian" for colour images.
        posterior: how q(z_l | …) is chained; the model's own by default.
    """

    name: str = "seatbelt"
    layers: Count | None = None
    latent_sizes: Annotated[tuple[Count, ...], Field(min_length=1)] | None = None
    network: str = "conv"
    hidden_sizes: Annotated[tuple[Count, ...], Field(min_length=1)] | None = None
    likelihood: str | None = None
    posterior: str | None = None


class ObjectiveSpec(Section):
    """What is optimised. A setting that is left out has the default of the objective.

    Attributes:
        name: "elbo", "beta-vae", "beta-tc", "factor-vae" or "hfvae"; the model's own by default.
        beta: weight of the KL, or of the total correlation (between groups).
        alpha: weight of the mutual information.
        gamma: weight of FactorVAE's total correlation, or of HFVAE's within groups.
        groups: HFVAE's groups of latent dimensions; each dimension alone by default.
        estimator: of the aggregate posterior: "mws", "mss" or "leave-one-in".
        tc_samples: examples over which it is estimated; the batch by default.
        free_bits: nats of KL that cost nothing.
        free_bits_per: "dimension" or "layer".
        warm_up: steps over which the KL's weight rises to 1.
        anneal: steps over which β moves from 1 to its value.
        layer_kl: "sample" (the ELBO), or "paper" for equation 9 as it is printed.
    """

    name: str | None = None
    beta: Weight | None = None
    alpha: Weight | None = None
    gamma: Weight | None = None
    groups: tuple[tuple[Annotated[int, Field(ge=0)], ...], ...] | None = None
    estimator: str | None = None
    tc_samples: Count | None = None
    free_bits: Weight | None = None
    free_bits_per: str | None = None
    warm_up: Annotated[int, Field(ge=0)] | None = None
    anneal: Annotated[int, Field(ge=0)] | None = None
    layer_kl: str | None = None


class TrainingSpec(Section):
    """How long and how fast; see `seatbelt_vae.training.train`."""

    steps: Count = 5000
    batch_size: Count = 128
    lr: Annotated[float, Field(gt=0, lt=1e37)] = 1e-3
    seed: Seed = 0
    clip_norm: Annotated[float, Field(gt=0)] | None = 200.0
    precision: str = "float32"


class ExperimentSpec(Section):
    """Everything that decides a trained model. Same spec, same run.

    Example:
        >>> spec = ExperimentSpec.of({"model": {"name": "vae"}, "training": {"steps": 100}})
        >>> ExperimentSpec.from_toml(spec.to_toml()) == spec
        True
    """

    data: DataSpec = DataSpec()
    model: ModelSpec = ModelSpec()
    objective: ObjectiveSpec = ObjectiveSpec()
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
    def from_toml(cls, text: str, source: str = "spec") -> Self:
        """Read a spec from TOML.

        Raises:
            InputError: it is not TOML, or a setting is wrong.
        """
        return cls.of(parse_toml(text, source), source)

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a spec from a TOML file.

        Raises:
            InputError: the file is missing, is not TOML, or a setting is wrong.
        """
        return cls.from_toml(read_text(path), str(path))

    def to_toml(self) -> str:
        """Write the spec as TOML, every setting that has a value."""
        return dump_toml(self.model_dump())

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
        mine = self.model_dump()
        return self.of({name: {**mine.get(name, {}), **tables.get(name, {})} for name in {**mine, **tables}})

    @property
    def identity(self) -> dict[str, dict[str, Any]]:
        """The settings that make this run another than the rest: those off their default, in a fixed order.

        Data with a digest are known by it: a file that was moved is the same data.
        """
        tables = self.model_dump(mode="json", exclude_defaults=True)
        if self.data.digest:
            tables["data"] = {key: value for key, value in tables["data"].items() if key not in ("name", "path")}
        return {name: dict(sorted(table.items())) for name, table in sorted(tables.items())}

    @property
    def digest(self) -> str:
        """SHA-256 of the identity, hexadecimal."""
        return hashlib.sha256(json.dumps(self.identity).encode()).hexdigest()

    @property
    def run_name(self) -> str:
        """A folder's name: model, layers, β and the first of the digest, such as ``seatbelt-L3-b4-1a2b3c4d``."""
        layers = len(self.model.latent_sizes) if self.model.latent_sizes else self.model.layers
        parts = [self.model.name]
        parts += [f"L{layers}"] if layers else []
        parts += [f"b{self.objective.beta:g}"] if self.objective.beta is not None else []
        return "-".join([*parts, self.digest[:8]])

    def differences(self, other: "ExperimentSpec") -> list[str]:
        """Name the settings in which two specs differ: ``"training.steps is 10 there, 20 here"``; other is there."""
        mine, theirs = self.identity, other.identity
        names = {f"{table}.{key}": (table, key) for side in (mine, theirs) for table in side for key in side[table]}
        return [
            f"{name} is {_shown(other, table, key)} there, {_shown(self, table, key)} here"
            for name, (table, key) in names.items()
            if mine.get(table, {}).get(key) != theirs.get(table, {}).get(key)
        ]


def _shown(spec: ExperimentSpec, table: str, key: str) -> str:
    value = getattr(getattr(spec, table), key)
    return value[:12] if key == "digest" and value else str(value)


def _explain(kind: type[Section], problem: Any) -> str:
    """One pydantic error in words."""
    location = [str(part) for part in problem["loc"]]
    name = ".".join(location)
    if problem["type"] != "extra_forbidden":
        return f"{name}: {problem['msg']}, got {problem['input']!r}"
    known = _fields(kind, location[:-1])
    near = difflib.get_close_matches(location[-1], known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"use one of {', '.join(known)}"
    return f"{name}: no such setting, {hint}"


def _fields(section: Any, location: list[str]) -> list[str]:
    """The settings that a table has."""
    for part in location:
        section = section.model_fields[part].annotation
    return list(section.model_fields)
