"""Which layers a latent attack aimed at, in words: those that the decoder sees, which is the usual, or some alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True)
class Scope:
    """The layers that an attack compared.

    Attributes:
        layers: their indices, from 0 (the bottom); empty where the attack compares no posteriors.
        total: number of layers of the model.
        usual: whether they are just those that the decoder sees.
    """

    layers: tuple[int, ...]
    total: int
    usual: bool

    @classmethod
    def of(cls, settings: Mapping[str, Any], spec: Mapping[str, Any]) -> "Scope":
        """Read it from an attack's settings, and the run's spec where these do not tell the number of layers.

        Example:
            >>> Scope.of({"mode": "latent", "layers": [0], "model_layers": 3, "decoder_sees": "all"}, {}).words
            'z₁ (bottom)'
        """
        layers = tuple(settings.get("layers") or ())
        sizes = spec.get("model", {}).get("latent_sizes") or ()
        total = int(settings.get("model_layers") or len(sizes) or len(layers))
        seen = (0,) if settings.get("decoder_sees") == "bottom" else tuple(range(total))
        return cls(layers, total, not layers or layers == seen)

    @property
    def words(self) -> str:
        """The layers by name."""
        if len(self.layers) == self.total:
            return "all layers" if self.total > 1 else "the one layer"
        return ", ".join(layer_name(layer, self.total) for layer in self.layers)

    @property
    def key(self) -> str:
        """The same for file names."""
        if len(self.layers) == self.total:
            return "all-layers"
        return "-".join({0: "bottom", self.total - 1: "top"}.get(layer, f"z{layer + 1}") for layer in self.layers)

    @property
    def order(self) -> tuple[bool, Sequence[int]]:
        """All layers first, then from the bottom up."""
        return len(self.layers) < self.total, self.layers


def layer_name(layer: int, total: int) -> str:
    """A layer's name.

    Example:
        >>> layer_name(0, 4), layer_name(1, 4), layer_name(3, 4), layer_name(0, 1)
        ('z₁ (bottom)', 'z₂', 'z₄ (top)', 'z')
    """
    if total == 1:
        return "z"
    name = f"z{layer + 1}".translate(_LOWERED)
    return name + {0: " (bottom)", total - 1: " (top)"}.get(layer, "")
