"""Robust, disentangled, hierarchical VAEs, and the adversarial attacks that test them.

Example:
    >>> import seatbelt_vae as sb
    >>> data = sb.load_dataset("sprites", size=32, count=64)
    >>> model = sb.models.seatbelt_vae(data.image_shape, latent_sizes=(8, 4), network="mlp")
    >>> _ = sb.train(model, data, sb.objectives.BetaTC(beta=4.0), steps=2, batch_size=8, device="cpu")
    >>> pairs = sb.pairs(data, count=2)
    >>> result = sb.attack(model, pairs.source, pairs.target, sb.Latent("kl"), sb.Penalty([1.0]), sb.Cold(5))
    >>> result.distortion.shape
    torch.Size([2, 1])
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seatbelt_vae import adapters, attacks, audits, data, metrics, models, objectives, optim
    from seatbelt_vae.adapters import wrap
    from seatbelt_vae.attacks import (
        Adam,
        AttackResult,
        Ball,
        Cold,
        Continuation,
        Damage,
        Latent,
        Output,
        Penalty,
        Scipy,
        attack,
    )
    from seatbelt_vae.audits.audit import Audit, audit
    from seatbelt_vae.data import ImageDataset, load_dataset, pairs
    from seatbelt_vae.errors import InputError, RunError
    from seatbelt_vae.experiments import ExperimentSpec
    from seatbelt_vae.models import HierarchicalVAE
    from seatbelt_vae.training import train

__version__ = "0.1.0"

__all__ = [
    "Adam",
    "AttackResult",
    "Audit",
    "Ball",
    "Cold",
    "Continuation",
    "Damage",
    "ExperimentSpec",
    "HierarchicalVAE",
    "ImageDataset",
    "InputError",
    "Latent",
    "Output",
    "Penalty",
    "RunError",
    "Scipy",
    "adapters",
    "attack",
    "attacks",
    "audit",
    "audits",
    "data",
    "load_dataset",
    "metrics",
    "models",
    "objectives",
    "optim",
    "pairs",
    "train",
    "wrap",
]

_HOMES = {
    "Adam": "attacks",
    "AttackResult": "attacks",
    "Audit": "audits",
    "Ball": "attacks",
    "Cold": "attacks",
    "Continuation": "attacks",
    "Damage": "attacks",
    "ExperimentSpec": "experiments",
    "HierarchicalVAE": "models",
    "ImageDataset": "data",
    "InputError": "errors",
    "Latent": "attacks",
    "Output": "attacks",
    "Penalty": "attacks",
    "RunError": "errors",
    "Scipy": "attacks",
    "attack": "attacks",
    "audit": "audits",
    "load_dataset": "data",
    "pairs": "data",
    "train": "training",
    "wrap": "adapters",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that ``seatbelt --help`` does not wait for torch."""
    if name in _HOMES:
        value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    elif name in __all__:
        value = importlib.import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
