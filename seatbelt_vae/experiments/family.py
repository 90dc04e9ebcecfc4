"""The paper's lineage by name: which network, and trained with which objective. One line a member."""

import dataclasses
import difflib
import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch

from seatbelt_vae.data import ImageDataset
from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.spec import ExperimentSpec, ModelSpec, ObjectiveSpec
from seatbelt_vae.models import FACTORIES, HierarchicalVAE, build
from seatbelt_vae.objectives import ELBO, HFVAE, BetaTC, BetaVAE, FactorVAE, Objective


@dataclass(frozen=True)
class Member:
    """A model of the lineage.

    Attributes:
        network: its factory's name in `seatbelt_vae.models.FACTORIES`.
        objective: its objective's name in `OBJECTIVES`.
        layers: number of layers by default.
        deep: whether it can have another number.
        label: how tables and legends call it.
    """

    network: str
    objective: str
    layers: int
    deep: bool
    label: str


FAMILY = {
    "vae": Member("vae", "elbo", 1, False, "VAE"),
    "beta-vae": Member("vae", "beta-vae", 1, False, "β-VAE"),
    "factor-vae": Member("vae", "factor-vae", 1, False, "FactorVAE"),
    "hfvae": Member("vae", "hfvae", 1, False, "HFVAE"),
    "beta-tcvae": Member("vae", "beta-tc", 1, False, "β-TCVAE"),
    "dlgm": Member("dlgm", "elbo", 3, True, "DLGM"),
    "ladder-vae": Member("ladder-vae", "elbo", 3, True, "Ladder VAE"),
    "biva": Member("biva", "elbo", 3, True, "BIVA"),
    "beta-tcdlgm": Member("beta-tcdlgm", "beta-tc", 3, True, "β-TCDLGM"),
    "seatbelt": Member("seatbelt", "beta-tc", 3, True, "Seatbelt-VAE"),
}
"""Models by the name that a spec and ``--model`` use."""

OBJECTIVES: dict[str, type[Any]] = {
    "elbo": ELBO,
    "beta-vae": BetaVAE,
    "factor-vae": FactorVAE,
    "hfvae": HFVAE,
    "beta-tc": BetaTC,
}
"""Objectives by the name that a spec uses."""

LATENT_SIZES = {1: (96, 48, 24, 12, 6), 3: (256, 128, 64, 32)}
"""Default sizes of z_1, z_2 … by the number of channels, for more than one layer (SPEC of the 2021 paper)."""

SINGLE_LATENT_SIZE = 32
"""Default size of z for one layer."""


def member(name: str) -> Member:
    """Look a model up.

    Raises:
        InputError: there is none of that name; the message lists those that there are.

    Example:
        >>> member("seatbelt").objective
        'beta-tc'
    """
    if name not in FAMILY:
        raise InputError(f"model: {name!r} is unknown{_near(name, FAMILY)}, use one of {', '.join(FAMILY)}")
    return FAMILY[name]


def resolved(spec: ExperimentSpec, dataset: ImageDataset) -> ExperimentSpec:
    """Fill in every default that depends on the model or the data, so that the spec says all.

    Args:
        spec: what was asked for.
        dataset: the data that it names, before the split.

    Returns:
        A spec with the sizes, likelihood, objective and data digest written out.

    Raises:
        InputError: the settings do not go together, or the data are not those of the spec's digest.
    """
    if spec.data.digest not in (None, dataset.digest):
        raise InputError(
            f"data: {spec.data.name} has digest {dataset.digest[:12]}, the spec wants {str(spec.data.digest)[:12]}"
        )
    return spec.changed(
        data={"digest": dataset.digest},
        model=_resolved_model(spec.model, dataset.image_shape[0]),
        objective=_resolved_objective(spec),
    )


def build_model(spec: ExperimentSpec, image_shape: tuple[int, int, int]) -> HierarchicalVAE:
    """Build the model of a resolved spec, its weights drawn from the training seed.

    Args:
        spec: a spec that `resolved` gave.
        image_shape: (C, H, W).
    """
    arguments = spec.model.model_dump(exclude={"name", "layers"}, exclude_none=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(spec.training.seed)
        return build(member(spec.model.name).network, image_shape, **arguments)


def build_objective(spec: ExperimentSpec) -> Objective:
    """Build the objective of a resolved spec; the weights of an adversary are drawn from the training seed."""
    settings = spec.objective.model_dump(exclude={"name"}, exclude_none=True)
    kind = OBJECTIVES[str(spec.objective.name)]
    if kind is FactorVAE:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(spec.training.seed)
            return FactorVAE.for_latent_size((spec.model.latent_sizes or ())[-1], **settings)
    objective: Objective = kind(**settings)
    return objective


def label(spec: ExperimentSpec) -> str:
    """Name a model in a table, such as ``Seatbelt-VAE L=3 β=4``."""
    known = member(spec.model.name)
    layers = f" L={spec.model.layers}" if known.deep else ""
    beta = "" if spec.objective.beta is None else f" β={spec.objective.beta:g}"
    return f"{known.label}{layers}{beta}"


def _resolved_model(model: ModelSpec, channels: int) -> dict[str, Any]:
    known = member(model.name)
    sizes = model.latent_sizes or _default_sizes(model.layers or known.layers, channels)
    if model.layers not in (None, len(sizes)):
        raise InputError(f"layers: {model.layers} do not go with {len(sizes)} latent_sizes {sizes}")
    if len(sizes) > 1 and not known.deep:
        deep = ", ".join(name for name, other in FAMILY.items() if other.deep)
        raise InputError(f"layers: {model.name} has one layer, not {len(sizes)}; models that take more: {deep}")
    defaults = {
        "likelihood": "bernoulli" if channels == 1 else "gaussian",
        **_defaults(inspect.signature(FACTORIES[known.network]).parameters, ("posterior", "hidden_sizes")),
    }
    given = model.model_dump(include=set(defaults), exclude_none=True)
    return {"layers": len(sizes), "latent_sizes": sizes, **defaults, **given}


def _default_sizes(layers: int, channels: int) -> tuple[int, ...]:
    if layers == 1:
        return (SINGLE_LATENT_SIZE,)
    known = LATENT_SIZES[channels]
    if layers > len(known):
        raise InputError(f"layers: there are default sizes for at most {len(known)}, give latent_sizes for {layers}")
    return known[:layers]


def _resolved_objective(spec: ExperimentSpec) -> dict[str, Any]:
    name = spec.objective.name or member(spec.model.name).objective
    if name not in OBJECTIVES:
        raise InputError(f"objective: {name!r} is unknown{_near(name, OBJECTIVES)}, use one of {', '.join(OBJECTIVES)}")
    settings = _settings(name)
    given = spec.objective.model_dump(exclude={"name"}, exclude_none=True)
    if "beta" not in settings and given.get("beta") == 1:
        del given["beta"]  # the ELBO is what every objective of the family is at beta = 1
    for setting, value in given.items():
        if setting not in settings:
            takers = ", ".join(other for other in OBJECTIVES if setting in _settings(other))
            raise InputError(f"{setting}: {value} means nothing to the objective {name}, only to {takers}")
    return {"name": name, "beta": None, **settings, **given}


def _settings(objective: str) -> dict[str, Any]:
    """The settings of a spec that an objective takes, with their defaults."""
    fields = {field.name: field.default for field in dataclasses.fields(OBJECTIVES[objective])}
    return {name: fields[name] for name in ObjectiveSpec.model_fields if name in fields}


def _defaults(parameters: Any, names: Iterable[str]) -> dict[str, Any]:
    return {name: parameters[name].default for name in names}


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""
