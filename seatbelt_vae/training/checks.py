"""What a training run is given, checked at the door."""

from typing import Any

from torch import nn

from seatbelt_vae.data import ImageDataset
from seatbelt_vae.errors import InputError
from seatbelt_vae.models import HierarchicalVAE


def check_count(name: str, value: int) -> None:
    """Refuse a number below 1.

    Raises:
        InputError: it is.

    Example:
        >>> check_count("log_every", 50)
    """
    if value < 1:
        raise InputError(f"{name}: {value} is too small, use 1 or more")


def check_dataset(model: HierarchicalVAE, dataset: ImageDataset) -> None:
    """Refuse images that the model cannot take.

    Raises:
        InputError: they have another shape, or pixels that the likelihood has no density for.
    """
    low, high = dataset.bounds
    likelihood = getattr(model.likelihood, "likelihood", None)  # a user's own decoder may have none
    beyond = low < 0 or high > 1
    if beyond and getattr(likelihood, "unit_interval", False):
        name = type(likelihood).__name__
        raise InputError(f"images: have bounds {(low, high)}, {name} is for pixels in [0, 1]; choose another of either")
    shape, expected = tuple(dataset.image_shape), tuple(model.image_shape)
    if shape != expected:
        raise InputError(f"images: are {shape} (C, H, W), the model takes {expected}")


def check_batch_norm(model: HierarchicalVAE, batch_size: int) -> None:
    """Refuse a batch of one where there is batch norm.

    Raises:
        InputError: it is.
    """
    if batch_size > 1:
        return
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            raise InputError("batch_size: 1 is too small for a model with batch norm, use 2 or more")


def check_saving(model: HierarchicalVAE, out: Any) -> None:
    """Refuse to save what could not be loaded again.

    Raises:
        InputError: there is a folder, and the model has no recipe.
    """
    if out is not None and model.recipe is None:
        raise InputError("out: this model has no recipe to be saved by; build it with a factory of seatbelt_vae.models")
