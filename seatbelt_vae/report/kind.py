"""What an attack is, in words: its kind, the layers at which it aims, how it was made and differs from another."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seatbelt_vae.attacks import AttackResult
from seatbelt_vae.experiments.table import flat
from seatbelt_vae.report.formats import budget_text, slug

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
"""Settings that a title or the digest of the images tells."""

OWN = ("seed", "smoothed")
"""Settings in which attacks may differ and still be set against each other."""

FEW = 6
"""Budgets that a title names one by one, where two grids are to be told apart."""

_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True)
class Kind:
    """What attacks share that may be set side by side.

    Args:
        key: of the kind of attack, for files.
        title: the same in words.
        images: digest of the images.
        made: how the attack was made: solver, iterations, restarts, samples, grid.
    """

    key: str
    title: str
    images: str
    made: str

    @classmethod
    def of(cls, result: AttackResult) -> "Kind":
        """The kind of an attack."""
        key, title = named(result.settings)
        grid = [f"{value:.6g}" for value in result.budget.values.tolist()]
        settings = [f"{name} {value}" for name, value in _settings(result).items() if name not in OWN]
        return cls(key, title, images_digest(result), "; ".join([*sorted(settings), *grid]))


def named(settings: Mapping[str, Any]) -> tuple[str, str]:
    """Key and title of an attack from its settings.

    Example:
        >>> named({"objective": {"name": "latent", "divergence": "kl"}, "budget": {"name": "penalty"}})
        ('latent-kl', 'Latent attack (KL)')
        >>> named({"objective": {"name": "damage", "divergence": "skl"}, "budget": {"name": "ball", "norm": "linf"}})
        ('damage-skl-linf-ball', 'Maximum damage by symmetric KL of posteriors, L∞ balls')
        >>> latent = {"name": "latent", "divergence": "kl", "layers": [0]}
        >>> named({"objective": latent, "budget": {"name": "penalty"}, "model_layers": 3, "decoder_sees": "all"})
        ('latent-kl-z1', 'Latent attack (KL) on z₁ (bottom)')
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
    for layer, words in _layers(settings).items():
        key += f"-{layer}"
        title += f" on {words}"
    if budget["name"] == "minimum-norm":
        key += f"-smallest-{budget['level']}"
        title += f", smallest norm for a level of {budget['level']}"
    return slug(key), title


def _layers(settings: Mapping[str, Any]) -> dict[str, str]:
    """Key and words of the layers at which an attack aims; none where they are what the decoder sees, the usual."""
    aimed = list(settings["objective"].get("layers") or ())
    total = int(settings.get("model_layers") or len(aimed))
    seen = list(range(total))
    if settings.get("decoder_sees") == "bottom":
        seen = [0]
    if not aimed or aimed == seen:
        return {}
    if len(aimed) == total:
        return {"all-layers": "all layers"}
    key = "-".join(f"z{layer + 1}" for layer in aimed)
    return {key: ", ".join(layer_name(layer, total) for layer in aimed)}


def layer_name(layer: int, total: int) -> str:
    """A layer's name.

    Example:
        >>> layer_name(0, 4), layer_name(1, 4), layer_name(3, 4), layer_name(0, 1)
        ('z₁ (bottom)', 'z₂', 'z₄ (top)', 'z')
    """
    if total == 1:
        return "z"
    ends = {0: " (bottom)", total - 1: " (top)"}
    return f"z{layer + 1}".translate(_LOWERED) + ends.get(layer, "")


def _settings(result: AttackResult) -> dict[str, Any]:
    """How an attack was made, but for what is told otherwise."""
    return {name: value for name, value in flat(result.settings).items() if name not in TOLD}


def differences(result: AttackResult, other: AttackResult) -> str:
    """The settings and the grid of an attack that are not those of another, in words."""
    theirs = _settings(other)
    parts = []
    for name, value in _settings(result).items():
        if str(value) != str(theirs.get(name)):
            # ``solver.max_iterations`` is called ``max_iterations``, ``solver.name`` ``solver``.
            parts.append(f"{name.removesuffix('.name').rpartition('.')[2]} {value}")
    if _grid(result) != _grid(other):
        parts.append(_grid(result))
    return ", ".join(parts)


def _grid(result: AttackResult) -> str:
    budget = result.budget
    values = [budget_text(budget.symbol, value) for value in budget.values.tolist()]
    if len(values) > FEW:
        return f"{budget.symbol} at {len(values)} values, {values[0]} to {values[-1]}"
    return f"{budget.symbol} {', '.join(values)}"


def images_digest(result: AttackResult) -> str:
    """A digest of the source and target images themselves (12 hexadecimal digits)."""
    digest = hashlib.sha256()
    for images in (result.source, result.target)[: 1 + result.targeted]:
        digest.update(images.detach().cpu().float().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]
