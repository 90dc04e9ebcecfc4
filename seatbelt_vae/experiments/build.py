"""From a spec to the model and the objective that it describes."""

from typing import Any

import torch

from seatbelt_vae.data import ImageDataset
from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.spec import OBJECTIVES, ROBUST, ExperimentSpec, ObjectiveSpec, RobustSpec
from seatbelt_vae.models import Architecture, HierarchicalVAE, build, completed, variant_of
from seatbelt_vae.objectives import FactorVAE, Objective
from seatbelt_vae.settings import known_to, plain, settings_of

DISTANCES = 1000
"""Pairs of images over which the median distance is taken."""


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
        model=plain(completed(spec.model.name, _architecture(spec), dataset.image_shape[0])),
        objective=_objective_settings(spec),
        robust=_robust_settings(spec.robust),
    )


def build_model(spec: ExperimentSpec, image_shape: tuple[int, int, int]) -> HierarchicalVAE:
    """Build the model of a spec, its weights drawn from the training seed.

    Args:
        spec: the spec.
        image_shape: (C, H, W).

    Raises:
        InputError: its settings do not go together.
    """
    settings = spec.model.model_dump(exclude={"name"})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(spec.training.seed)
        return build(spec.model.name, image_shape, **settings)


def build_objective(spec: ExperimentSpec, images: ImageDataset) -> Objective:
    """Build the objective of a resolved spec; the weights of an adversary are drawn from the training seed.

    Args:
        spec: a spec that `resolved` gave.
        images: the training images, whose distances the radius of robust training is a share of.

    Raises:
        InputError: a setting is out of range.
    """
    settings = spec.objective.model_dump(exclude={"name"}, exclude_none=True)
    kind = OBJECTIVES[spec.objective_name]
    objective: Objective
    if kind is FactorVAE:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(spec.training.seed)
            objective = FactorVAE.for_latent_size(spec.model.latent_sizes[-1], **settings)
    else:
        objective = kind(**settings)
    given = spec.robust.model_dump(exclude={"method"}, exclude_none=True)
    if "radius" in given:
        given["radius"] *= median_distance(images)
    for method in spec.robust.methods:
        objective = ROBUST[method](objective, **known_to(ROBUST[method], given))
    return objective


def median_distance(images: ImageDataset) -> float:
    """The median L2 distance between two images, over a fixed draw of them; in the units of the data.

    Example:
        >>> grey = torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1)
        >>> median_distance(ImageDataset(grey.expand(2, 1, 2, 2)))
        2.0
    """
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    count = min(DISTANCES, len(images) // 2)
    apart = images[order[:count]] - images[order[count : 2 * count]]
    apart = apart.flatten(1)
    return float(torch.linalg.vector_norm(apart, dim=1).median())


def label(spec: ExperimentSpec) -> str:
    """Name a model in a table, such as ``Seatbelt-VAE L=3 β=4``.

    Example:
        >>> label(ExperimentSpec.of({"model": {"layers": 3}, "objective": {"beta": 4}}))
        'Seatbelt-VAE L=3 β=4'
    """
    variant = variant_of(spec.model.name)
    words = [variant.label]
    if variant.deep:
        words.append(f"L={spec.model.layers}")
    if spec.objective.beta is not None:
        words.append(f"β={spec.objective.beta:g}")
    for method in spec.robust.methods:
        words.append(f"+ {method}")
    if spec.robust.radius is not None:
        words.append(f"ε={spec.robust.radius:g}")
    return " ".join(words)


def _architecture(spec: ExperimentSpec) -> Architecture:
    return Architecture(**spec.model.model_dump(exclude={"name"}))


def _objective_settings(spec: ExperimentSpec) -> dict[str, Any]:
    """The objective's settings, the defaults among them."""
    name = spec.objective_name
    own = settings_of(OBJECTIVES[name])
    given = spec.objective.model_dump(exclude={"name"}, exclude_none=True)
    if "beta" not in own and given.get("beta") == 1:
        del given["beta"]  # the ELBO is what every objective of the family is at beta = 1
    for setting, value in given.items():
        if setting not in own:
            takers = [other for other, kind in OBJECTIVES.items() if setting in settings_of(kind)]
            raise InputError(f"{setting}: {value} means nothing to the objective {name}, only to {', '.join(takers)}")
    defaults = {key: own[key].default for key in ObjectiveSpec.model_fields if key in own}
    return {"name": name, "beta": None, **defaults, **given}


def _robust_settings(spec: RobustSpec) -> dict[str, Any]:
    """The settings of robust training, the defaults among them; a default of the innermost method goes before."""
    given = spec.model_dump(exclude={"method"}, exclude_none=True)
    found: dict[str, Any] = {"method": spec.method}
    for method in spec.methods:
        for key, setting in settings_of(ROBUST[method]).items():
            if key in RobustSpec.model_fields and key not in found:
                found[key] = given.get(key, setting.default)
    return found
