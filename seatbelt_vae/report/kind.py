"""What an attack is, in words: its kind, how it was made, and in what it differs from another."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from seatbelt_vae.attacks import AttackResult
from seatbelt_vae.experiments.spec import flat
from seatbelt_vae.report.formats import budget_text

DIVERGENCES = {
    "kl": "KL",
    "reverse-kl": "reverse KL",
    "skl": "symmetric KL",
    "w2": "2-Wasserstein",
    "l2-means": "L2 of means",
    "l2-samples": "L2 of samples",
    "l2": "L2",
}
NORMS = {"l2": "L2", "linf": "L∞"}
PLAIN = ("elbo", "reconstruction")
"""Divergences that a title need not name."""

TOLD = (
    "objective.name", "objective.divergence", "objective.layers", "budget.name", "budget.norm", "budget.squared",
    "bounds", "pairs", "pair_seed", "pair_kind", "pairs_digest", "decoder_sees", "model_layers",
)  # fmt: skip
"""Settings that a title, a `Scope` or the digest of the images tells."""

FEW = 6
"""Budgets that a title names one by one, where two grids are to be told apart."""


@dataclass(frozen=True)
class Kind:
    """What attacks share that may be set side by side.

    Args:
        key: of the kind of attack, for files.
        title: the same in words.
        images: digest of the images.
        made: how the attack was made: all settings but the seed, and the grid.
    """

    key: str
    title: str
    images: str
    made: str

    @classmethod
    def of(cls, result: AttackResult) -> "Kind":
        """The kind of an attack, whatever layers it aimed at."""
        key, title = named(result.settings)
        return cls(key, title, images_digest(result), protocol(result))


def named(settings: Mapping[str, Any]) -> tuple[str, str]:
    """Key and title of an attack from its settings.

    Example:
        >>> named({"objective": {"name": "latent", "divergence": "kl"}, "budget": {"name": "penalty"}})
        ('latent-kl', 'Latent attack (KL)')
        >>> named({"objective": {"name": "damage", "divergence": "skl"}, "budget": {"name": "ball", "norm": "linf"}})
        ('damage-skl-linf-ball', 'Maximum damage by symmetric KL of posteriors, L∞ balls')
    """
    objective = settings["objective"]
    budget = settings["budget"]
    damage = objective["name"] == "damage"
    divergence = str(objective.get("divergence", "elbo"))
    words = DIVERGENCES.get(divergence, divergence)
    key = objective["name"]
    title = f"{key.capitalize()} attack"
    inside = " inside {} balls"
    if divergence not in PLAIN:
        key += f"-{divergence}"
        title += f" ({words})"
    if damage:
        key = f"damage-{divergence}"
        title = "Maximum damage"
        inside = ", {} balls"
    if damage and divergence not in PLAIN:
        title += f" by {words} of posteriors"
    if budget.get("squared"):
        key += "-squared"
        title += ", penalty λ‖d‖²"
    if budget["name"] == "ball":
        norm = budget["norm"]
        key += f"-{norm}-ball"
        title += inside.format(NORMS.get(norm, norm))
    return slug(key), title


def protocol(result: AttackResult) -> str:
    """What attacks must share, beside kind and images, for their results to be set against each other.

    Everything in which they were made but the seed and what the model decided: solver, iterations, restarts, samples,
    grid.
    """
    own = (*TOLD, "seed", "smoothed")
    settings = {name: value for name, value in flat(result.settings).items() if name not in own}
    grid = [f"{value:.6g}" for value in result.budget.values.tolist()]
    return json.dumps([settings, grid], sort_keys=True, default=str)


def images_digest(result: AttackResult) -> str:
    """A digest of the source and target images themselves (12 hexadecimal digits)."""
    digest = hashlib.sha256(_content(result.source))
    if result.targeted:
        digest.update(_content(result.target))
    return digest.hexdigest()[:12]


def _content(images: Tensor) -> bytes:
    return images.detach().cpu().float().contiguous().numpy().tobytes()


def differences(result: AttackResult, other: AttackResult) -> str:
    """The settings of an attack that are not those of another, in words; what `TOLD` names is told otherwise."""
    theirs = _described(other)
    parts = []
    for name, value in _described(result).items():
        if value != theirs.get(name):
            parts.append(f"{_short(name)} {value}")
    return ", ".join(parts)


def _described(result: AttackResult) -> dict[str, str]:
    """How an attack was made: its settings, and the grid of its penalties or radii."""
    found = {}
    for name, value in flat(result.settings).items():
        if name not in TOLD:
            found[name] = str(value)
    budget = result.budget
    values = [budget_text(budget.symbol, value) for value in budget.values.tolist()]
    found[budget.symbol] = ", ".join(values)
    if len(values) > FEW:
        found[budget.symbol] = f"at {len(values)} values, {values[0]} to {values[-1]}"
    return found


def _short(name: str) -> str:
    """``solver.max_iterations`` is ``max_iterations``, ``solver.name`` is ``solver``."""
    table, _, setting = name.rpartition(".")
    if setting == "name":
        return table
    return setting


def slug(words: str) -> str:
    """Words as the name of a file.

    Example:
        >>> slug("latent-kl-seed 1")
        'latent-kl-seed-1'
    """
    return re.sub(r"[^a-z0-9.]+", "-", words.lower()).strip("-")
